// Two stains beside each other and over each other: laid on each other by two points, they stay so within a pixel of the screen however they are moved, and so
// does who follows in a window of another size.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Server } from '../lib/server.mjs'
import { Chromium } from './lib/browsers.mjs'
import { approach, consultation, enter, login } from './lib/scene.mjs'
import { named, openFile } from './lib/slide.mjs'
import { assert, check, equal, finish, until } from '../lib/check.mjs'

const server = new Server({ name: 'beside' })
const open = {}
let scene, files

async function end() {
  for (const who of Object.values(open)) await who.close().catch(() => {})
  await server.stop()
  finish()
}
const must = async (...args) => {
  if (!(await check(...args))) await end()
}

/** Each pane: its file, where its picture is on the page, and what it shows. */
const panesOf = (who) =>
  who.eval(`[...document.querySelectorAll('${named('beside-pane')}')].map((pane) => {
    const picture = pane.querySelector('${named('picture')}')
    const { left, top, width, height } = pane.querySelector('${named('picture-host')}').getBoundingClientRect()
    const region = picture.dataset.region ? JSON.parse(picture.dataset.region) : null
    return { file: pane.dataset.file, state: picture.dataset.state, sharp: picture.dataset.sharp, region, x: left, y: top, width, height }
  })`)
const ready = (who, count) =>
  until(
    `${who.name}: ${count} slides`,
    async () => {
      const all = await panesOf(who)
      return all.length === count && all.every(({ state, region }) => state === 'open' && region) && all
    },
    20,
  )

const turned = ({ x, y }, degrees) => {
  const angle = (degrees * Math.PI) / 180
  return { x: x * Math.cos(angle) - y * Math.sin(angle), y: x * Math.sin(angle) + y * Math.cos(angle) }
}
/** Where a place of a slide is in its pane, from the pane's middle. */
function onScreen({ region, width }, point) {
  const scale = region.w / width
  const at = turned({ x: (point.x - region.cx) / scale, y: (point.y - region.cy) / scale }, region.rotation)
  return region.mirror ? { x: -at.x, y: at.y } : at
}
function onSlide({ region, width }, at) {
  const scale = region.w / width
  const from = turned({ x: region.mirror ? -at.x : at.x, y: at.y }, -region.rotation)
  return { x: region.cx + from.x * scale, y: region.cy + from.y * scale }
}
/** How the second lies on the first, from two places of each. */
function lies([a, b], [c, d]) {
  const [dx, dy, ex, ey] = [b.x - a.x, b.y - a.y, d.x - c.x, d.y - c.y]
  const square = dx * dx + dy * dy
  const p = (ex * dx + ey * dy) / square
  const q = (ey * dx - ex * dy) / square
  return ({ x, y }) => ({ x: c.x + p * (x - a.x) - q * (y - a.y), y: c.y + q * (x - a.x) + p * (y - a.y) })
}
/** The farthest that a place of the tissue is from itself in the other pane, in pixels of the screen. */
function apart([one, other], to) {
  let most = 0
  for (const at of [
    { x: 0, y: 0 },
    { x: -0.45 * one.width, y: 0.4 * one.height },
    { x: 0.45 * one.width, y: -0.4 * one.height },
  ]) {
    const there = onScreen(other, to(onSlide(one, at)))
    most = Math.max(most, Math.hypot(there.x - at.x, there.y - at.y))
  }
  return most
}
/** When nothing moves any more. */
async function rests(who) {
  let before = ''
  return until(
    `${who.name} is at rest`,
    async () => {
      const now = await panesOf(who)
      const text = JSON.stringify(now.map(({ region }) => region))
      const same = text === before
      before = text
      return same && now
    },
    10,
    200,
  )
}
const stays = async (who, what) => {
  const distance = apart(await rests(who), aligned)
  assert(distance <= 1, `${who.name}, ${what}: ${distance.toFixed(2)} pixels apart`)
}

