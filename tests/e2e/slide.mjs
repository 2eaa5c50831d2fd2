// One slide under a person's hands, in real browsers: turned, mirrored, at an objective's magnification, measured; judged by its pixels.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Server, root } from '../lib/server.mjs'
import { Chromium, Remote } from './lib/browsers.mjs'
import { Slide } from './lib/canvas.mjs'
import { judged, named, openFile, rests, withoutScale } from './lib/slide.mjs'
import { GIVE_UP_MS, Skip, check, assert, equal, finish, until } from '../lib/check.mjs'

const server = new Server({ name: 'slide' })
let api, request, slide, source, info, desk, small, plain

async function end() {
  await desk?.close().catch(() => {})
  await server.stop()
  finish()
}
/** What everything after it stands on. */
const must = async (...args) => {
  if (!(await check(...args))) await end()
}

await must('a slide of a request, opened over the whole screen', async () => {
  server.init()
  server.people({ keeper01: 'audit_admin' })
  await server.start()
  api = await server.login('expert01')
  const { items } = await api.get('/api/v1/requests?tab=pending')
  request = items.find((r) => r.state === 'SCHEDULED').id
  slide = (await api.get(`/api/v1/requests/${request}`)).files.find((f) => f.kind === 'slide').id
  source = new Slide(server.slide)
  small = join(server.dir, 'small.tif')
  execFileSync(join(dirname(server.bin), 'consilium-demo-slide'), [small, '3000', '2000', '7'])
  info = await api.get(`/slides/${slide}/info.json`)
  desk = await Chromium.launch({ name: 'desk' })
  await desk.cookie(api.cookie, server.url)
  await openFile(desk, server.url, request, slide)
})

const untilReady = () =>
  until('the slides being looked into', async () =>
    (await api.get(`/api/v1/requests/${request}`)).files.every((f) => f.kind !== 'slide' || f.state === 'ready'),
  )

/** Every square of the canvas is what OpenSlide has there. */
async function asOpenSlide(what, who = desk) {
  const worst = await judged(who, source)
  assert(worst, `${what}: tissue on screen`)
  equal(worst.shift, [0, 0], `${what}: shift in pixels`)
  assert(worst.mean < worst.texture / 2 && worst.mean < 6, `${what}: ${worst.mean.toFixed(1)} grey levels off`)
}
const press = async (key) => {
  await desk.page.keyboard.press(key)
  return rests(desk)
}
async function zoomIn(times) {
  for (let i = 0; i < times; i++) await desk.click('view-zoom-in')
  return rests(desk)
}

await must('the slide turns by 90 degrees and mirrors, and every pixel is where it belongs', async () => {
  await zoomIn(4)
  await asOpenSlide('upright')
  await desk.click('view-rotate')
  equal((await rests(desk)).region.rotation, 90, 'rotation')
  await asOpenSlide('turned')
  await desk.click('view-mirror')
  equal((await rests(desk)).region.mirror, true, 'mirror')
  await asOpenSlide('turned and mirrored')
})

await check('mirrored, the right of the screen is where a drag, the wheel and a double click act', async () => {
  const before = await rests(desk)
  const [x, y] = [before.x + before.width * 0.75, before.y + before.height * 0.4]
  const under = (p) => source.place({ ...p, scale: p.region.w / p.width }, x - p.x, y - p.y)
  const near = (a, b, scale) => Math.hypot(a[0] - b[0], a[1] - b[1]) / scale
  await desk.page.mouse.move(x, y)
  await desk.page.mouse.wheel(0, -120)
  let now = await rests(desk)
  assert(now.region.w < before.region.w, 'the wheel zooms')
  assert(near(under(now), under(before), now.region.w / now.width) < 1.5, 'about the point under the mouse')
  await desk.page.mouse.dblclick(x, y)
  now = await rests(desk)
  assert(near(under(now), under(before), now.region.w / now.width) < 1.5, 'a double click as well')
  const held = under(now)
  await desk.page.mouse.down()
  await desk.page.mouse.move(x - 100, y + 60, { steps: 5 })
  await desk.page.mouse.up()
  now = await rests(desk)
  const there = source.place({ ...now, scale: now.region.w / now.width }, x - 100 - now.x, y + 60 - now.y)
  assert(near(there, held, now.region.w / now.width) < 3, 'what is dragged stays under the mouse')
  await asOpenSlide('after that')
})

