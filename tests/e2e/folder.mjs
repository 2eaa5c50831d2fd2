// A slide of several files in Chromium: its folder is dropped as a whole, cut off by a reload, chosen again, goes on and is seen with the right
// colours; one file of it alone is refused at once.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GIVE_UP_MS, assert, check, equal, finish, until } from '../lib/check.mjs'
import { mrxs } from '../lib/parts.mjs'
import { Session } from '../lib/rest.mjs'
import { Server, artefacts } from '../lib/server.mjs'
import { Chromium } from './lib/browsers.mjs'
import { readPng } from './lib/canvas.mjs'

const server = new Server({ name: 'folder' })
const { referrer1: password } = server.people({ referrer1: 'referrer' })
await server.start()
const api = await new Session(server.url).login('referrer1', password)
const { id: request } = await api.post('/api/v1/requests', {
  patient: { name: '患者', sex: 'unknown' },
  diagnosis: 'x',
})

const COLOURS = [
  [
    [200, 30, 30],
    [30, 200, 30],
  ],
  [
    [30, 30, 200],
    [200, 200, 30],
  ],
]
const scans = join(server.dir, '扫描')
for (const { name, data } of mrxs('切片 1', COLOURS, 16 << 20)) {
  mkdirSync(dirname(join(scans, name)), { recursive: true })
  writeFileSync(join(scans, name), data)
}
writeFileSync(join(scans, '切片 1', 'Stitching.log'), 'not a part')

const at = (testid) => `[data-testid="${testid}"]`
const b = await Chromium.launch({ name: 'folder' })
const page = b.page
await b.cookie(api.cookie, server.url)
await b.goto(`${server.url}/requests/${request}/edit`)
const box = page.locator(at('category-pathology'))
await box.waitFor({ timeout: GIVE_UP_MS })
const devtools = await b.context.newCDPSession(page)
await devtools.send('Network.enable')
const slow = (megabytes) =>
  devtools.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 5,
    downloadThroughput: -1,
    uploadThroughput: megabytes ? megabytes * 1e6 : -1,
  })

/** As the desktop does it: folders too. */
async function drop(...files) {
  await box.scrollIntoViewIfNeeded()
  const { x, y } = await box.boundingBox()
  const data = { items: [], files, dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'])
    await devtools.send('Input.dispatchDragEvent', { type, x: x + 40, y: y + 20, data })
}
const job = () =>
  page.evaluate(() => {
    const row = document.querySelector('[data-testid="upload-job"]')
    return row && { ...row.dataset, done: Number(row.dataset.done), words: row.textContent }
  })
const told = (pattern) =>
  until(`being told ${pattern}`, async () => pattern.test(await page.locator('.el-message').allTextContents()), 15)

await check('one file of a slide, and formats that are not read, are refused at once with what to do', async () => {
  await drop(join(scans, '切片 1.mrxs'))
  await told(/切片 1\.mrxs.*同名文件夹/)
  await drop(join(scans, '切片 1'))
  await told(/切片 1.*还缺同名的 \.mrxs/)
  writeFileSync(join(scans, 'a.kfb'), 'x')
  await drop(join(scans, 'a.kfb'))
  await told(/a\.kfb.*DICOM 或 SVS/)
  execFileSync('rm', [join(scans, 'a.kfb')])
  equal(await job(), null, 'an upload')
})

await check(
  'a dropped folder is one upload, which goes on after a reload when the folder is chosen again',
  async () => {
    const offsets = []
    page.on('request', (r) => {
      if (r.method() === 'PATCH') offsets.push(Number(r.headers()['upload-offset']))
    })
    await slow(4)
    await drop(scans)
    const sent = await until('some of it being sent', async () => {
      const row = await job()
      return row?.state === 'sending' && row.done > 9e6 && row
    })
    equal(sent.name, '切片 1.mrxs.zip')
    await page.screenshot({ path: join(artefacts, 'folder-sending.png') })
    page.on('dialog', (dialog) => dialog.accept())
    await page.reload({ waitUntil: 'domcontentloaded' })
    const cut = await until('the cut-off upload being offered', async () => {
      const row = await job()
      return row?.state === 'interrupted' && row.done > 0 && row
    })
    assert(/文件夹/.test(cut.words), cut.words)
    await box.scrollIntoViewIfNeeded()
    await page.screenshot({ path: join(artefacts, 'folder-interrupted.png') })
    await page.setViewportSize({ width: 390, height: 844 })
    await box.scrollIntoViewIfNeeded()
    await page.screenshot({ path: join(artefacts, 'folder-interrupted-narrow.png') })
    equal(await page.evaluate(() => document.documentElement.scrollWidth), 390, 'pixels of a phone')
    await page.setViewportSize({ width: 1440, height: 900 })
    offsets.length = 0
    await slow(0)
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser', { timeout: GIVE_UP_MS }),
      page.locator(at('upload-choose')).click({ timeout: GIVE_UP_MS }),
    ])
    await chooser.setFiles(scans)
    await page.locator(`${at('file')}[data-kind="slide"]`).waitFor({ timeout: GIVE_UP_MS })
    equal(offsets[0], cut.done, 'the first byte after the cut')
  },
)

await check('the slide opens with its own colours', async () => {
  await page.locator(`${at('file')}[data-state="ready"]`).waitFor({ timeout: GIVE_UP_MS })
  await page.locator(at('file-open')).click({ timeout: GIVE_UP_MS })
  const canvas = page.locator(`${at('file-viewer')} canvas`).first()
  await canvas.waitFor({ timeout: GIVE_UP_MS })
  const near = (pixel, colour) => colour.every((value, i) => Math.abs(pixel[i] - value) <= 12)
  await until('the four colours', async () => {
    const { width, height, channels, data } = readPng(await canvas.screenshot())
    const pixel = (x, y) => [...data.subarray((y * width + x) * channels, (y * width + x) * channels + 3)]
    const side = Math.min(width, height) / 8
    const middle = [width / 2, height / 2].map(Math.round)
    return COLOURS.flat().every((colour, i) =>
      near(
        pixel(Math.round(middle[0] + (i % 2 ? side : -side)), Math.round(middle[1] + (i > 1 ? side : -side))),
        colour,
      ),
    )
  })
  await page.screenshot({ path: join(artefacts, 'folder-open.png') })
})

await b.close()
await server.end()
finish()