let aligned
/** What was done moved the picture. */
async function moves(who, act, what = '') {
  const before = JSON.stringify((await rests(who))[0].region)
  await act()
  await until(`${who.name}: it moves ${what}`, async () => JSON.stringify((await panesOf(who))[0].region) !== before, 5)
}

await must('two stains of a block, a doctor who opens one and lays the other beside it', async () => {
  server.init()
  await server.start()
  const path = join(server.dir, 'slide.tif')
  execFileSync(join(dirname(server.bin), 'consilium-demo-slide'), [path])
  const bytes = readFileSync(path)
  scene = await consultation(server, {
    experts: ['expert01', 'expert02'],
    files: ['A1 HE.tif', 'A1 Ki67.tif'].map((name) => ({ category: 'pathology', name, bytes })),
  })
  files = [scene.files['A1 HE.tif'], scene.files['A1 Ki67.tif']]
  for (const id of files)
    await until('a slide is ready', async () => (await scene.lead.get(`/api/v1/files/${id}`)).state === 'ready', 30)
  open.desk = await Chromium.launch({ name: 'desk', viewport: { width: 1440, height: 900 } })
  const { desk } = open
  await desk.cookie(scene.lead.cookie, server.url)
  await openFile(desk, server.url, scene.request, files[0])
  await desk.page.locator(`${named('tray-beside')}[data-file="${files[1]}"]`).click()
  const [one, other] = await ready(desk, 2)
  equal([one.file, other.file], files, 'files')
  assert(Math.abs(one.width - other.width) <= 1, 'as wide as each other')
})

await must('two points on each: from then on the same tissue is at the same place', async () => {
  const { desk } = open
  const panes = await rests(desk)
  await desk.click('beside-points')
  const places = [
    [
      { x: -100, y: -60 },
      { x: 120, y: 80 },
    ],
    [
      { x: -60, y: -90 },
      { x: 70, y: 130 },
    ],
  ]
  for (const [n, pane] of panes.entries())
    for (const { x, y } of places[n])
      await desk.page.mouse.click(pane.x + pane.width / 2 + x, pane.y + pane.height / 2 + y)
  aligned = lies(...panes.map((pane, n) => places[n].map((at) => onSlide(pane, at))))
  await until('it is aligned', async () => !(await desk.visible('beside-picking')))
  // a click is at a whole pixel, what it meets is what was computed here
  await stays(desk, 'aligned')
  await desk.screenshot('beside.png')
})

await check('it stays so along a path of pan, zoom and rotation, by either hand', async () => {
  const { desk } = open
  let seed = 7
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647
  for (let step = 0; step < 8; step++) {
    const panes = await panesOf(desk)
    const pane = panes[step % 2]
    const [x, y] = [pane.x + pane.width * (0.3 + 0.4 * random()), pane.y + pane.height * (0.3 + 0.4 * random())]
    await desk.page.mouse.move(x, y)
    await moves(
      desk,
      async () => {
        if (step % 4 >= 2) return desk.page.mouse.wheel(0, step < 4 ? -240 : 120)
        await desk.page.mouse.down()
        await desk.page.mouse.move(x + 90 * (random() - 0.5), y + 90 * (random() - 0.5), { steps: 4 })
        await desk.page.mouse.up()
      },
      `at step ${step}`,
    )
    await stays(desk, `step ${step}`)
  }
  for (const key of ['>', '>', 'f', 'r', 'f']) {
    await moves(desk, () => desk.page.keyboard.press(key), `by ${key}`)
    await stays(desk, `key ${key}`)
  }
})

