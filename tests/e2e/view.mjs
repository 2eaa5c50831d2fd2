// The shared view in real browsers: followers see what the presenter sees, at their own screen's resolution, as OpenSlide itself renders it.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Server, root } from '../lib/server.mjs'
import { Chromium, Remote } from './lib/browsers.mjs'
import { Slide, compare, detail, greys, paper } from './lib/canvas.mjs'
import { writeDocx } from './lib/docx.mjs'
import { unlessStalled } from './lib/late.mjs'
import { smallPng } from './lib/palette.mjs'
import { film, people } from './lib/portraits.mjs'
import { GIVE_UP_MS, check, assert, equal, until, sleep, finish } from '../lib/check.mjs'
import {
  picture,
  scaleOf,
  still,
  together,
  sharp,
  canvasOf,
  ink,
  record,
  recorded,
  lags,
  offBy,
  owed,
  quantile,
} from './lib/view.mjs'

const server = new Server({ name: 'view' })
const seed = Number(process.env.SEED || 20261121)
let state = seed
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state / 2 ** 32
}
const camera = { width: 320, height: 180, fps: 10, frames: 40 }

let apis, request, room, files, slide, docx
const open = {}

/** Carries a login into a browser: the login page is the story's subject. */
async function enter(who, api) {
  await who.cookie(api.cookie, server.url)
  await who.goto(`${server.url}/room/${room}`)
  await who.click('room-enter')
  await until(
    `${who.name} being in the room`,
    async () =>
      ['live', 'reconnecting'].includes(await who.eval(`document.querySelector('[data-testid="room"]').dataset.phase`)),
    20,
  )
}

const act = (who, file, name) =>
  who.page
    .locator(`[data-testid="room-file"][data-file="${file}"] [data-testid="room-${name}"]`)
    .click({ timeout: GIVE_UP_MS })
const click = (who, file) => act(who, file, 'show')
/** Somebody else presents: his name stands in the question. */
async function takeOver(who, from) {
  const question = who.page.locator('.ask')
  await question.waitFor({ timeout: GIVE_UP_MS })
  const text = await question.textContent()
  assert(text.includes(from), `"${text}" names ${from}`)
  await question.locator('.ask-yes').click({ timeout: GIVE_UP_MS })
}
const opened = (who, file) =>
  until(
    `${who.name} seeing the file`,
    async () => {
      const p = await picture(who)
      return p?.file === file && p.state === 'open' && p.region && p
    },
    20,
  )

function near(both, what) {
  assert(
    both.off <= 1,
    `${what}: ${both.off.toFixed(2)} px off; presenter ${JSON.stringify(both.there.region)}, follower ${JSON.stringify(both.here?.region)}`,
  )
}

async function end() {
  for (const who of Object.values(open)) await who.close().catch(() => {})
  await server.stop()
  finish()
}
/** What everything after it stands on. */
const must = async (...args) => {
  if (!(await check(...args))) await end()
}

await must('a consultation with slide, PDF, DOCX and image', async () => {
  server.init()
  await server.start()
  apis = Object.fromEntries(
    await Promise.all(
      ['expert01', 'expert02', 'expert03', 'doctor01'].map(async (name) => [name, await server.login(name)]),
    ),
  )
  const { items } = await apis.expert01.get('/api/v1/requests?tab=pending')
  request = items.find((r) => r.state === 'SCHEDULED').id
  const text = (n) => [
    `第 ${n} 页 检查记录`,
    ...Array.from({ length: 12 }, (_, i) => `第 ${n} 页第 ${i + 1} 段：这是演示文件，不含真实患者信息。`.repeat(2)),
  ]
  docx = await apis.expert01.upload(request, 'other', '检查记录.docx', writeDocx([text(1), text(2), text(3)]))
  files = (await apis.expert01.get(`/api/v1/requests/${request}`)).files
  slide = files.find((f) => f.kind === 'slide').id
  room = (await apis.expert01.post(`/api/v1/requests/${request}/room`)).room
})

await must('two experts with different windows and pixel ratios are in the room', async () => {
  ;[open.presenter, open.follower] = await Promise.all([
    Chromium.launch({ name: 'presenter', colour: 'green', tone: 440, camera }),
    Chromium.launch({
      name: 'follower',
      colour: 'blue',
      tone: 660,
      camera,
      viewport: { width: 1100, height: 760 },
      scale: 2,
    }),
  ])
  await Promise.all([enter(open.presenter, apis.expert01), enter(open.follower, apis.expert02)])
})

const { presenter, follower } = open

