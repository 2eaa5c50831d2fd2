// What somebody sees of the big slide in a browser: how soon after the click its first picture is there, how long a pan waits for tiles, and whether
// anything is blank while one zooms. node bench/tiles/browser.mjs [--slide FILE] [--opens N] [--pans N] [--json FILE]
// The page looks at itself in every frame. The last line is one JSON object.
import { writeFileSync } from 'node:fs'
import { GIVE_UP_MS, equal, option, sleep, until } from '../../tests/lib/check.mjs'
import { Session } from '../../tests/lib/rest.mjs'
import { Server } from '../../tests/lib/server.mjs'
import { Chromium } from '../../tests/e2e/lib/browsers.mjs'
import { bigSlide, upload } from './big.mjs'

const OPENS = Number(option('opens', 20)),
  PANS = Number(option('pans', 40)),
  PASSWORD = 'Good-pass-1x',
  GOALS = { first_ms: 300, pan_ms: 100, blank_frames: 0 }

/** Runs in the page: `__frames` holds of each frame when it was, whether all tiles are there, and how much of the picture's middle is blank. */
const watch = () => {
  const scratch = document.createElement('canvas')
  const context = scratch.getContext('2d', { willReadFrequently: true })
  scratch.width = scratch.height = 64
  const blank = () => {
    const canvas = document.querySelector('[data-testid="picture-host"] canvas')
    if (!canvas?.width) return 1
    // the middle, small: a pixel of it stands for some of the screen's
    const { width, height } = canvas
    context.clearRect(0, 0, 64, 64)
    context.drawImage(canvas, width * 0.3, height * 0.3, width * 0.4, height * 0.4, 0, 0, 64, 64)
    const { data } = context.getImageData(0, 0, 64, 64)
    let n = 0
    for (let i = 3; i < data.length; i += 4) if (data[i] < 250) n++
    return n / 4096
  }
  window.__frames = []
  window.__clicked = 0
  addEventListener('click', () => (window.__clicked = performance.now()), { capture: true, once: true })
  const frame = () => {
    const sharp = document.querySelector('[data-testid="picture"]')?.dataset.sharp === 'true'
    window.__frames.push([performance.now(), sharp, blank()])
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
}

const percentile = (list, share) => [...list].sort((a, b) => a - b)[Math.ceil(share * list.length) - 1]
const server = new Server({ name: 'bench-browser' })
server.people({ reader1: 'referrer' }, { password: PASSWORD })
await server.start()
const session = await new Session(server.url).login('reader1', PASSWORD)
const request = (await session.post('/api/v1/requests', { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' }))
  .id
const slide = await upload(session, request, option('slide', '') || bigSlide())
const who = await Chromium.launch({ name: 'reader' })
await who.cookie(session.cookie, server.url)

const frames = () => who.eval('window.__frames')
const sharp = () => until('all tiles', async () => (await frames()).at(-1)?.[1], 20, 30)

/** From the click in the list of files to the first frame with a picture, to the first one with all its tiles; nothing of it in the browser's cache. */
async function open() {
  await who.goto('about:blank')
  const devtools = await who.context.newCDPSession(who.page)
  await devtools.send('Network.clearBrowserCache')
  await devtools.detach()
  await who.goto(`${server.url}/requests/${request}`)
  const file = who.page.locator(`[data-file="${slide}"] [data-testid="file-open"]`).first()
  await file.waitFor({ timeout: GIVE_UP_MS })
  await sleep(1000)
  await who.eval(watch)
  await file.click({ timeout: GIVE_UP_MS })
  await sharp()
  const [all, clicked] = [await frames(), await who.eval('window.__clicked')]
  const first = (is) => Math.round(all.find(is)[0] - clicked)
  return { first: first(([, , blank]) => blank === 0), whole: first(([, is]) => is) }
}

async function wheel(steps, pause) {
  for (let i = 0; i < Math.abs(steps); i++) {
    await who.page.mouse.wheel(0, steps > 0 ? -120 : 120)
    await sleep(pause)
  }
}

/** The longest stretch of frames in which a tile of the screen was not there, in ms. */
function longestWait(all) {
  let since = null,
    longest = 0
  for (const [at, sharp] of all) {
    if (sharp) since = null
    else longest = Math.max(longest, at - (since ??= at))
  }
  return Math.round(longest)
}

async function pan(i) {
  const [x, y] = [720, 450],
    angle = (i * 2.399) % (2 * Math.PI) // the golden angle: everywhere, never twice
  await who.eval('window.__frames.length = 0')
  await who.page.mouse.move(x, y)
  await who.page.mouse.down()
  await who.page.mouse.move(x + 320 * Math.cos(angle), y + 240 * Math.sin(angle), { steps: 12 })
  await who.page.mouse.up()
  await sleep(300)
  await sharp()
  return longestWait(await frames())
}

const opened = []
for (let i = 0; i < OPENS; i++) opened.push(await open())
await who.page.mouse.move(720, 450)
await wheel(22, 40)
await sharp()
await sleep(1000)
const pans = []
for (let i = 0; i < PANS; i++) pans.push(await pan(i))
await who.eval('window.__frames.length = 0')
for (const steps of [-14, 10, -12, 16, -20, 18]) await wheel(steps, 25)
await sharp()
const zoomed = await frames()
equal(zoomed.length > 60, true, 'frames while zooming')
await who.close()
await server.stop()

const told = {
  first_ms: percentile(
    opened.map((one) => one.first),
    0.95,
  ),
  pan_ms: percentile(pans, 0.95),
  blank_frames: zoomed.filter(([, , blank]) => blank > 0).length,
}
const ok = Object.entries(GOALS).every(([name, goal]) => told[name] <= goal)
const samples = { opened, pans, frames: zoomed.length, blank: zoomed.map(([, , blank]) => blank).filter(Boolean) }
const line = JSON.stringify({ ok, ...told, goals: GOALS, samples })
if (option('json', '')) writeFileSync(option('json', ''), line + '\n')
console.log(line)
process.exit(ok ? 0 : 1)