await check('moved apart, one moves alone; over each other, it shines through and blinks', async () => {
  const { desk } = open
  await desk.click('beside-lock')
  const before = await rests(desk)
  const [, other] = before
  await desk.page.mouse.move(other.x + 200, other.y + 300)
  await desk.page.mouse.down()
  await desk.page.mouse.move(other.x + 260, other.y + 330, { steps: 4 })
  await desk.page.mouse.up()
  const after = await rests(desk)
  equal(JSON.stringify(after[0].region), JSON.stringify(before[0].region), 'the first stays')
  assert(JSON.stringify(after[1].region) !== JSON.stringify(before[1].region), 'the second moved')
  await desk.click('beside-lock')
  await desk.click('beside-over')
  const opacity = () => desk.eval(`getComputedStyle(document.querySelectorAll('${named('beside-pane')}')[1]).opacity`)
  equal(await opacity(), '0.5', 'opacity')
  await desk.page.keyboard.press('b')
  await until('gone', async () => (await opacity()) === '0')
  await desk.page.keyboard.press('b')
  await until('back', async () => (await opacity()) === '0.5')
  const [one, two] = await rests(desk)
  assert(Math.abs(one.width - two.width) <= 1 && Math.abs(one.x - two.x) <= 1, 'in one place')
  await desk.screenshot('beside-over.png')
  await desk.close()
  delete open.desk
})

await check(
  'who follows in a smaller window of another pixel ratio sees the same of both, with tiles of his own',
  async () => {
    const camera = { width: 320, height: 180, fps: 10, frames: 20 }
    open.presenter = await Chromium.launch({ name: 'presenter', colour: 'green', tone: 440, camera })
    open.follower = await Chromium.launch({
      name: 'follower',
      colour: 'blue',
      tone: 660,
      camera,
      viewport: { width: 1100, height: 760 },
      scale: 2,
    })
    const { presenter, follower } = open
    for (const [i, who] of [presenter, follower].entries()) {
      await login(who, server, `expert0${i + 1}`)
      await approach(who, server, scene.room)
      await enter(who)
    }
    await presenter.page.locator(`${named('room-file')}[data-file="${files[0]}"] ${named('room-show')}`).click()
    await presenter.page.locator(`${named('tray-beside')}[data-file="${files[1]}"]`).click()
    await Promise.all([ready(presenter, 2), ready(follower, 2)])
    const same = async (what) => {
      const panes = await rests(presenter)
      // how the second lies on the first, as the presenter's own panes show it
      const corners = [
        { x: 0, y: 0 },
        { x: 100, y: 50 },
      ]
      aligned = lies(...panes.map((pane) => corners.map((at) => onSlide(pane, at))))
      await until(
        `${what}: he is where the presenter is`,
        async () => {
          const [one] = await panesOf(follower)
          return Math.hypot(one.region.cx - panes[0].region.cx, one.region.cy - panes[0].region.cy) < 1
        },
        10,
      )
      await stays(follower, what)
    }
    await same('at first')
    const [one] = await panesOf(presenter)
    await presenter.page.mouse.move(one.x + one.width / 3, one.y + one.height / 3)
    await moves(presenter, () => presenter.page.mouse.wheel(0, -480))
    await same('zoomed')
    await moves(presenter, () => presenter.page.keyboard.press('>'))
    await same('turned')
    const asked = await follower.eval(
      `performance.getEntriesByType('resource').filter(({ name }) => name.includes('/slides/${files[1]}/')).length`,
    )
    assert(asked > 3, `${asked} tiles of the second slide`)
    await follower.screenshot('beside-follower.png')
    // who comes later is where they are, and who takes over keeps what lies there
    await follower.page.reload()
    await until('the device check', () => follower.visible('room-enter'), 20)
    await enter(follower)
    await ready(follower, 2)
    await same('come later')
    await follower.click('view-take')
    await until('the question', () => follower.page.locator('.ask').isVisible())
    await follower.page.locator('.ask .ask-yes').click()
    await until(
      'he presents',
      async () =>
        (await follower.eval(`document.querySelector('${named('shared-view')}')?.dataset.presenting`)) === 'true',
    )
    await ready(follower, 2)
    await ready(presenter, 2)
    await follower.page.locator(named('beside-remove')).click()
    await ready(presenter, 1)
  },
)

await end()