await check('the panel lists every file with a thumbnail', async () => {
  await until(
    'the thumbnails',
    () =>
      presenter.eval(
        `[...document.querySelectorAll('[data-testid="room-thumb"]')].filter((i) => i.naturalWidth > 20).length >= 4`,
      ),
    20,
  )
  equal(
    await presenter.eval(`document.querySelectorAll('[data-testid="room-file"]').length`),
    files.length,
    'files in the panel',
  )
})

/** Whether the first lies over the second. */
const covered = (over, under) => `(() => {
  const [a, b] = ['${over}', '${under}'].map((id) => document.querySelector('[data-testid="' + id + '"]').getBoundingClientRect())
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
})()`

await must('a slide that one opens is there for the other, with scale and magnification', async () => {
  await click(presenter, slide)
  await Promise.all([opened(presenter, slide), opened(follower, slide)])
  near(await together(presenter, follower), 'after opening')
  const p = await picture(presenter),
    f = await picture(follower)
  assert(p.presenting && !p.following && f.following && !f.presenting, 'who opens presents')
  assert(f.status.includes(apis.expert01.user.name), `"${f.status}" names the presenter`)
  await sharp(presenter)
  await presenter.screenshot('view-slide.png')
  // one's own picture stands beside the slide, wherever the view came from after it
  for (const b of [presenter, follower])
    equal(await b.eval(covered('own-picture', 'view-scale')), false, `${b.name}: one's own picture over the scale`)
})

const source = new Slide(server.slide)
const measured = { off: [], mean: [], shift: [], lag: [], lagBeyond: [], act: [], actBeyond: [] }

/** One act of the presenter's hands: drag, wheel or a button. */
async function move(kind) {
  const p = await picture(presenter),
    { mouse } = presenter.page
  const at = () => [p.x + p.width * (0.15 + 0.6 * random()), p.y + p.height * (0.2 + 0.6 * random())]
  if (kind === 'pan') {
    const [x, y] = at(),
      [u, v] = at()
    await mouse.move(x, y)
    await mouse.down()
    await mouse.move(u, v, { steps: 6 })
    await mouse.up()
  } else if (kind === 'zoom') {
    // the slide must not get lost: as a doctor would, back to the whole of it
    if (Math.abs(p.region.cx / 24576 - 0.5) > 0.3 || Math.abs(p.region.cy / 18432 - 0.5) > 0.3) {
      await presenter.click('view-fit')
      await sleep(300)
    }
    const deep = scaleOf(await picture(presenter)),
      inward = deep > 18 ? true : deep < 0.5 ? false : random() < 0.55
    await mouse.move(...at())
    for (let i = 1 + Math.floor(random() * 4); i > 0; i--) {
      await mouse.wheel(0, inward ? -120 : 120)
      await sleep(15)
    }
  } else await presenter.click(kind === 'mirror' ? 'view-mirror' : 'view-rotate')
}

/** Addresses of the tiles that a page asks for from now on. */
function tilesOf(who) {
  const asked = []
  who.page.on(
    'request',
    (request) => /\/slides\/[^/]+(_files|\/tiles)\//.test(request.url()) && asked.push(request.url()),
  )
  return asked
}

/** Five squares of the follower's canvas, as far out as the slide goes, against OpenSlide. */
async function judge() {
  await sharp(follower)
  const p = await picture(follower),
    canvas = await canvasOf(follower)
  equal(canvas.width, Math.round(p.width * p.dpr), 'canvas width in device pixels')
  const side = 160,
    margin = 4,
    shown = { region: p.region, scale: scaleOf(p) / p.dpr, width: canvas.width, height: canvas.height }
  for (const [px, py] of source.squares(shown, side, margin)) {
    const fit = compare(canvas, source.expected(shown, px, py, side, margin), px, py, side, margin)
    if (!fit) continue
    measured.mean.push(fit.mean)
    assert(
      fit.mean <= 10,
      `a square of the canvas differs by ${fit.mean.toFixed(1)} grey levels from OpenSlide at ${JSON.stringify(p.region)} (best ${fit.best.toFixed(1)} at ${fit.shift})`,
    )
    // where all is alike, nothing says where it lies
    if (fit.texture >= 6) measured.shift.push(Math.max(...fit.shift.map(Math.abs)) / p.dpr)
  }
}

