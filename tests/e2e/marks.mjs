// Drawings and measures on a slide: lengths and areas against known ones, kept over a reload, seen by others and theirs alone to change, and as
// GeoJSON that a second implementation (Shapely) reads.
import { execFileSync } from 'node:child_process'
import { assert, check, equal, finish, until } from '../lib/check.mjs'
import { Server } from '../lib/server.mjs'
import { Chromium, Remote } from './lib/browsers.mjs'

const server = new Server({ name: 'marks' })
const open = {}
let apis, request, slide, mpp

async function end() {
  for (const who of Object.values(open)) await who.close().catch(() => {})
  await server.stop()
  finish()
}
const must = async (...args) => {
  if (!(await check(...args))) await end()
}

const marksOf = async (who = 'expert01') => (await apis[who].get(`/api/v1/files/${slide}/marks`)).marks
const attribute = (who, testid, name) =>
  who.eval(`document.querySelector('[data-testid="${testid}"]')?.dataset.${name} ?? ''`)

/** The slide over the whole page, with the tools open; where it lies, and how many µm a pixel of the screen has. */
async function look(who, api) {
  await who.cookie(api.cookie, server.url)
  await who.goto(`${server.url}/requests/${request}`)
  const file = `[data-testid="file"][data-file="${slide}"] [data-testid="file-open"]`
  await until(`${who.name}: the slide in the list`, () => who.eval(`!!document.querySelector('${file}')`), 20)
  await who.eval(`document.querySelector('${file}').click()`)
  return ready(who)
}
async function ready(who) {
  await until(`${who.name}: the slide`, async () => (await attribute(who, 'picture', 'state')) === 'open', 20)
  await until(`${who.name}: its marks`, async () => (await attribute(who, 'marks-desk', 'loaded')) === 'true', 20)
  if (!(await who.visible('marks-list-open'))) await who.click('marks-open')
  return scale(who)
}
async function scale(who) {
  await until(`${who.name}: its scale`, async () => (await attribute(who, 'view-scale', 'microns')) !== '', 20)
  return who.eval(`(() => {
    const { microns, pixels } = document.querySelector('[data-testid="view-scale"]').dataset
    const box = document.querySelector('[data-testid="picture-host"]').getBoundingClientRect()
    return { perPixel: microns / pixels, x: box.left + box.width / 2, y: box.top + box.height / 2 }
  })()`)
}
const clicks = (who, points) => who.mouse(points.map(([x, y]) => ['click', x, y]))
const kept = (what, n) => until(what, async () => (await marksOf()).length === n, 10)
/** Within 0.5 %. */
function near(value, wanted, what) {
  assert(Math.abs(value / wanted - 1) <= 0.005, `${what}: ${value} instead of ${wanted}`)
}
const labels = (who) =>
  who.eval(`[...document.querySelectorAll('[data-testid="mark-label"]')].map((one) => one.textContent.trim())`)
/** The numbers of labels with that unit, in µm or mm². */
async function values(who, unit) {
  const factors = { µm: { µm: 1, mm: 1000 }, 'mm²': { 'µm²': 1e-6, 'mm²': 1 } }[unit]
  return (await labels(who)).flatMap((text) => {
    const [, number, found] = /^([\d.]+) (\S+)$/.exec(text) ?? []
    return factors[found] ? [Number(number) * factors[found]] : []
  })
}

await must('a slide, two doctors and two browsers', async () => {
  server.init()
  await server.start()
  const names = ['expert01', 'doctor01', 'admin01']
  apis = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await server.login(name)])))
  const { items } = await apis.expert01.get('/api/v1/requests?tab=pending')
  request = items.find((one) => one.state === 'SCHEDULED').id
  slide = (await apis.expert01.get(`/api/v1/requests/${request}`)).files.find((file) => file.kind === 'slide').id
  mpp = (await apis.expert01.get(`/slides/${slide}/info.json`)).mpp_x
  ;[open.chromium, open.firefox] = await Promise.all([
    Chromium.launch({ name: 'chromium' }),
    Remote.launch(null, { kind: 'firefox', name: 'firefox' }),
  ])
})