await check('by keyboard: r, Shift+R, f, u, the arrows and an objective', async () => {
  const plain = await press('u')
  equal([plain.region.rotation, plain.region.mirror], [0, undefined], 'u')
  equal((await press('r')).region.rotation, 90, 'r')
  equal((await press('Shift+R')).region.rotation, 0, 'Shift+R')
  await press('f')
  equal((await press('r')).region.rotation, 270, 'r on what is mirrored: clockwise as seen')
  const before = await press('u')
  await press('ArrowRight')
  const after = await rests(desk)
  assert(Math.abs(after.region.cx - before.region.cx - 60 * (before.region.w / before.width)) < 2, 'an arrow')
  for (const [key, x] of [
    [5, 10],
    [6, 20],
    [7, 40],
  ]) {
    const { region, width } = await press(String(key))
    // as its scanner says: so many times at full size, or ten times for each µm per pixel
    const full = info.objective || 10 / info.mpp_x
    const microns = (region.w / width) * info.mpp_x
    const want = (full / x) * info.mpp_x
    assert(Math.abs(microns / want - 1) < 0.005, `${x}×: ${microns} µm per pixel, not ${want}`)
  }
})

await check('the small picture says what was looked at, and how much of the slide that is', async () => {
  const { region } = await press('5')
  const seen = () => desk.eval(`Number(document.querySelector('[data-testid="seen-percent"]').dataset.percent)`)
  // as it was opened, at no more than an overview's magnification, it counts for nothing: what was looked at since is still there
  const before = await seen()
  const share = (100 * region.w * region.h) / (info.width * info.height)
  assert(before >= Math.min(100, share) * 0.9, `${before} % seen; what is on screen is ${share.toFixed(1)} %`)
  const map = await desk.page.locator(named('view-overview')).boundingBox()
  const [x, y] = [map.width * 0.2, map.height * 0.7]
  await desk.page.mouse.click(map.x + x, map.y + y)
  const there = await rests(desk)
  const scale = info.width / map.width
  assert(Math.abs(there.region.cx - x * scale) < 2 * scale, 'a click on it goes there')
  assert(Math.abs(there.region.cy - y * scale) < 2 * scale, 'in both directions')
  await until('more of it seen', async () => (await seen()) > before + 0.5)
  await desk.screenshot('slide-map.png')
})