const ACTS = 40
/** The presenter's hands do forty things; what the follower saw of them is measured. */
async function forty() {
  for (const list of Object.values(measured)) list.length = 0
  await Promise.all([record(presenter), record(follower)])
  const tiles = { presenter: tilesOf(presenter), follower: tilesOf(follower) }
  const kinds = Array.from({ length: ACTS }, (_, i) =>
    i % 5 === 4 ? 'turn' : i % 7 === 6 ? 'mirror' : i % 2 ? 'pan' : 'zoom',
  )
  for (const [i, kind] of kinds.entries()) {
    await move(kind)
    const both = await together(presenter, follower)
    measured.off.push(both.off)
    near(both, `act ${i + 1} (${kind}, seed ${seed})`)
    if (i % 10 === 9) await judge()
  }
  // his own screen's: twice the pixels, so other levels and more tiles
  assert(tiles.follower.length >= 40, `the follower asked for ${tiles.follower.length} tiles only`)
  const others = tiles.follower.filter((url) => !tiles.presenter.includes(url))
  assert(others.length >= 10, `only ${others.length} of the follower's tiles are not the presenter's`)
  const p = await recorded(presenter),
    f = await recorded(follower)
  assert(p.drawn.length >= 100, `only ${p.drawn.length} regions were drawn`)
  measured.lag = lags(p.drawn, f.drawn)
  // what the pages' own timers were late by meanwhile, since their machine is busy, no server can make up for
  const beyond = (at, ms) => ms - owed(p.late, at, at + ms) - owed(f.late, at, at + ms)
  measured.lagBeyond = measured.lag.map((ms, i) => beyond(p.drawn[i][0], ms))
  // from the hand's movement to the first picture that comes of it, at the follower
  for (const [i, at] of p.acts.entries()) {
    if (i && at - p.acts[i - 1] < 150) continue
    const first = p.drawn.findIndex(([t]) => t >= at)
    if (first < 0 || first >= measured.lag.length || p.drawn[first][0] - at >= 400) continue
    measured.act.push(p.drawn[first][0] - at + measured.lag[first])
    measured.actBeyond.push(beyond(at, measured.act.at(-1)))
  }
  const line = (name, list, unit) =>
    console.log(
      `        ${name}: ${list.length} values, p50 ${quantile(list, 0.5).toFixed(1)}, p95 ${quantile(list, 0.95).toFixed(1)}, max ${Math.max(...list).toFixed(1)} ${unit}`,
    )
  line('off by', measured.off, 'px')
  line('drawn here → drawn there', measured.lag, 'ms')
  line('hand → drawn there', measured.act, 'ms')
  line('canvas − OpenSlide', measured.mean, 'grey levels')
  if (measured.shift.length) line('shift of the canvas', measured.shift, 'px')
  assert(
    measured.mean.length >= 10 && measured.shift.length >= 5 && measured.shift.every((s) => s <= 1),
    'the canvas lies where OpenSlide says',
  )
  assert(measured.act.length >= 25, `only ${measured.act.length} acts were timed`)
  line('beyond what the pages were late', measured.lagBeyond, 'ms')
  for (const [what, list] of [
    ['lag', measured.lagBeyond],
    ['lag from the hand', measured.actBeyond],
  ])
    assert(quantile(list, 0.95) <= 200, `${what} p95 is ${quantile(list, 0.95).toFixed(0)} ms beyond the pages' own`)
}
await check(
  "40 random pans, zooms, rotations and mirrors: the follower is within one pixel by tiles of his own, lag p95 ≤ 200 ms more than the pages' own, the canvas is OpenSlide's",
  () => unlessStalled([presenter, follower], forty),
  270,
)

/** By how many pixels no end of a stroke is there. It is straight: from one corner of its box to the other, in whichever way the slide lies. */
function offAt({ corners: [[a, b], [c, d]] }, { x, y }) {
  const ends = [
    [a, b],
    [c, d],
    [a, d],
    [c, b],
  ]
  return Math.min(...ends.map(([u, v]) => Math.hypot(u - x, v - y)))
}

/** Where a follower sees what lies at these parts of the presenter's pane. */
function seenAt(p, f, [sx, sy]) {
  const shown = p.told ?? p.region
  const scale = Math.max(shown.w / f.width, shown.h / f.height) / scaleOf(p)
  return { x: f.width / 2 + (p.width * (sx - 0.5)) / scale, y: f.height / 2 + (p.height * (sy - 0.5)) / scale }
}
const placed = (who, name, at) =>
  until(
    `${name}'s pointer at ${who.name}`,
    async () => {
      const { pointers } = await picture(who)
      return pointers.find((one) => one.name === name && Math.hypot(one.x - at.x, one.y - at.y) <= 1)
    },
    3,
    30,
  )
const onto = (who, p, [sx, sy]) => who.page.mouse.move(p.x + p.width * sx, p.y + p.height * sy, { steps: 3 })

