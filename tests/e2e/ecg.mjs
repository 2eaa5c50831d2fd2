// An ECG of known intervals and amplitudes: uploaded as each device writes it, measured with calipers on its own paper, to size after a card was held to the
// screen, printed to scale.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, check, equal, finish, until } from '../lib/check.mjs'
import { Server, root, sanitized } from '../lib/server.mjs'
import { Chromium, Remote } from './lib/browsers.mjs'

const server = new Server({ name: 'ecg' })
const scratch = mkdtempSync(join(tmpdir(), 'consilium-ecg-'))
const open = {}
let referrer, request
const files = {}

async function end() {
  for (const who of Object.values(open)) await who.close().catch(() => {})
  await server.stop()
  rmSync(scratch, { recursive: true, force: true })
  finish()
}
const must = async (...args) => {
  if (!(await check(...args))) await end()
}

const made = (kind, seconds = 10) => {
  const path = join(scratch, `${kind}-${seconds}`)
  execFileSync(join(root, 'build', sanitized, 'consilium-demo-ecg'), [kind, path, String(seconds)])
  return readFileSync(path)
}
const near = (value, wanted, within, what) =>
  assert(Math.abs(value - wanted) <= within, `${what}: ${value} instead of ${wanted}`)
const sheet = (who) =>
  who.eval(`(() => {
    const box = document.querySelector('[data-testid="ecg-sheet"] canvas.ink')?.getBoundingClientRect()
    const all = document.querySelector('[data-testid="ecg-sheet"]')
    return box && all.dataset.drawn ? { x: box.left, y: box.top, width: box.width, pixels: Number(all.dataset.pixels) } : null
  })()`)
const text = (who, testid) => who.eval(`document.querySelector('[data-testid="${testid}"]')?.innerText ?? ''`)
const number = async (who, testid) => Number(/-?[\d.]+/.exec((await text(who, testid)).replace(/^.*?[）)]/, ''))?.[0])

async function look(who, api, file) {
  await who.cookie(api.cookie, server.url)
  await who.goto(`${server.url}/requests/${request}`)
  const place = `[data-testid="file"][data-file="${file}"] [data-testid="file-open"]`
  await until(`${who.name}: the file in the list`, () => who.eval(`!!document.querySelector('${place}')`), 20)
  await who.eval(`document.querySelector('${place}').click()`)
  await until(`${who.name}: the paper`, () => sheet(who), 20)
}

/* The rhythm strip, 3 × 4 + 1: its first sample 15 mm from the left, its zero line 110 mm from the top. */
const PLACE = { x: 15, y: 5 + 3.5 * 30 }
async function caliper(who, kind, from, to) {
  await who.click(`ecg-tool-${kind}`)
  const at = await sheet(who)
  const x = (second) => at.x + (PLACE.x + second * 25) * at.pixels
  const y = at.y + PLACE.y * at.pixels
  await who.page.mouse.move(x(from), y)
  await who.page.mouse.down()
  await who.page.mouse.move(x(to), y, { steps: 3 })
  await who.page.mouse.up()
  await who.click(`ecg-tool-${kind}`)
}

await must('an ECG of each kind is taken and becomes a sheet', async () => {
  server.init()
  await server.start()
  referrer = await server.login('doctor01')
  request = (
    await referrer.post('/api/v1/requests', {
      urgency: 'ordinary',
      patient: { name: '王小明', sex: 'male', birth_date: '1966-03-08' },
      diagnosis: '心悸',
      question: '请阅图',
    })
  ).id
  const kinds = {
    'rest.dcm': 'dicom',
    'rest.xml': 'aecg',
    'export.xml': 'muse',
    'rest.scp': 'scp',
    'old.scp': 'scp-residues',
  }
  for (const [name, kind] of Object.entries(kinds))
    files[name] = await referrer.upload(request, 'ecg', name, made(kind))
  files['day.dcm'] = await referrer.upload(request, 'ecg', 'day.dcm', made('dicom', 600))
  for (const [name, id] of Object.entries(files)) {
    const file = await until(
      name,
      async () => {
        const one = await referrer.get(`/api/v1/files/${id}`)
        assert(one.state !== 'failed', `${name} failed`)
        return one.state === 'ready' && one
      },
      30,
    )
    equal([file.kind, file.type.startsWith('application/x-ecg-')], ['document', true], name)
  }
})

await must('a damaged one is refused in the list, and nothing of it is left', async () => {
  const bytes = made('scp')
  bytes[5000] ^= 0x55
  const id = await referrer.upload(request, 'ecg', 'damaged.scp', bytes)
  await until('it failed', async () => (await referrer.get(`/api/v1/files/${id}`)).state === 'failed', 30)
  equal((await referrer.call('GET', `/api/v1/files/${id}/ecg`)).status, 404, 'status')
})