let drawn = 0
/** A line of 300 px and a box of 200 × 150 px, whatever the picture's size and turn. */
async function measure(who, author) {
  const { perPixel, x, y } = await scale(who)
  const before = drawn
  await who.click('marks-tool-distance')
  await clicks(who, [
    [x - 150, y - 120],
    [x + 150, y - 120],
  ])
  await kept('the line', ++drawn)
  await who.click('marks-tool-area')
  await clicks(who, [
    [x - 100, y - 60],
    [x + 100, y - 60],
    [x + 100, y + 90],
    [x - 100, y + 90],
  ])
  await who.key('Enter')
  await kept('the area', ++drawn)
  const [line, area] = (await marksOf()).slice(before)
  equal([line.author.name, area.author.name], [author, author], 'the author')
  const [[ax, ay], [bx, by]] = line.points
  near(Math.hypot(bx - ax, by - ay) * mpp, 300 * perPixel, 'the length that is kept')
  const turns = area.points.map(([px, py], i, all) => {
    const [qx, qy] = all[(i + 1) % all.length]
    return px * qy - qx * py
  })
  near((Math.abs(turns.reduce((a, b) => a + b)) / 2) * mpp * mpp, 200 * 150 * perPixel ** 2, 'the area that is kept')
  const [lengths, areas] = [await values(who, 'µm'), await values(who, 'mm²')]
  assert(
    lengths.some((one) => Math.abs(one / (300 * perPixel) - 1) < 0.005),
    `300 px are ${300 * perPixel} µm, on screen ${lengths}`,
  )
  assert(
    areas.some((one) => Math.abs(one / (200 * 150 * perPixel ** 2 * 1e-6) - 1) < 0.005),
    `200 × 150 px are ${200 * 150 * perPixel ** 2 * 1e-6} mm², on screen ${areas}`,
  )
}

/** Where a drawn line lies on the page. */
const boxes = (who, kind) =>
  who.eval(`[...document.querySelectorAll('[data-testid="mark"][data-kind="${kind}"] .line')].map((one) => {
    const { left, right, top, bottom } = one.getBoundingClientRect()
    return [left, right, top, bottom]
  })`)

await must('Chromium: length and area as known, also turned and enlarged, the line under the mouse', async () => {
  const { x, y } = await look(open.chromium, apis.expert01)
  await measure(open.chromium, apis.expert01.user.name)
  const [[left, right, top]] = await boxes(open.chromium, 'distance')
  const off = Math.max(Math.abs(left - (x - 150)), Math.abs(right - (x + 150)), Math.abs(top - (y - 120)))
  assert(off <= 1, `the line is ${off} px off`)
  await open.chromium.click('view-rotate')
  await open.chromium.click('view-zoom-in')
  await until('the zoom', async () => {
    const one = await scale(open.chromium)
    await new Promise((go) => setTimeout(go, 300))
    return one.perPixel === (await scale(open.chromium)).perPixel
  })
  await measure(open.chromium, apis.expert01.user.name)
})

await check('a counting frame of 2 mm² counts what lies in it; words stand where they were put', async () => {
  const who = open.chromium
  const { x, y } = await scale(who)
  await who.click('marks-tool-frame_square')
  await clicks(who, [[x, y]])
  await kept('the frame', ++drawn)
  await who.click('marks-tool-count')
  await clicks(who, [
    [x - 6, y - 6],
    [x + 8, y + 8],
    [x + 400, y - 150],
  ])
  await kept('the class', ++drawn)
  await until('three points', async () => (await marksOf()).at(-1).points.length === 3)
  await until('the count', async () => (await labels(who)).includes('2 / 2 mm²'))
  await who.click('marks-tool-text')
  await clicks(who, [[x - 250, y + 150]])
  await who.fill('marks-writer', '可疑区')
  await who.page.locator('[data-testid="marks-writer"]').press('Enter')
  await kept('the words', ++drawn)
})

await check('undo and delete; what a cut network refused is there when it is back', async () => {
  const who = open.chromium
  const { x, y } = await scale(who)
  await who.context.setOffline(true)
  await who.click('marks-tool-arrow')
  await clicks(who, [
    [x + 200, y - 200],
    [x + 260, y - 260],
  ])
  await until('the word that it is not saved', () => who.visible('marks-unsaved'))
  await who.context.setOffline(false)
  await kept('the arrow', ++drawn)
  await who.key('Delete')
  await kept('no arrow', --drawn)
  await who.click('marks-undo')
  await kept('the arrow again', ++drawn)
  await until('nothing unsaved', async () => !(await who.visible('marks-unsaved')))
})

