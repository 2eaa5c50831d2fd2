// A slide's tiles and colours as one person sees them: which tiles come, which are given up, that nothing is blank, and that colours are those that
// Little CMS makes of the scanner's.
import { Server } from '../lib/server.mjs'
import { Chromium, Remote } from './lib/browsers.mjs'
import { form } from './lib/scene.mjs'
import { difference, patchSlide, scannerProfile, throughLcms } from './lib/scans.mjs'
import { GIVE_UP_MS, assert, check, equal, finish, sleep, until } from '../lib/check.mjs'

const server = new Server({ name: 'tiles' })
const profile = scannerProfile()
/* Of stained tissue, of glass, and such as no stain has. */
const PATCHES = [
  [
    [200, 100, 150],
    [12, 20, 30],
    [240, 238, 242],
    [128, 128, 128],
  ],
  [
    [120, 60, 140],
    [190, 60, 110],
    [250, 200, 220],
    [60, 40, 100],
  ],
  [
    [0, 120, 60],
    [255, 255, 255],
    [230, 160, 200],
    [90, 150, 220],
  ],
]
let doctor, request, demo, scan, plain, flat
let stored = []
const open = {}

const named = (testid) => `[data-testid="${testid}"]`
/** Opens a file of the request as a reader does; waits until it is as sharp as it gets. */
async function look(who, name, file) {
  await who.goto('about:blank')
  await who.goto(`${server.url}/requests/${file === demo ? demo.request : request}`)
  await who.page
    .locator(`[data-file="${file.id ?? file}"] ${named('file-open')}`)
    .first()
    .click({ timeout: GIVE_UP_MS })
  await sharp(who)
}
const sharp = (who) =>
  until(
    'the picture as sharp as it gets',
    () => who.eval(`document.querySelector('${named('picture')}')?.dataset.sharp === 'true'`),
    20,
    30,
  )

/** What is seen and what was drawn under it, at places all over the canvas: [[seen r, g, b], [drawn r, g, b]]. */
const colours = (who) =>
  who.eval(`(() => {
  const host = document.querySelector('${named('picture-host')}'), drawn = host.querySelector('canvas'), seen = host.querySelector('${named('colour-canvas')}') ?? drawn
  const read = (canvas) => { const copy = document.createElement('canvas'); copy.width = canvas.width; copy.height = canvas.height
    const context = copy.getContext('2d', { willReadFrequently: true }); context.drawImage(canvas, 0, 0); return context.getImageData(0, 0, copy.width, copy.height) }
  const a = read(seen), b = read(drawn), out = new Map()
  for (let y = 7; y < a.height; y += 23) for (let x = 7; x < a.width; x += 29) { const i = (y * a.width + x) * 4
    if (b.data[i + 3] === 255) out.set([...b.data.slice(i, i + 3)].join(), [[...a.data.slice(i, i + 3)], [...b.data.slice(i, i + 3)]]) }
  return [...out.values()]
})()`)

/** The worst difference of what is seen from what `of` makes of what was drawn. */
async function worst(who, of) {
  const pairs = await colours(who)
  assert(pairs.length >= 12, `${pairs.length} colours are seen`)
  const wanted = of(pairs.map(([, drawn]) => drawn))
  return Math.max(...pairs.map(([seen], i) => difference(seen, wanted[i])))
}
/** Every colour of the slide, as Chromium drew it from the file, is seen as Little CMS makes it: also where it is not known what was drawn. */
async function shows(who) {
  const wanted = byLcms(stored)
  let off = Infinity
  const look = async () => {
    const seen = (await colours(who)).map(([one]) => one)
    off = Math.max(...wanted.map((colour) => Math.min(...seen.map((one) => difference(one, colour)))))
    return off <= 2
  }
  await until('the colours', look, 5, 100).catch(() => {})
  assert(off <= 2, `a colour is not seen, by dE ${off.toFixed(2)}`)
}
const byLcms = (list) => throughLcms(profile, list)
const asIs = (list) => list
async function within(who, of, what) {
  let off = Infinity
  await until(what, async () => (off = await worst(who, of)) <= 2, 5, 100).catch(() => {})
  assert(off <= 2, `${what}: dE ${off.toFixed(2)}`)
}

await check('a request with slides of a scanner that has a profile', async () => {
  server.init()
  await server.start()
  doctor = await server.login('doctor01')
  const { items } = await doctor.get('/api/v1/requests?tab=pending&size=50')
  for (const item of items) {
    const file = (await doctor.get(`/api/v1/requests/${item.id}`)).files.find((f) => f.kind === 'slide')
    if (file) demo = { id: file.id, request: item.id }
  }
  request = (await doctor.post('/api/v1/requests', form())).id
  scan = await doctor.upload(request, 'pathology', 'scan.tif', patchSlide(PATCHES, { profile }))
  plain = await doctor.upload(
    request,
    'pathology',
    'broken.tif',
    patchSlide(PATCHES, { profile: Buffer.alloc(300, 'x') }),
  )
  flat = await doctor.upload(request, 'pathology', 'flat.tif', patchSlide([[[190, 60, 110]]], { patch: 1536 }))
  for (const file of [scan, plain, flat])
    await until('the slide is ready', async () => (await doctor.get(`/api/v1/files/${file}`)).state === 'ready', 20)
  open.reader = await Chromium.launch({ name: 'reader' })
  await open.reader.cookie(doctor.cookie, server.url)
})