await check('a slide that says no scale: none is shown until a known length calibrates it, for everybody', async () => {
  const bytes = withoutScale(readFileSync(small))
  plain = await api.upload(request, 'pathology', 'A2 Ki-67.tif', bytes)
  await api.upload(request, 'pathology', 'A10 CD20.tif', readFileSync(small))
  await untilReady()
  await openFile(desk, server.url, request, plain)
  equal(await desk.page.locator(named('no-scale')).textContent(), '无比例尺', 'what stands there')
  equal(await desk.page.locator(named('objectives')).count(), 0, 'objectives without a scale')
  await zoomIn(2)
  await press('r')
  await desk.click('view-mirror')
  const p = await rests(desk)
  await desk.click('view-calibrate')
  const [a, b] = [
    [p.x + 300, p.y + 300],
    [p.x + 700, p.y + 600],
  ]
  await desk.page.mouse.click(...a)
  await desk.page.mouse.click(...b)
  const pixels = (Math.hypot(400, 300) * p.region.w) / p.width
  await desk.fill('calibrate-length', '0,5')
  await desk.page.locator(named('calibrate-save')).click()
  const scale = named('view-scale')
  const bar = () => desk.eval(`(({ microns, pixels }) => microns / pixels)(document.querySelector('${scale}').dataset)`)
  await until('a scale bar', async () => (await bar()) > 0)
  const wanted = (500 / pixels) * (p.region.w / p.width)
  assert(Math.abs((await bar()) / wanted - 1) < 0.005, `${await bar()} µm per CSS pixel, not ${wanted}`)
  const { calibration } = await api.get(`/slides/${plain}/calibration`)
  assert(Math.abs(calibration.mpp / (500 / pixels) - 1) < 0.005, `${calibration.mpp} µm per pixel`)
  const other = await server.login('doctor01')
  equal((await other.get(`/slides/${plain}/calibration`)).calibration.by, calibration.by, 'what the referrer sees')
  assert((await desk.page.locator(named('calibrated')).textContent()).includes(calibration.by), 'whose scale it is')
  await other.put(`/slides/${plain}/calibration`, { pixels: 100, microns: 25 })
  const again = (0.25 * p.region.w) / p.width
  await until('the scale that another measured', async () => Math.abs((await bar()) / again - 1) < 0.005)
  calibration.mpp = 0.25
  const line = {
    id: 'length-1',
    kind: 'distance',
    points: [
      [10, 10],
      [110, 10],
    ],
    colour: '#cc0000',
  }
  await api.post(`/api/v1/files/${plain}/marks`, line)
  const [feature] = (await api.get(`/api/v1/files/${plain}/marks.geojson`)).features
  const said = feature.properties.measurements['Length µm']
  assert(Math.abs(said / (100 * calibration.mpp) - 1) < 1e-4, `${said} µm in the export, not ${100 * calibration.mpp}`)
})

await check('the tray: slides as a person counts them, which were looked at, and keys for the next', async () => {
  const tray = () =>
    desk.eval(
      `[...document.querySelectorAll('${named('tray-slide')}')].map((one) => one.innerText.replace(/\\s+/g, ' ').trim())`,
    )
  const names = await tray()
  equal(
    names.map((name) => name.split(' ').slice(0, 2).join(' ')).filter((name) => /^A/.test(name)),
    ['A2 Ki-67', 'A10 CD20'],
    'block and stain',
  )
  const open = () => desk.eval(`document.querySelector('${named('file-viewer')}').dataset.file`)
  equal(await open(), plain, 'open')
  await press('PageDown')
  assert((await open()) !== plain, 'Page Down opens the next slide')
  await press('PageUp')
  equal(await open(), plain, 'Page Up the one before')
  const seen = await desk.eval(
    `[...document.querySelectorAll('${named('tray-slide')}')].map((one) => one.dataset.seen)`,
  )
  equal(seen.filter((one) => one === 'true').length, 2, 'looked at')
  equal(await desk.page.locator(named('tray-count')).textContent(), `2/${names.length}`, 'how many')
})

await check('two fingers turn the picture on a touch screen, about the place that they hold', async () => {
  const phone = await Chromium.launch({
    name: 'phone',
    locale: 'en-US',
    mobile: true,
    viewport: { width: 390, height: 844 },
  })
  try {
    await phone.cookie(api.cookie, server.url)
    const p = await openFile(phone, server.url, request, slide)
    const cdp = await phone.context.newCDPSession(phone.page)
    const middle = [p.x + p.width / 2 - 40, p.y + p.height / 2 - 60]
    const at = (degrees, radius) =>
      [0, 180].map((side, id) => {
        const a = ((degrees + side) * Math.PI) / 180
        return { x: middle[0] + radius * Math.cos(a), y: middle[1] + radius * Math.sin(a), id }
      })
    const touch = (type, touchPoints) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints })
    await touch('touchStart', at(0, 60))
    for (let i = 1; i <= 20; i++) await touch('touchMove', at(i * 4, 60 + 2 * i))
    await touch('touchEnd', [])
    const now = await rests(phone)
    // 80 degrees, less those by which it shows that it turns
    assert(Math.abs(now.region.rotation - 72) <= 5, `turned by ${now.region.rotation}`)
    assert(Math.abs(p.region.w / now.region.w - 100 / 60) < 0.1, `zoomed by ${p.region.w / now.region.w}`)
    const under = (view) =>
      source.place({ ...view, scale: view.region.w / view.width }, middle[0] - view.x, middle[1] - view.y)
    const [before, after] = [under(p), under(now)]
    const off = Math.hypot(before[0] - after[0], before[1] - after[1]) / (now.region.w / now.width)
    assert(off < 4, `the place between the fingers moved by ${off} pixels`)
    assert(await phone.visible('turn-sign'), 'a sign that it is turned')
    await phone.screenshot('slide-390.png')
    await phone.click('turn-sign')
    equal((await rests(phone)).region.rotation, 0, 'which a tap undoes')
  } finally {
    await phone.close()
  }
})

