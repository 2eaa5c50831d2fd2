// Pictures of places on a slide in the report, in a real browser: taken, cited, signed, and a click that leads back to the place.
import { execFileSync } from 'node:child_process'
import { Server } from '../lib/server.mjs'
import { Chromium } from './lib/browsers.mjs'
import { named, rests } from './lib/slide.mjs'
import { listening } from '../lib/offer.mjs'
import { Socket } from '../lib/socket.mjs'
import { assert, check, equal, finish, until } from '../lib/check.mjs'

const server = new Server({ name: 'figures' })
let expert, request, slide, desk, taken

/** Both sides meet in the room, and the expert ends it. */
async function talked(id) {
  const { room } = await expert.post(`/api/v1/requests/${id}/room`)
  const inside = []
  for (const { cookie } of [await server.login('doctor01'), expert]) {
    const socket = await Socket.open(server.url, { cookie })
    assert((await socket.call('room.join', { room, device: 'phone', ...listening() })).result, 'inside')
    inside.push(socket)
  }
  await until('the beginning', async () => (await expert.get(`/api/v1/requests/${id}`)).state === 'IN_SESSION')
  await expert.post(`/api/v1/requests/${id}/finish`)
  for (const socket of inside) socket.close()
}

await check('the lead expert looks at a slide beside the report and takes a picture', async () => {
  server.init()
  await server.start()
  expert = await server.login('expert01')
  const { items } = await expert.get('/api/v1/requests?tab=pending')
  const { id } = items.find(({ state }) => state === 'SCHEDULED')
  await talked(id)
  request = await expert.get(`/api/v1/requests/${id}`)
  slide = request.files.find((file) => file.kind === 'slide')
  desk = await Chromium.launch({ name: 'desk' })
  await desk.cookie(expert.cookie, server.url)
  await desk.goto(`${server.url}/requests/${request.id}/report`)
  await desk.fill('report-findings', '腺体异型')
  await desk.page.locator(`${named('file')}[data-file="${slide.id}"] ${named('file-open')}`).click()
  await rests(desk)
  for (let i = 0; i < 4; i++) await desk.click('view-zoom-in')
  await desk.click('view-rotate')
  taken = (await rests(desk)).region
  await desk.click('view-picture')
  await until('the picture', () => desk.eval(`document.querySelectorAll('${named('report-figure')}').length === 1`))
  await desk.screenshot('figure-taking.png')
})

await check('it stands below the findings, gets a caption, and its number is cited where the caret was', async () => {
  await desk.click('file-viewer-close')
  await desk.page.locator(named('figure-caption')).fill('异型腺体，核分裂多见')
  await desk.click('figure-cite')
  await until('kept', async () => {
    const report = await expert.get(`/api/v1/requests/${request.id}/report`)
    return report?.figures[0]?.caption === '异型腺体，核分裂多见' && report.findings.includes('【图1】')
  })
  await until('its pixels', () =>
    desk.eval(`document.querySelector('${named('report-figure')} img').naturalWidth >= 1000`),
  )
  await desk.screenshot('figure-writing.png')
})

await check('signed, a click on the number in the text leads to the very place', async () => {
  await desk.fill('report-conclusion', '腺癌')
  await desk.click('report-sign')
  await desk.page.locator('.el-message-box__btns .el-button--primary').click()
  await desk.page.locator(named('report-paper')).waitFor()
  await desk.screenshot('figure-signed.png')
  await desk.page.locator(`${named('report-text-findings')} ${named('figure-number')}`).click()
  const { region } = await rests(desk)
  for (const key of ['cx', 'cy']) assert(Math.abs(region[key] - taken[key]) < taken.w / 500, `${key}: ${region[key]}`)
  equal([region.rotation, region.mirror ?? false], [taken.rotation, taken.mirror ?? false], 'how it lies')
  assert(region.w > taken.w * 0.99 && region.h > taken.h * 0.99, 'all of it is seen')
  assert(region.w < taken.w * 1.6 || region.h < taken.h * 1.6, 'and little more')
})

await check('the printed report has the picture', async () => {
  const { body } = await expert.call('GET', `/api/v1/requests/${request.id}/report.pdf`)
  const words = execFileSync('pdftotext', ['-layout', '-', '-'], { input: body, encoding: 'utf8' })
  assert(words.includes('图1') && words.includes('异型腺体，核分裂多见'), 'its caption')
  const images = execFileSync('pdfimages', ['-list', '-'], { input: body, encoding: 'utf8' })
  equal(images.match(/ jpeg /g)?.length, 1, 'pictures')
})

await check('on a phone the report and its picture fit', async () => {
  const phone = await Chromium.launch({ name: 'phone', viewport: { width: 390, height: 844 } })
  await phone.cookie(expert.cookie, server.url)
  await phone.goto(`${server.url}/requests/${request.id}/report`)
  await phone.page.locator(named('report-figure')).scrollIntoViewIfNeeded()
  assert(await phone.eval('document.documentElement.scrollWidth <= innerWidth'), 'wider than the phone')
  await phone.screenshot('figure-phone.png')
  await phone.close()
})

await desk?.close().catch(() => {})
await server.stop()
finish()