await check('a reload keeps them', async () => {
  const who = open.chromium
  await who.screenshot('marks-1440.png')
  await who.page.reload()
  await look(who, apis.expert01)
  await until('all of them', async () => (await boxes(who, 'distance')).length === 2)
  equal(await who.eval(`document.querySelectorAll('[data-testid="mark"]').length`), drawn, 'marks on the page')
})

await check('Firefox, another doctor: sees them, cannot change them, measures his own', async () => {
  const who = open.firefox
  await look(who, apis.doctor01)
  await until('all of them', () => who.eval(`document.querySelectorAll('[data-testid="mark"]').length === ${drawn}`))
  const [[left, right, top, bottom]] = await boxes(who, 'distance')
  await who.mouse([['click', (left + right) / 2, (top + bottom) / 2]])
  await until('whose it is', () => who.visible('marks-others'))
  equal(await who.visible('marks-delete'), false, 'a way to delete it')
  const [one] = await marksOf()
  const body = { kind: one.kind, points: one.points, colour: one.colour, revision: one.revision }
  const answer = await apis.doctor01.call('PUT', `/api/v1/files/${slide}/marks/${one.id}`, { json: body })
  equal(answer.status, 403, 'changing it all the same')
  const reviewer = await apis.admin01.call('POST', `/api/v1/files/${slide}/marks`, { json: { ...body, id: 'a' } })
  equal(reviewer.status, 403, 'drawing by who takes no part')
  await measure(who, apis.doctor01.user.name)
})

await check('what another drew comes by itself', () =>
  until(
    'all of them in Chromium',
    () => open.chromium.eval(`document.querySelectorAll('[data-testid="mark"]').length === ${drawn}`),
    15,
  ),
)

/* Prints of each feature: type, valid, area or length. */
const READER = `
import json, sys
from shapely.geometry import shape
for one in json.load(sys.stdin)["features"]:
    g = shape(one["geometry"])
    print(g.geom_type, g.is_valid, g.area, g.length)
`
await check('GeoJSON: Shapely reads it, with the same areas and lengths', async () => {
  const answer = await apis.expert01.call('GET', `/api/v1/files/${slide}/marks.geojson`)
  equal(answer.headers['content-type'], 'application/geo+json', 'its type')
  const { features } = JSON.parse(answer.body.toString())
  equal(features.length, drawn, 'features')
  const read = execFileSync('/usr/bin/python3', ['-c', READER], { input: answer.body, encoding: 'utf8' })
    .trim()
    .split('\n')
  let compared = 0
  read.forEach((line, i) => {
    const [type, valid, area, length] = line.split(' ')
    const { objectType, name, classification, measurements } = features[i].properties
    equal([objectType, valid, type], ['annotation', 'True', features[i].geometry.type], `feature ${i}`)
    assert(name && classification.name && classification.color.length === 3, `feature ${i} lacks its class`)
    if ('Area µm^2' in measurements) near(Number(area) * mpp * mpp, measurements['Area µm^2'], `area ${i}`)
    if ('Length µm' in measurements) near(Number(length) * mpp, measurements['Length µm'], `length ${i}`)
    compared += 'Area µm^2' in measurements || 'Length µm' in measurements ? 1 : 0
  })
  assert(compared >= 7, `${compared} measures compared`)
})

await check('a phone: fingers place points, and move the picture', async () => {
  const who = (open.phone = await Chromium.launch({
    name: 'phone',
    viewport: { width: 390, height: 844 },
    scale: 2,
    mobile: true,
  }))
  const { perPixel, x, y } = await look(who, apis.expert01)
  await who.click('marks-tool-distance')
  for (const dx of [-80, 80]) await who.page.touchscreen.tap(x + dx, y)
  await kept('the line', ++drawn)
  const [[ax, ay], [bx, by]] = (await marksOf()).at(-1).points
  near(Math.hypot(bx - ax, by - ay) * mpp, 160 * perPixel, 'the length')
  await who.click('marks-list-open')
  await until('the list', () => who.visible('marks-list'))
  await who.screenshot('marks-390.png')
})

await check('no page complained', async () => {
  for (const who of [open.chromium, open.phone]) {
    const errors = who.errors.filter((text) => !/ERR_INTERNET_DISCONNECTED|Failed to load resource|403/.test(text))
    equal(errors, [], who.name)
  }
})
await end()