await check('label and whole glass: for who sees the name, on his own screen', async () => {
  const from = join(root, '../shared/data/wsi/CMU-1-Small-Region.svs')
  if (!existsSync(from)) throw new Skip('no ../shared/data')
  const real = await api.upload(request, 'pathology', 'B1 HE.svs', readFileSync(from))
  await untilReady()
  await openFile(desk, server.url, request, real)
  await desk.click('slide-label')
  const size = `(() => { const one = document.querySelector('${named('slide-label-picture')}'); return one?.complete && [one.naturalWidth, one.naturalHeight] })()`
  equal(await until('the label', () => desk.eval(size)), [387, 463], 'its pixels')
  await desk.screenshot('slide-1440.png')
  const keeper = await server.login('keeper01')
  for (const which of ['label', 'macro']) {
    equal(
      (await api.call('GET', `/slides/${real}/${which}`)).headers['cache-control'],
      'no-store',
      'what a browser keeps',
    )
    equal((await keeper.call('GET', `/slides/${real}/${which}`)).status, 403, `${which} for who sees no patients`)
  }
})

await check('in the room: who presents changes the slide for all, and no label stands on what all see', async () => {
  const { room } = await api.post(`/api/v1/requests/${request}/room`)
  await desk.goto(`${server.url}/room/${room}`)
  await desk.click('room-enter')
  const { files } = await api.get(`/api/v1/requests/${request}`)
  const labelled = files.find((f) => f.name === 'B1 HE.svs')?.id ?? plain
  const act = (file, what) =>
    desk.page
      .locator(`${named('room-file')}[data-file="${file}"] ${named(`room-${what}`)}`)
      .click({ timeout: GIVE_UP_MS })
  const shared = () => desk.eval(`document.querySelector('${named('shared-view')}')?.dataset.file`)
  await act(labelled, 'show')
  await until('the slide shown to all', async () => (await shared()) === labelled)
  await rests(desk)
  equal(await desk.page.locator(named('slide-label')).count(), 0, 'labels on the shared view')
  await desk.click('slide-previous')
  await until('another slide shown to all', async () => ![labelled, undefined].includes(await shared()))
  await rests(desk)
  await act(labelled, 'look')
  await until('the label on what one looks at alone', async () =>
    labelled === plain ? true : desk.visible('slide-label'),
  )
  await desk.screenshot('slide-room.png')
})

await check('Firefox turns and mirrors it the same way', async () => {
  const fox = await Remote.launch(null, { kind: 'firefox', name: 'Firefox' })
  try {
    await fox.cookie(api.cookie, server.url)
    await openFile(fox, server.url, request, slide)
    for (let i = 0; i < 4; i++) await fox.click('view-zoom-in')
    await rests(fox)
    await fox.click('view-mirror')
    await fox.click('view-rotate')
    const { region } = await rests(fox)
    equal([region.rotation, region.mirror], [270, true], 'turned clockwise as seen')
    await asOpenSlide('Firefox', fox)
  } finally {
    await fox.close()
  }
})

await end()