await check('a profile is a table for those who may see the slide, once and for all', async () => {
  const { colour } = await doctor.get(`/slides/${scan}/info.json`)
  equal(colour.size, 33, 'steps')
  const answer = await doctor.call('GET', colour.url)
  equal(answer.body.length, 6 * 33 ** 3, 'bytes')
  assert(/immutable/.test(answer.headers['cache-control']), answer.headers['cache-control'])
  const again = await doctor.call('GET', colour.url, { headers: { 'If-None-Match': answer.headers.etag } })
  equal(again.status, 304, 'the same again')
  equal((await fetch(server.url + colour.url)).status, 401, 'without login')
  equal((await doctor.get(`/slides/${plain}/info.json`)).colour.unreadable, true, 'what is no profile is said')
  equal((await doctor.call('GET', `/slides/${plain}/colour`)).status, 404, 'its table')
  equal((await doctor.get(`/slides/${demo.id}/info.json`)).colour, undefined, 'without a profile')
})

await check('colours on screen are within dE 2 of what Little CMS makes of them', async () => {
  await look(open.reader, 'reader', scan)
  equal(await open.reader.eval(`!!document.querySelector('${named('colour-canvas')}')`), true, 'on a GPU')
  await within(open.reader, byLcms, 'with the profile')
  // even patches: what lies between two of them is seen by chance
  stored = (await colours(open.reader))
    .map(([, drawn]) => drawn)
    .filter((one) => PATCHES.flat().some((patch) => difference(one, patch) < 3))
  assert(stored.length >= PATCHES.flat().length, `${stored.length} colours of the slide`)
})

const slide = (who, name, value) =>
  who.eval(
    `(() => { const at = document.querySelector('${named(`colour-${name}`)}'); at.value = ${value}; at.dispatchEvent(new Event('input')) })()`,
  )
const tuned =
  ({ gamma = 1, contrast = 1, brightness = 0 }) =>
  (list) =>
    list.map((colour) =>
      colour.map((v) =>
        Math.max(0, Math.min(255, ((Math.max(0, v / 255) ** (1 / gamma) - 0.5) * contrast + 0.5 + brightness) * 255)),
      ),
    )

await check('brightness, contrast and gamma; remembered for the slide; back to how it was', async () => {
  const who = open.reader
  await who.click('view-colour')
  await slide(who, 'gamma', 1.6)
  await slide(who, 'contrast', 1.2)
  await slide(who, 'brightness', -0.1)
  const both = (list) => tuned({ gamma: 1.6, contrast: 1.2, brightness: -0.1 })(byLcms(list))
  await within(who, both, 'all three')
  await who.screenshot('tiles-colour-panel.png')
  await look(who, 'reader', scan)
  await within(who, both, 'opened again')
  await who.click('view-colour')
  await who.click('colour-reset')
  await within(who, byLcms, 'reset')
  await who.page.locator(named('colour-corrected')).uncheck({ timeout: GIVE_UP_MS })
  await within(who, asIs, 'as the scanner stored them')
  await who.click('colour-reset')
})

await check('the GPU goes away: the picture stays, in its colours', async () => {
  const who = open.reader
  for (let i = 0; i < 4; i++) {
    await who.eval(
      `document.querySelector('${named('colour-canvas')}')?.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext()`,
    )
    await sleep(150)
    const pairs = await colours(who)
    assert(pairs.length >= 12, 'something is seen')
  }
  equal(
    await who.eval(`!!document.querySelector('${named('colour-canvas')}')`),
    false,
    'a GPU that does not stay is not asked again',
  )
  await shows(who)
})

await check('what is no profile: colours as stored, and it is said', async () => {
  await look(open.reader, 'reader', plain)
  await open.reader.click('view-colour')
  assert(await open.reader.visible('colour-unreadable'), 'it is said')
  await within(open.reader, asIs, 'as stored')
})

await check('Firefox, where it has a GPU and where not, shows the same colours', async () => {
  open.firefox = await Remote.launch(null, { kind: 'firefox', name: 'firefox' })
  await open.firefox.cookie(doctor.cookie, server.url)
  await open.firefox.goto(`${server.url}/requests/${request}`)
  const at = `document.querySelector('[data-file="${scan}"] ${named('file-open')}')`
  await until('the list', () => open.firefox.eval(`!!${at}`), 20)
  await open.firefox.eval(`${at}.click()`)
  await sharp(open.firefox)
  await shows(open.firefox)
})

