// DICOM images in a real browser: sent by the page, scrolled, windowed, measured; judged by the pixels on screen.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ctImage } from '../lib/dicom.mjs'
import { Server } from '../lib/server.mjs'
import { Chromium, Remote } from './lib/browsers.mjs'
import { readPng } from './lib/canvas.mjs'
import { named } from './lib/slide.mjs'
import { assert, check, equal, finish, until } from '../lib/check.mjs'

const STUDY = '1.2.826.0.1.3680043.2.1143.9'
const [COUNT, SIDE, SPACING] = [20, 256, 0.8]
const server = new Server({ name: 'dicom' })
const OWN = `${named('study-open')}[data-study="${STUDY}"]` // beside the demo's
let expert, request, desk
const own = async () => (await expert.get(`/api/v1/requests/${request}`)).studies.find(({ uid }) => uid === STUDY)

/* Air; a disc of 60 mm of water; in it a rod of bone of 10 mm at the right, whose height says which image it is. */
const phantom = (number) => (x, y) => {
  const mm = (a, b) => Math.hypot(x - a, y - b) * SPACING
  if (mm(170, 60 + 6 * number) < 5) return 700
  return mm(128, 128) < 60 ? 0 : -1000
}
const names = Array.from({ length: COUNT }, (_, i) => {
  const path = join(server.dir, `IM${String(i).padStart(3, '0')}`)
  writeFileSync(
    path,
    ctImage({ study: STUDY, number: i + 1, z: 5 * i, side: SIDE, spacing: SPACING, value: phantom(i) }),
  )
  return path
})

const stack = (who = desk) =>
  who.eval(`(() => { const at = document.querySelector('${named('dicom-stack')}'); if (!at) return null
    const box = at.getBoundingClientRect()
    return { ...at.dataset, x: box.x, y: box.y, width: box.width, height: box.height } })()`)
const drawn = (who = desk) =>
  until('the image on screen', async () => {
    const now = await stack(who)
    return now?.drawn === 'true' && now
  })
/** Where a pixel of the image is on the page. */
function place({ x, y, matrix }, column, row) {
  const [a, b, c, d, e, f] = JSON.parse(matrix)
  return [x + a * column + c * row + e, y + b * column + d * row + f]
}
/** The grey of the canvas at a pixel of the image. */
async function grey(column, row, who = desk) {
  const now = await drawn(who)
  const url = await who.eval(`document.querySelector('${named('dicom-canvas')}').toDataURL('image/png')`)
  const png = readPng(Buffer.from(url.split(',')[1], 'base64'))
  const [x, y] = place({ ...now, x: 0, y: 0 }, column, row).map((n) => Math.round((n * png.width) / now.width))
  return png.rgb ? png.rgb[3 * (y * png.width + x)] : png.data[4 * (y * png.width + x)]
}
const near = (found, wanted, within, what) =>
  assert(Math.abs(found - wanted) <= within, `${what}: ${found}, not ${wanted}`)
/** A pixel of the image gets that grey: the picture follows a key or a click within a frame or a few. */
const shows = (column, row, wanted, what, who = desk) =>
  until(`${what}: ${wanted}`, async () => Math.abs((await grey(column, row, who)) - wanted) <= 1.5)

await check('images are sent by the page, and the request lists their study', async () => {
  server.init()
  await server.start()
  expert = await server.login('expert01')
  const { items } = await expert.get('/api/v1/requests?tab=pending')
  request = items.find(({ state }) => state === 'SCHEDULED').id
  desk = await Chromium.launch({ name: 'desk' })
  await desk.cookie(expert.cookie, server.url)
  await desk.goto(`${server.url}/requests/${request}`)
  await desk.page.locator(named('studies-input')).setInputFiles(names)
  await until('the study', () => desk.eval(`!!document.querySelector('${OWN}')`))
  const { instances, modalities } = await own()
  equal([instances, modalities], [COUNT, ['CT']], 'what is there')
  await desk.screenshot('dicom-list.png')
})