await check("the pointer lives at the follower, with the presenter's name, on the same spot of the slide", async () => {
  const p = await still(presenter),
    f = await picture(follower)
  for (const spot of [
    [0.3, 0.4],
    [0.6, 0.7],
    [0.45, 0.2],
  ]) {
    await onto(presenter, p, spot)
    await placed(follower, apis.expert01.user.name, seenAt(p, f, spot))
  }
  await follower.screenshot('view-follower.png')
})

await check(
  'two point at once, each with his name and colour; a laser leaves a trail, strokes stay or fade',
  async () => {
    const p = await still(presenter),
      f = await picture(follower)
    // who follows points when he means to
    await onto(follower, f, [0.5, 0.5])
    await sleep(200)
    equal((await picture(presenter)).pointers.length, 0, 'pointers before anybody means to point')
    await follower.page.keyboard.press('i')
    await onto(follower, f, [0.55, 0.45])
    const scale = scaleOf(f) / scaleOf(p)
    const there = { x: p.width / 2 + f.width * 0.05 * scale, y: p.height / 2 - f.height * 0.05 * scale }
    const his = await placed(presenter, apis.expert02.user.name, there)
    await follower.page.keyboard.press('Escape')
    await onto(presenter, p, [0.4, 0.4])
    const mine = await placed(follower, apis.expert01.user.name, seenAt(p, f, [0.4, 0.4]))
    assert(his.colour !== mine.colour, `both point in ${mine.colour}`)
    await until('the other being gone', async () => (await picture(presenter)).pointers.length === 0, 3, 30)
    await presenter.page.keyboard.down('x')
    for (let i = 0; i < 8; i++) await onto(presenter, p, [0.4 + 0.02 * i, 0.4])
    await until(
      'the trail',
      async () => {
        const now = await picture(follower)
        return now.pointer?.laser && now.trail >= 2
      },
      3,
      30,
    )
    await presenter.page.keyboard.up('x')
    await until('no trail', async () => (await picture(follower)).trail === 0, 3, 50)
    // a stroke that stays and one that fades, at the same place for both, whichever way the slide lies
    for (const [button, to] of [
      ['hand-pen', 0.6],
      ['hand-fading', 0.3],
    ]) {
      await presenter.click(button)
      await onto(presenter, p, [0.4, 0.4])
      await presenter.page.mouse.down()
      await onto(presenter, p, [to, to])
      await presenter.page.mouse.up()
    }
    await presenter.click('hand-fading')
    for (const [i, to] of [0.6, 0.3].entries())
      await until(
        `stroke ${i + 1} in its place`,
        async () => {
          const stroke = (await picture(follower)).strokes[i]
          return stroke && Math.max(offAt(stroke, seenAt(p, f, [0.4, 0.4])), offAt(stroke, seenAt(p, f, [to, to]))) <= 1
        },
        3,
        30,
      )
    equal(JSON.stringify((await picture(presenter)).region), JSON.stringify(p.region), 'the place under the pen')
    await until('what fades being gone', async () => (await picture(follower)).strokes.length === 1, 9, 100)
    await presenter.page.mouse.move(p.x + p.width / 2, 5)
    await until('the pointer being gone', async () => !(await picture(follower)).pointer, 3, 30)
  },
)
await check('one click stops following, one click resumes', async () => {
  await follower.click('view-follow')
  const before = await still(follower)
  assert(!before.following, 'the follower looks on its own')
  await move('zoom')
  await still(presenter)
  equal(
    JSON.stringify((await picture(follower)).region),
    JSON.stringify(before.region),
    'the region of one who does not follow',
  )
  await follower.click('view-zoom-in')
  const own = await still(follower),
    there = await picture(presenter)
  assert(scaleOf(own) < scaleOf(before) * 0.9, 'one who does not follow moves on its own')
  equal(
    JSON.stringify((await still(presenter)).region),
    JSON.stringify(there.region),
    'the presenter is not moved by others',
  )
  await follower.click('view-follow')
  near(await together(presenter, follower), 'after resuming')
})

await check('one looks at another file for himself, and one press brings him back', async () => {
  const before = await still(presenter),
    image = files.find((f) => f.kind === 'image').id
  await follower.click('control-panel')
  await act(follower, image, 'look')
  const own = `document.querySelector('[data-testid="own-view"]')`
  await until('the file being open', () =>
    follower.eval(
      `${own}?.dataset.file === '${image}' && ${own}.querySelector('[data-testid="picture"]').dataset.state === 'open'`,
    ),
  )
  await follower.click('view-zoom-in')
  await follower.screenshot('view-own.png')
  const there = await picture(presenter)
  assert(there.presenting && there.file === slide, 'the presenter goes on')
  equal(JSON.stringify(there.region), JSON.stringify(before.region), 'what the presenter shows')
  await follower.click('own-back')
  await follower.click('panel-close')
  await opened(follower, slide)
  near(await together(presenter, follower), 'after coming back')
})