/** What is on screen as numbers: the darkest and the brightest of even patches' insides differ by how much, and how many pixels are blank. */
const blank = (who) =>
  who.eval(`(() => {
  const canvas = document.querySelector('${named('picture-host')} canvas'), copy = document.createElement('canvas'); copy.width = canvas.width; copy.height = canvas.height
  const context = copy.getContext('2d', { willReadFrequently: true }); context.drawImage(canvas, 0, 0)
  const { data } = context.getImageData(canvas.width * 0.3, canvas.height * 0.3, canvas.width * 0.4, canvas.height * 0.4)
  let n = 0; for (let i = 3; i < data.length; i += 4) if (data[i] < 250) n++
  return n / (data.length / 4)
})()`)
/** The farthest that two pixels of the picture's middle are apart, in steps of a colour. */
const spread = (who) =>
  who.eval(`(() => {
  const canvas = document.querySelector('${named('picture-host')} canvas'), copy = document.createElement('canvas'); copy.width = canvas.width; copy.height = canvas.height
  const context = copy.getContext('2d', { willReadFrequently: true }); context.drawImage(canvas, 0, 0)
  const side = Math.round(canvas.height * 0.7), { data } = context.getImageData((canvas.width - side) / 2, (canvas.height - side) / 2, side, side)
  let most = 0; for (let c = 0; c < 4; c++) { let low = 255, high = 0
    for (let i = c; i < data.length; i += 4) { if (data[i] < low) low = data[i]; if (data[i] > high) high = data[i] }
    most = Math.max(most, high - low) }
  return most
})()`)
const wheel = async (who, steps, at = { x: 720, y: 450 }) => {
  await who.page.mouse.move(at.x, at.y)
  for (let i = 0; i < Math.abs(steps); i++) {
    await who.page.mouse.wheel(0, steps > 0 ? -120 : 120)
    await sleep(40)
  }
}
const TILE = /\/slides\/[^/]+\/tiles\/|_files\//

await check('the slide comes in its own tiles, and what a hand may want next comes ahead', async () => {
  const who = open.reader
  const asked = []
  who.page.on('request', (r) => TILE.test(r.url()) && asked.push(r.url()))
  await look(who, 'reader', demo)
  await who.eval('performance.setResourceTimingBufferSize(5000)')
  assert(
    asked.some((url) => /\/tiles\/\d+\/\d+_\d+\.jpeg\?v=/.test(url)),
    `own tiles: ${asked[0]}`,
  )
  await wheel(who, 12)
  await sharp(who)
  const before = asked.length
  await until('tiles ahead', () => asked.length >= before + 8, 10, 50)
  await sleep(600)
  // one that came while it was given up is asked for again, mostly of the browser's cache: what counts is what was sent
  const came = await who.eval(
    `performance.getEntriesByType('resource').filter((one) => ${TILE}.test(one.name) && one.transferSize > 0).map((one) => one.name)`,
  )
  assert(came.length >= 50, `${came.length} tiles were sent`)
  const twice = came.length - new Set(came).size
  assert(twice <= came.length / 20, `${twice} of ${came.length} tiles came twice`)
  const held = []
  await who.page.route(TILE, (route) => void held.push(route))
  await who.page.mouse.move(700, 450)
  await who.page.mouse.down()
  await who.page.mouse.move(600, 400, { steps: 6 })
  await who.page.mouse.up()
  await sharp(who)
  await who.page.unroute(TILE)
  for (const route of held) await route.continue().catch(() => {})
})

await check(
  'zooming and panning never show a blank canvas while tiles are slow, and what left the screen is given up',
  async () => {
    const who = open.reader
    let given = 0
    const failed = (r) => TILE.test(r.url()) && given++
    who.page.on('requestfailed', failed)
    await who.page.route(TILE, async (route) => {
      await sleep(1500)
      await route.continue().catch(() => {})
    })
    for (const steps of [6, -16, 9, -3]) {
      await wheel(who, steps)
      for (let i = 0; i < 4; i++) {
        equal(await blank(who), 0, `share of the picture's middle that is blank after ${steps} steps`)
        await sleep(60)
      }
    }
    assert(given > 0, 'tiles that left the screen were given up')
    await who.page.unroute(TILE)
    who.page.off('requestfailed', failed)
    await sharp(who)
  },
)

await check('no seam shows between tiles that share no pixels, at any size and turn', async () => {
  const who = open.reader
  await look(who, 'reader', flat)
  for (let turn = 0; turn < 2; turn++) {
    for (let i = 0; i < 5; i++) {
      await sharp(who)
      await sleep(300)
      const most = await spread(who)
      assert(most <= 2, `pixels of one colour are ${most} apart, ${i} steps, turn ${turn}`)
      await wheel(who, 1)
    }
    await who.click('view-fit')
    await who.click('view-rotate')
  }
})

for (const who of Object.values(open)) await who.close().catch(() => {})
await server.stop()
finish()