await check('the middle image opens first, windowed as it says', async () => {
  await desk.page.locator(OWN).click()
  const now = await drawn()
  equal([now.image, now.window], [String(COUNT / 2 + 1), '40,400'], 'image and window')
  await shows(128, 128, 255 * ((0 - 39.5) / 399 + 0.5), 'water')
  await shows(5, 5, 0, 'air')
  await shows(170, 120, 255, 'bone')
  await until('all of them', async () => (await stack()).loaded === String(COUNT))
  await desk.screenshot('dicom-viewer.png')
})

await check('wheel, keys and presets: another image, another window', async () => {
  const { x, y, width, height } = await stack()
  await desk.page.mouse.move(x + width / 2, y + height / 2)
  await desk.page.mouse.wheel(0, 40)
  await until('the next', async () => (await stack()).image === String(COUNT / 2 + 2))
  await desk.page.keyboard.press('Home')
  await until('the first', async () => (await stack()).image === '1')
  await shows(170, 60, 255, 'the rod of the first image')
  await desk.click('dicom-preset-lung')
  await shows(5, 5, 255 * ((-1000 + 600.5) / 1499 + 0.5), 'air in the window of the lung')
  await desk.click('dicom-invert')
  await shows(5, 5, 255 - 255 * ((-1000 + 600.5) / 1499 + 0.5), 'inverted')
  await desk.click('dicom-reset')
})

await check('a known length and known densities are measured as they are, zoomed and turned', async () => {
  await desk.page.keyboard.press('r')
  await desk.page.keyboard.press('+')
  const now = await drawn()
  const drag = async (from, to) => {
    await desk.page.mouse.move(...place(now, ...from))
    await desk.page.mouse.down()
    await desk.page.mouse.move(...place(now, ...to), { steps: 4 })
    await desk.page.mouse.up()
  }
  await desk.click('dicom-tool-length')
  await drag([78, 128], [178, 128])
  await desk.click('dicom-tool-ellipse')
  await drag([100, 100], [140, 140])
  const words = await desk.eval(
    `[...document.querySelectorAll('${named('dicom-measure')}')].map((one) => one.textContent)`,
  )
  near(parseFloat(words[0]), 80, 0.4, 'mm')
  const [, mean, deviation, area] = /(-?[\d.]+) ± ([\d.]+) HU.* ([\d.]+) cm²/.exec(words[1]).map(Number)
  equal([mean, deviation], [0, 0], 'water')
  near(area, (Math.PI * 16 * 16) / 100, 0.2, 'cm²')
  await desk.screenshot('dicom-measured.png')
  await desk.page.keyboard.press('Escape')
  equal(await stack(), null, 'closed')
})

await check('a file that is no image is told, and nothing is added', async () => {
  const path = join(server.dir, 'note.txt')
  writeFileSync(path, 'x'.repeat(400))
  await desk.page.locator(named('studies-input')).setInputFiles([path])
  await until('the word', () => desk.eval(`document.body.innerText.includes('没有找到 DICOM 文件')`))
  equal((await own()).instances, COUNT, 'images')
})

await check('on a phone a finger scrolls, and the page says what it is not for', async () => {
  const phone = await Chromium.launch({ name: 'phone', viewport: { width: 390, height: 844 }, hasTouch: true })
  await phone.cookie(expert.cookie, server.url)
  await phone.goto(`${server.url}/requests/${request}`)
  await phone.page.locator(OWN).click()
  await drawn(phone)
  assert(await phone.eval(`document.body.innerText.includes('不作诊断用')`), 'what it is not for')
  assert(await phone.eval('document.documentElement.scrollWidth <= innerWidth'), 'wider than the phone')
  await phone.screenshot('dicom-phone.png')
  await phone.close()
})

await check('Firefox shows the same greys', async () => {
  const fox = await Remote.launch(null, { kind: 'firefox', name: 'Firefox' })
  await fox.cookie(expert.cookie, server.url)
  await fox.goto(`${server.url}/requests/${request}`)
  await until('the study', () => fox.eval(`!!document.querySelector('${OWN}')`))
  await fox.eval(`document.querySelector('${OWN}').click()`)
  await shows(128, 128, 255 * ((0 - 39.5) / 399 + 0.5), 'water', fox)
  await fox.close()
})

await desk?.close().catch(() => {})
await server.stop()
finish()