/** What a page's canvas shows has as much detail as the same part drawn for exactly these pixels; `drawn`: that part, or null where nothing is to be seen. */
async function asSharpAs(who, drawn, ratios) {
  await sharp(who)
  const p = await picture(who),
    canvas = await canvasOf(who)
  const shown = { region: p.region, scale: scaleOf(p) / p.dpr, width: canvas.width, height: canvas.height }
  const part = drawn(shown)
  if (!part || detail(part.want) < 2) return
  const ratio = detail(greys(canvas, part.x, part.y, part.want.size)) / detail(part.want)
  ratios.set(`${who.name} ${shown.scale}`, ratio)
  const at = `${who.name} at ${(1 / scaleOf(p)).toFixed(3)} pixels for each of the picture's`
  assert(ratio > 0.95 && ratio < 1.5, `${at}: ${ratio.toFixed(2)} of the detail of a picture drawn for its screen`)
}

/** Runs `work` while the page has that pixel ratio, as when Windows enlarges everything by so much. */
async function atRatio(who, ratio, work) {
  const devtools = await who.page.context().newCDPSession(who.page)
  const { width, height } = who.page.viewportSize()
  const set = async (to) => {
    await devtools.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: to, mobile: false })
    await until(`${who.name} at a pixel ratio of ${to}`, async () => (await picture(who)).dpr === to, 5, 50)
  }
  const before = (await picture(who)).dpr
  await set(ratio)
  await work()
  await set(before)
  await devtools.detach()
}
/** What many a laptop has. */
const BETWEEN = 1.25

const SIDE = 128
const ofSlide = (shown) => {
  const [first] = source.squares(shown, SIDE, 0).reverse()
  return first && { x: first[0], y: first[1], want: source.expected(shown, first[0], first[1], SIDE, 0) }
}

await check(
  'slides and pages have the detail of the screen, at 20 zoom positions and pixel ratios of 1, 1.25 and 2',
  async () => {
    const seen = { slide: new Map(), page: new Map() }
    await click(presenter, slide)
    await Promise.all([opened(presenter, slide), opened(follower, slide)])
    const p = await still(presenter)
    await presenter.page.keyboard.press('u')
    await presenter.page.mouse.move(p.x + p.width / 2, p.y + p.height / 2)
    // where there is something to tell sharp from blurred
    for (let i = 0; i < 20 && scaleOf(await still(presenter)) > 10; i++) await presenter.page.mouse.wheel(0, -240)
    for (let i = 0; i < 4; i++) {
      await presenter.page.mouse.wheel(0, -120)
      near(await together(presenter, follower), 'the slide')
      for (const who of [presenter, follower]) await asSharpAs(who, ofSlide, seen.slide)
    }
    const between = (drawn, wheel) =>
      atRatio(presenter, BETWEEN, async () => {
        const list = new Map()
        for (let i = 0; i < 2; i++) {
          await presenter.page.mouse.wheel(0, wheel)
          await still(presenter)
          await asSharpAs(presenter, drawn, list)
        }
        assert(list.size > 0, `at ${BETWEEN} nothing could be compared`)
        console.log(
          `        at ${BETWEEN}: ${[...list.values()].map((one) => one.toFixed(2)).join(', ')} of the detail`,
        )
      })
    await between(ofSlide, 120)
    const report = files.find((f) => f.name === '入院记录.pdf').id
    const pdf = join(server.dir, 'shown.pdf')
    writeFileSync(pdf, (await apis.expert01.call('GET', `/api/v1/files/${report}/pdf`)).body)
    const [, points] = /Page size:\s+([\d.]+)/.exec(execFileSync('pdfinfo', [pdf], { encoding: 'utf8' }))
    await click(presenter, report)
    await Promise.all([opened(presenter, report), opened(follower, report)])
    const ofPage = ({ region, scale, width, height }) => {
      const x = Math.round(region.cx / scale),
        y = Math.round(region.cy / scale)
      const part = paper(pdf, 1, Math.round(points / scale), x - 160, y - 160, 320)
      return { x: width / 2, y: height / 2, want: greys(part, 160, 160, 320) }
    }
    await presenter.page.mouse.move(p.x + p.width / 2, p.y + p.height / 2)
    await presenter.page.keyboard.down('Control')
    for (let i = 0; i < 4; i++) {
      await presenter.page.mouse.wheel(0, i < 3 ? -120 : 200)
      near(await together(presenter, follower), 'the page')
      for (const who of [presenter, follower]) await asSharpAs(who, ofPage, seen.page)
    }
    await between(ofPage, -120)
    await presenter.page.keyboard.up('Control')
    await click(presenter, slide)
    for (const who of [presenter, follower]) await opened(who, slide)
    for (const [what, places] of Object.entries(seen)) {
      const list = [...places.values()]
      assert(list.length >= 6, `${what}: only ${list.length} positions had anything to compare`)
      console.log(`        ${what}: ${Math.min(...list).toFixed(2)} to ${Math.max(...list).toFixed(2)} of the detail`)
    }
  },
  90,
)

