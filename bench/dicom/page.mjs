// A CT of 600 images in Chromium: how soon after the click its first image is there, how long until all are, how fast it scrolls, what the page takes.
// node bench/dicom/page.mjs [--images N] [--opens N] [--json FILE]
// FILE gets the rows {name, goal, measured, unit, …}; the last line of the output is the same.
import { readFileSync, writeFileSync } from 'node:fs'
import { GIVE_UP_MS, equal, option, sleep, until } from '../../tests/lib/check.mjs'
import { ctImage } from '../../tests/lib/dicom.mjs'
import { Session } from '../../tests/lib/rest.mjs'
import { Server } from '../../tests/lib/server.mjs'
import { Chromium } from '../../tests/e2e/lib/browsers.mjs'

const IMAGES = Number(option('images', 600)),
  OPENS = Number(option('opens', 10)),
  BODY = 50,
  SCROLL_MS = 4000,
  PASSWORD = 'Good-pass-1x',
  GOALS = { first_ms: 400, whole_s: 3, per_s: 30, mib: 1500 },
  STUDY = '1.2.826.0.1.3680043.2.1143.21'
const percentile = (list, share) => [...list].sort((a, b) => a - b)[Math.ceil(share * list.length) - 1]
const round2 = (n) => Math.round(100 * n) / 100

const server = new Server({ name: 'bench-dicom-page' })
server.people({ reader1: 'referrer' }, { password: PASSWORD })
await server.start()
const session = await new Session(server.url).login('reader1', PASSWORD)
const request = await session.post('/api/v1/requests', { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' })
for (let i = 0; i < IMAGES; i += BODY) {
  const parts = Array.from({ length: Math.min(BODY, IMAGES - i) }, (_, k) => [
    Buffer.from('\r\n--of-parts\r\nContent-Type: application/dicom\r\n\r\n'),
    ctImage({ study: STUDY, number: i + k + 1, z: i + k, side: 512, value: (x, y) => ((x ^ y) + i + k) & 1023 }),
  ])
  const body = Buffer.concat([...parts.flat(), Buffer.from('\r\n--of-parts--')])
  const headers = { 'Content-Type': 'multipart/related; type="application/dicom"; boundary=of-parts' }
  const answer = await session.call('POST', `/dicom-web/studies?request=${request.number}`, { body, headers })
  equal(answer.status, 200, 'images that are sent')
}

/** Runs in the page: from the click on, of each frame when it was and what the stack says of itself. */
const watch = () => {
  window.__frames = []
  addEventListener('click', () => (window.__clicked = performance.now()), { capture: true, once: true })
  const frame = () => {
    const at = document.querySelector('[data-testid="dicom-stack"]')
    if (at)
      window.__frames.push([
        performance.now(),
        at.dataset.drawn === 'true',
        Number(at.dataset.loaded),
        at.dataset.image,
      ])
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
}

const who = await Chromium.launch({ name: 'reader' })
await who.cookie(session.cookie, server.url)
const opened = []
for (let i = 0; i < OPENS; i++) {
  await who.goto('about:blank')
  const devtools = await who.context.newCDPSession(who.page)
  await devtools.send('Network.clearBrowserCache')
  await devtools.detach()
  await who.goto(`${server.url}/requests/${request.id}`)
  const button = who.page.locator('[data-testid="study-open"]').first()
  await button.waitFor({ timeout: GIVE_UP_MS })
  await sleep(1000)
  await who.eval(watch)
  await button.click()
  await until('all images', () => who.eval(`window.__frames.at(-1)?.[2] === ${IMAGES}`), 60, 50)
  const [all, clicked] = [await who.eval('window.__frames'), await who.eval('window.__clicked')]
  const since = (is) => all.find(is)[0] - clicked
  opened.push({ first: since(([, drawn]) => drawn), whole: since(([, , loaded]) => loaded === IMAGES) })
}

// the wheel as fast as a hand turns it, and faster; what counts is how many other images were drawn
const box = await who.page.locator('[data-testid="dicom-stack"]').boundingBox()
await who.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
await who.page.keyboard.press('Home')
await until('the first', () => who.eval(`window.__frames.at(-1)[3] === '1'`))
await who.eval('window.__frames.length = 0')
const end = performance.now() + SCROLL_MS
while (performance.now() < end) await who.page.mouse.wheel(0, 40)
const scrolled = await who.eval('window.__frames')
const seen = new Set(scrolled.filter(([, drawn]) => drawn).map(([, , , image]) => image)).size
const browser = await who.context.browser().newBrowserCDPSession()
const { processInfo } = await browser.send('SystemInfo.getProcessInfo')
const kib = processInfo
  .filter(({ type }) => type === 'renderer')
  .map(({ id }) => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, 'utf8'))[1]))
await who.close()
await server.stop()

const row = (name, what, goal, goal_is, measured, unit, samples) => ({
  name,
  what,
  goal,
  goal_is,
  measured: round2(measured),
  unit,
  peer: null,
  floor: null,
  ok: goal_is === 'at most' ? measured <= goal : measured >= goal,
  samples,
})
const of = `a CT of ${IMAGES} images in Chromium, nothing of it kept`
const rows = [
  row('dicom_first_image_p95', `${of}: from the click to the first image`, GOALS.first_ms, 'at most', percentile(opened.map((one) => one.first), 0.95), 'ms', opened), // prettier-ignore
  row('dicom_whole_series', `${of}: from the click until all images are there, the median`, GOALS.whole_s, 'at most', percentile(opened.map((one) => one.whole), 0.5) / 1000, 's'), // prettier-ignore
  row('dicom_scrolling', 'other images that are drawn a second while the wheel turns', GOALS.per_s, 'at least', seen / (SCROLL_MS / 1000), 'images'), // prettier-ignore
  row('dicom_page_memory', "the page's process with the whole series", GOALS.mib, 'at most', Math.max(...kib) / 1024, 'MiB'), // prettier-ignore
]
if (option('json', '')) writeFileSync(option('json', ''), JSON.stringify(rows) + '\n')
console.log(JSON.stringify(rows))
process.exit(rows.every(({ ok }) => ok) ? 0 : 1)