await must('the paper printed is to scale', async () => {
  const answer = await referrer.call('GET', `/api/v1/files/${files['rest.scp']}/pdf`)
  const path = join(scratch, 'sheet.pdf')
  writeFileSync(path, answer.body)
  // 10 pixels a millimetre; black is ink, the grid is not
  execFileSync('pdftoppm', ['-r', '254', '-gray', '-singlefile', path, join(scratch, 'sheet')])
  const raw = readFileSync(join(scratch, 'sheet.pgm'))
  const [, width, height] = /^P5\s+(\d+)\s+(\d+)\s+255\s/.exec(raw.subarray(0, 40).toString('latin1')).map(Number)
  const pixels = raw.subarray(raw.length - width * height)
  // the rhythm strip lies in the lowest quarter of the grid, between 147.5 and 190 mm; its R peaks are its highest ink, ten of them to the millimetre
  const tops = []
  for (let x = 300; x < width - 240; x++) {
    let y = 1480
    while (y < 1890 && pixels[y * width + x] > 90) y++
    tops.push(y)
  }
  const zero = tops.slice().sort((a, b) => a - b)[tops.length >> 1]
  const peaks = []
  // beyond the lead's name
  for (let i = 1; i < tops.length - 1; i++)
    if (
      zero - tops[i] > 80 &&
      tops[i] <= tops[i - 1] &&
      tops[i] < tops[i + 1] &&
      (!peaks.length || i - peaks.at(-1) > 100)
    )
      peaks.push(i)
  equal(peaks.length >= 12, true, 'peaks')
  const apart = (peaks[11] - peaks[0]) / 11
  near(apart, 200, 1, 'pixels between two beats of 0.8 s')
  near(zero - Math.min(...tops), 100, 3, 'pixels of 1 mV')
})

await must('two browsers', async () => {
  ;[open.desk, open.firefox] = await Promise.all([
    Chromium.launch({ name: 'desk', viewport: { width: 1440, height: 900 } }),
    Remote.launch(null, { kind: 'firefox', name: 'firefox' }),
  ])
})

await check('calipers say intervals, four QTc, rate and axis as they are', async () => {
  const { desk } = open
  await look(desk, referrer, files['rest.scp'])
  await caliper(desk, 'rr', 0.4, 1.2)
  await caliper(desk, 'pr', 1.0, 1.16)
  await caliper(desk, 'qrs', 1.16, 1.25)
  await caliper(desk, 'qt', 1.96, 2.32)
  // a pixel is 8 ms at most on this screen
  const step = 1000 / (25 * (await sheet(desk)).pixels) + 1
  for (const [kind, ms] of [
    ['rr', 800],
    ['pr', 160],
    ['qrs', 90],
    ['qt', 360],
  ])
    near(
      1000 * (await desk.eval(`Number(document.querySelector('[data-testid="ecg-value-${kind}"]').dataset.seconds)`)),
      ms,
      step,
      kind,
    )
  near(await number(desk, 'ecg-rate'), 75, 1, 'rate')
  near(await number(desk, 'ecg-qtc-bazett'), 402, 2 * step, 'Bazett')
  near(await number(desk, 'ecg-axis'), 53, 4, 'axis')
  await desk.click('ecg-march')
  await desk.screenshot('ecg-measured.png')
})

await check('layouts, speeds, filters and an earlier ECG beneath', async () => {
  const { desk } = open
  const select = (testid, value) => desk.page.locator(`[data-testid="${testid}"]`).selectOption(value)
  for (const layout of ['3x4+3', '6x2', '12x1']) {
    await select('ecg-layout', layout)
    await until(layout, () => sheet(desk))
  }
  await select('ecg-speed', '50')
  await desk.click('ecg-filter-mains')
  await until('the filter is told', async () => (await text(desk, 'ecg-filtered')).includes('50 Hz'))
  await select('ecg-compare', files['rest.dcm'])
  await until('the other', async () => (await desk.eval('document.body.innerText')).includes('rest.dcm'))
  await desk.screenshot('ecg-compared.png')
  await select('ecg-layout', '3x4+1')
  await select('ecg-speed', '25')
})

await check('to size only after a card was held to the screen', async () => {
  const { desk } = open
  equal(await text(desk, 'ecg-size'), '非实际大小', 'said')
  await desk.click('ecg-true')
  await desk.page.locator('[data-testid="ecg-card-size"]').fill('5')
  const wide = await desk.eval(`document.querySelector('[data-testid="ecg-card-frame"]').getBoundingClientRect().width`)
  near(wide, 428, 1, 'the frame of the card')
  await desk.screenshot('ecg-card.png')
  await desk.click('ecg-card-keep')
  await until('to size', async () => (await text(desk, 'ecg-size')).includes('1:1'))
  equal((await sheet(desk)).pixels, 5, 'pixels of a millimetre')
})

await check('a long recording is gone through by its trend and keys', async () => {
  const { desk } = open
  await look(desk, referrer, files['day.dcm'])
  await until('the trend', () => desk.visible('ecg-trend'))
  await desk.page.keyboard.press('PageDown')
  await until('ten seconds on', async () => (await text(desk, 'ecg-at')).includes('10–20'))
  await desk.page.keyboard.press('End')
  await until('the end', async () => (await text(desk, 'ecg-at')).includes('590–600'))
  await desk.screenshot('ecg-long.png')
})

await check('Firefox draws it, and a phone does', async () => {
  await look(open.firefox, referrer, files['rest.xml'])
  equal(
    await text(open.firefox, 'ecg-machine').then((words) => words.includes('窦性心律')),
    true,
    'what the device said',
  )
  open.phone = await Chromium.launch({ name: 'phone', viewport: { width: 390, height: 844 }, hasTouch: true })
  await look(open.phone, referrer, files['export.xml'])
  await open.phone.screenshot('ecg-phone.png')
})

await end()