await check('somebody else takes over presenting, and is asked first; handing it back is one click', async () => {
  const before = await still(presenter)
  await follower.click('view-take')
  await until('the question', () => follower.page.locator('.ask').isVisible())
  assert((await picture(presenter)).presenting, 'a question takes nothing')
  await presenter.eval(`(() => {
    const said = () => [...document.querySelectorAll('.el-message')].map((one) => one.textContent)
    window.__said = []
    new MutationObserver(() => window.__said.push(...said())).observe(document.body, { childList: true })
  })()`)
  await takeOver(follower, apis.expert01.user.name)
  await until('the presenter being told', () =>
    presenter.eval(`window.__said.some((text) => text.includes('${apis.expert02.user.name}'))`),
  )
  await until(
    'roles being changed',
    async () => (await picture(follower)).presenting && (await picture(presenter)).following,
    5,
    50,
  )
  // nobody's picture moves, and so it stays however often it changes hands
  const unmoved = async (what) => {
    const off = offBy({ region: before.region }, await still(presenter))
    assert(off <= 0.5, `${what}: the picture moved by ${off.toFixed(2)} px`)
  }
  await unmoved('taken over')
  await follower.click('view-hand-over')
  await until('being the presenter again', async () => (await picture(presenter)).presenting, 5, 50)
  await unmoved('handed back')
  near(await together(presenter, follower), 'after handing it back')
  await follower.click('view-take')
  await takeOver(follower, apis.expert01.user.name)
  await until('the third change', async () => (await picture(follower)).presenting, 5, 50)
  await follower.click('view-zoom-out')
  await follower.click('view-rotate')
  near(await together(follower, presenter), 'after the change')
  assert((await picture(presenter)).status.includes(apis.expert02.user.name), 'the new presenter is named')
})

await must('a late joiner with a phone sees the current state at once', async () => {
  const shown = await still(follower)
  await follower.page.keyboard.press('b')
  await onto(follower, shown, [0.4, 0.3])
  await follower.page.mouse.down()
  await onto(follower, shown, [0.6, 0.5])
  await follower.page.mouse.up()
  await follower.page.keyboard.press('Escape')
  open.phone = await Chromium.launch({
    name: 'phone',
    colour: 'yellow',
    tone: 880,
    camera,
    viewport: { width: 390, height: 844 },
    scale: 3,
    mobile: true,
  })
  await enter(open.phone, apis.doctor01)
  const start = Date.now()
  await opened(open.phone, slide)
  const both = await together(follower, open.phone)
  near(both, 'the late joiner')
  console.log(`        ${Date.now() - start} ms after joining`)
  equal((await picture(open.phone)).strokes.length, 1, 'strokes of the late joiner')
  // a finger draws for all
  await open.phone.click('hand-pen')
  const { x, y, width, height } = both.here
  const touch = await open.phone.page.context().newCDPSession(open.phone.page)
  const finger = (type, at) =>
    touch.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: at ? [{ x: x + width * at[0], y: y + height * at[1] }] : [],
    })
  await finger('touchStart', [0.4, 0.6])
  for (let i = 1; i <= 5; i++) await finger('touchMove', [0.4 + 0.04 * i, 0.6])
  await finger('touchEnd')
  await open.phone.click('hand-pen')
  for (const who of [presenter, follower])
    await until(`the finger's stroke at ${who.name}`, async () => (await picture(who)).strokes.length === 2, 3, 50)
  near(await together(follower, open.phone), 'the late joiner, after drawing')
  await follower.click('hand-clear')
  await until('nothing drawn', async () => (await picture(open.phone)).strokes.length === 0, 3, 50)
  await sharp(open.phone)
  await open.phone.screenshot('view-phone.png')
})

/** Opens a file, and says whether everybody sees it in the same place. */
async function shows(file, least) {
  const { presenting } = await picture(presenter)
  await click(presenter, file)
  if (!presenting) await takeOver(presenter, apis.expert02.user.name)
  for (const who of [presenter, follower, open.phone]) await opened(who, file)
  const before = scaleOf(await still(presenter))
  await presenter.click('view-zoom-in')
  await until('being nearer', async () => scaleOf(await picture(presenter)) < before * 0.9, 10, 30)
  for (const who of [follower, open.phone]) {
    near(await together(presenter, who), who.name)
    await sharp(who)
    const dark = await ink(who)
    assert(dark > least, `${who.name} shows something: ${dark} is dark`)
  }
}

await check('a PDF and an image: the same place for everybody', async () => {
  await shows(files.find((f) => f.name === '入院记录.pdf').id, 0.003)
  await presenter.screenshot('view-document.png')
  await open.phone.screenshot('view-document-phone.png')
  await shows(files.find((f) => f.kind === 'image').id, 0.003)
  await presenter.screenshot('view-image.png')
})

await check('a Word document: pages turn together, the pointer is shared', async () => {
  await until(
    'the conversion',
    async () => {
      const f = await apis.expert01.get(`/api/v1/files/${docx}`)
      if (f.state === 'failed') throw new Error('the conversion failed')
      return f.state === 'ready'
    },
    60,
    300,
  )
  // the panel hears of it when it is opened again
  await presenter.click('panel-close')
  await presenter.click('control-panel')
  await shows(docx, 0.002)
  for (const page of [2, 3, 2]) {
    await presenter.click(page === 3 || (await picture(presenter)).page < page ? 'view-next' : 'view-previous')
    for (const who of [presenter, follower, open.phone])
      await until(
        `${who.name} at page ${page}`,
        async () => {
          const p = await picture(who)
          return p.page === page && p.state === 'open'
        },
        10,
        50,
      )
  }
  near(await together(presenter, follower), 'on page 2')
  const p = await still(presenter)
  await presenter.page.mouse.move(p.x + p.width * 0.5, p.y + p.height * 0.4, { steps: 3 })
  await until(
    'the pointer on the page',
    async () => (await picture(follower)).pointer?.name === apis.expert01.user.name,
    3,
    50,
  )
})

await check('a document is read: wheel, Page Down, End, find; the others follow', async () => {
  await click(presenter, docx)
  await Promise.all([presenter, follower].map((who) => opened(who, docx)))
  const before = await still(presenter)
  await presenter.page.mouse.move(before.x + before.width / 2, before.y + before.height / 2)
  await presenter.page.mouse.wheel(0, 300)
  const after = await still(presenter)
  equal(scaleOf(after).toFixed(4), scaleOf(before).toFixed(4), 'the wheel leaves the size')
  assert(after.region.cy > before.region.cy, 'the wheel scrolls')
  for (const key of ['PageDown', 'PageDown', 'PageDown']) await presenter.page.keyboard.press(key)
  assert((await still(presenter)).page > 1, 'Page Down goes on to the next page')
  for (const [key, page] of [
    ['End', 3],
    ['Home', 1],
  ]) {
    await presenter.page.keyboard.press(key)
    for (const who of [presenter, follower]) await until(key, async () => (await picture(who)).page === page, 10, 50)
    near(await together(presenter, follower), key)
  }
  await presenter.page.keyboard.press('Control+f')
  await presenter.fill('find-text', '第 3 页第 2 段')
  await until('the hit', () => presenter.eval(`document.querySelector('[data-testid="find-count"]')?.dataset.hits > 0`))
  for (const who of [presenter, follower])
    await until(`${who.name} at the page of the hit`, async () => (await picture(who)).page === 3, 10, 50)
  await presenter.screenshot('view-find.png')
  await presenter.click('find-close')
})

await check('who is foreign gets no tile, no file and no entry', async () => {
  const password = 'Fremd-und-lang-7!'
  server.people(
    { stranger: 'expert' },
    { hospital: '外院（演示）', password, more: ['--department', '病理科', '--name', '外人'] },
  )
  const stranger = await server.login('stranger')
  for (const path of [
    `/slides/${slide}.dzi`,
    `/slides/${slide}/info.json`,
    `/slides/${slide}_files/10/0_0.jpeg`,
    `/api/v1/files/${slide}/thumbnail`,
    `/api/v1/files/${docx}/pdf`,
    `/api/v1/files/${docx}/content`,
    `/api/v1/files/${docx}`,
    `/api/v1/rooms/${room}`,
    `/api/v1/requests/${request}`,
  ])
    equal((await stranger.call('GET', path)).status, 404, path)
  equal(
    (await apis.expert02.call('GET', `/slides/${slide}_files/10/0_0.jpeg`)).status,
    200,
    'the same tile for an expert of the room',
  )
  equal((await fetch(`${server.url}/slides/${slide}_files/10/0_0.jpeg`)).status, 401, 'the same tile without login')
  const page = (open.stranger = await Chromium.launch({ name: 'stranger', camera, colour: 'red' }))
  await page.cookie(stranger.cookie, server.url)
  await page.goto(`${server.url}/room/${room}`)
  await page.click('room-enter')
  const reason = await until(
    'being refused',
    () => page.eval(`document.querySelector('[data-testid="room-ended"]')?.dataset.reason`),
    15,
  )
  assert(['not_found', 'forbidden'].includes(reason), `refused because ${reason}`)
  await page.close()
})

await check(
  'Firefox follows',
  async () => {
    await open.phone.close()
    open.firefox = await Remote.launch(null, { kind: 'firefox', name: 'firefox' })
    await enter(open.firefox, apis.expert03)
    await opened(open.firefox, docx)
    near(await together(presenter, open.firefox), 'Firefox on the document')
    await click(presenter, slide)
    await Promise.all([opened(presenter, slide), opened(open.firefox, slide)])
    for (const kind of ['zoom', 'pan', 'turn', 'mirror', 'zoom']) {
      await move(kind)
      near(await together(presenter, open.firefox), `Firefox after ${kind}`)
    }
    const p = await still(presenter),
      f = await picture(open.firefox)
    await presenter.click('hand-pen')
    await onto(presenter, p, [0.4, 0.4])
    await presenter.page.mouse.down()
    await onto(presenter, p, [0.6, 0.7])
    await presenter.page.mouse.up()
    await presenter.click('hand-pen')
    await onto(presenter, p, [0.45, 0.3])
    await placed(open.firefox, apis.expert01.user.name, seenAt(p, f, [0.45, 0.3]))
    await until('the stroke in Firefox', async () => {
      const [stroke] = (await picture(open.firefox)).strokes
      return stroke && offAt(stroke, seenAt(p, f, [0.6, 0.7])) <= 1
    })
    await open.firefox.screenshot('view-firefox.png')
  },
  60,
)

await check('no page had an error', async () => {
  for (const who of [presenter, follower, open.phone])
    equal(JSON.stringify(who.errors.filter((e) => !/status of 40[14]/.test(e))), '[]', who.name)
})

/** The README's picture: four people at the slide, seen by one who follows. */
async function roomPicture(folder) {
  const names = ['expert02', 'expert01', 'expert03', 'doctor01'],
    films = mkdtempSync(join(tmpdir(), 'consilium-films-'))
  try {
    const artist = await Chromium.launch({ name: 'artist' })
    for (const name of names) await film(artist.page, people[name], join(films, `${name}.y4m`))
    await artist.close()
    const crowd = {}
    for (const [i, name] of names.entries()) {
      crowd[name] = open[`${name} in the picture`] = await Chromium.launch({
        name,
        film: join(films, `${name}.y4m`),
        tone: 300 + 100 * i,
      })
      await enter(crowd[name], apis[name])
    }
    const shows = crowd.expert01,
      sees = crowd.expert02
    await click(shows, slide)
    await Promise.all([opened(shows, slide), opened(sees, slide)])
    const p = await picture(shows),
      { mouse } = shows.page
    await mouse.move(p.x + p.width * 0.42, p.y + p.height * 0.3)
    for (let i = 0; i < 10; i++) {
      await mouse.wheel(0, -120)
      await sleep(60)
    }
    await still(shows)
    await mouse.move(p.x + p.width * 0.52, p.y + p.height * 0.45, { steps: 5 })
    await until(
      "the others' pictures",
      () =>
        sees.eval(
          `[...document.querySelectorAll('[data-testid="tile"]')].filter((t) => t.dataset.state === 'live').length === 3`,
        ),
      20,
    )
    await sharp(sees)
    await sleep(1500)
    writeFileSync(join(root, folder, 'room.png'), smallPng(await sees.page.screenshot()))
  } finally {
    rmSync(films, { recursive: true, force: true })
  }
}

const folder = process.env.CONSILIUM_SCREENSHOTS
if (folder) {
  for (const who of Object.values(open)) await who.close().catch(() => {})
  await check('the picture of the room', () => roomPicture(folder))
}
await end()
