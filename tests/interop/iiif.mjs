// Slides by IIIF Image API 3.0, level 2: the checks of the official validator by its own names (iiif-validator, tests of version 3), and
// pixels against OpenSlide's. node tests/interop/iiif.mjs (CN_BUILD=release for another build).
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { assert, check, equal, finish, until } from '../lib/check.mjs'
import { likeness, read } from '../lib/png.mjs'
import { Session, call } from '../lib/rest.mjs'
import { Server, root, sanitized } from '../lib/server.mjs'

const PASSWORD = 'Good-pass-1x'
const [WIDTH, HEIGHT] = [3000, 2000]
const server = new Server({
  build: sanitized,
  name: 'door-iiif',
  pages: false,
})
server.people({ referrer1: 'referrer', referrer2: 'referrer' }, { password: PASSWORD })
const path = join(server.dir, 'slide.tif')
execFileSync(join(dirname(server.bin), 'consilium-demo-slide'), [path, String(WIDTH), String(HEIGHT), '7'])
await server.start()
const session = await new Session(server.url).login('referrer1', PASSWORD)
const made = await session.call('POST', '/api/v1/requests', {
  json: { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' },
})
const id = await session.upload(made.json.id, 'pathology', 'slide.tif', readFileSync(path))
const ready = (file) =>
  until('the slide', async () => (await session.call('GET', `/api/v1/files/${file}`)).json.state === 'ready', 30, 50)
await ready(id)

const base = `/iiif/3/${id}`
const get = (rest, headers) => session.call('GET', `${base}${rest}`, { headers })
const refused = async (rest, wanted = 400) => equal((await get(rest)).status, wanted, rest)
async function png(rest) {
  const answer = await get(`/${rest}.png`)
  equal(answer.status, 200, rest)
  equal(answer.headers['content-type'], 'image/png', rest)
  return read(answer.body)
}

/** What OpenSlide reads: level-0 corner, size in the level. */
function region(x, y, level, width, height, file = path) {
  const out = join(server.dir, 'region.png')
  execFileSync('openslide-write-png', [file, x, y, level, width, height, out].map(String))
  return read(readFileSync(out))
}

/** The average of each `n` × `n` pixels. */
function shrunk(from, n) {
  const [width, height] = [from.width / n, from.height / n],
    rgb = new Uint8Array(3 * width * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) {
        let sum = 0
        for (let k = 0; k < n * n; k++)
          sum += from.rgb[3 * ((y * n + Math.floor(k / n)) * from.width + x * n + (k % n)) + c]
        rgb[3 * (y * width + x) + c] = Math.round(sum / n / n)
      }
  return { width, height, rgb }
}

function turned(from, place, lies = false) {
  const [width, height] = lies ? [from.height, from.width] : [from.width, from.height],
    rgb = new Uint8Array(from.rgb.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [sx, sy] = place(x, y, from)
      for (let c = 0; c < 3; c++) rgb[3 * (y * width + x) + c] = from.rgb[3 * (sy * from.width + sx) + c]
    }
  return { width, height, rgb }
}

const same = (a, b, what, decibels = 99) => {
  const found = likeness(a, b)
  assert(found >= decibels, `${what}: ${found.toFixed(1)} dB`)
}

const part = region(700, 500, 0, 300, 200)
const CUT = '700,500,300,200'

await check('info_json, jsonld, cors, linkheader_profile', async () => {
  const answer = await get('/info.json', { Origin: 'https://viewer.example' })
  equal(answer.status, 200)
  equal(answer.headers['content-type'], 'application/json')
  equal(answer.headers['access-control-allow-origin'], '*')
  assert(answer.headers.link.includes('<http://iiif.io/api/image/3/level2.json>;rel="profile"'), answer.headers.link)
  const info = answer.json
  equal(info['@context'], 'http://iiif.io/api/image/3/context.json')
  equal(info.id, `${server.url}${base}`, 'id')
  equal([info.type, info.protocol, info.profile], ['ImageService3', 'http://iiif.io/api/image', 'level2'])
  equal([info.width, info.height], [WIDTH, HEIGHT])
  assert(info.maxWidth > 0 && info.maxArea > 0, 'bounds')
  equal(info.tiles, [{ width: 512, height: 512, scaleFactors: [1, 2, 4, 8] }])
  for (const size of info.sizes)
    equal((await get(`/full/${size.width},${size.height}/0/default.jpg`)).status, 200, 'a size')
  const linked = await get('/info.json', { Accept: 'application/ld+json' })
  equal(linked.headers['content-type'], 'application/ld+json;profile="http://iiif.io/api/image/3/context.json"')
})

await check('baseurl_redirect', async () => {
  const answer = await get('')
  equal([answer.status, answer.headers.location], [303, `${server.url}${base}/info.json`])
})

await check(
  'id_basic, id_escaped, id_error_random, id_error_escapedslash, id_error_unescaped, id_squares',
  async () => {
    equal((await get('/full/!100,100/0/default.jpg')).status, 200, 'id_basic')
    const escaped = `%${id.charCodeAt(0).toString(16)}${id.slice(1)}`
    equal((await session.call('GET', `/iiif/3/${escaped}/info.json`)).status, 200, 'id_escaped')
    for (const wrong of ['01ARZ3NDEKTSV4RRFFQ69G5FAV', `a/${id}`, `a%2F${id}`, '[frob]', 'fr%23ob'])
      equal((await session.call('GET', `/iiif/3/${wrong}/info.json`)).status, 404, wrong)
    for (const [x, y] of [
      [0, 0],
      [2560, 1536],
      [1024, 512],
    ]) {
      const [w, h] = [Math.min(512, WIDTH - x), Math.min(512, HEIGHT - y)]
      same(await png(`${x},${y},${w},${h}/max/0/default`), region(x, y, 0, w, h), `the square at ${x}, ${y}`)
    }
  },
)

await check('region_pixels, region_percent, region_square, region_full', async () => {
  same(await png(`${CUT}/max/0/default`), part, 'pixels')
  same(await png('pct:50,50,10,5/max/0/default'), region(1500, 1000, 0, 300, 100), 'percent')
  same(await png('square/1000,1000/0/default'), region(500, 0, 1, 1000, 1000), 'square')
  same(await png('2900,1900,500,500/max/0/default'), region(2900, 1900, 0, 100, 100), 'beyond the edge')
  same(await png('full/750,500/0/default'), region(0, 0, 2, 750, 500), 'full')
})

await check('region_error_random', async () => {
  for (const wrong of [
    'frob',
    '1,2,3',
    '-1,0,10,10',
    '0,0,0,10',
    '3000,0,10,10',
    'pct:0,0,0,1',
    'a,b,c,d',
    '1.5,0,9,9',
  ])
    await refused(`/${wrong}/max/0/default.jpg`)
})

await check('size_wc, size_ch, size_percent, size_wh, size_bwh, size_region', async () => {
  const sizes = {
    '150,': [150, 100],
    ',50': [75, 50],
    'pct:50': [150, 100],
    '60,90': [60, 90],
    '!90,90': [90, 60],
    max: [300, 200],
  }
  for (const [size, wanted] of Object.entries(sizes)) {
    const got = await png(`${CUT}/${size}/0/default`)
    equal([got.width, got.height], wanted, size)
  }
  // the file's own smaller levels as they are; below and between them the average of the nearest larger one
  same(await png(`${CUT}/pct:50/0/default`), region(700, 500, 1, 150, 100), 'half')
  same(await png('0,0,2400,1600/150,100/0/default'), shrunk(region(0, 0, 3, 300, 200), 2), 'a sixteenth')
})

await check('size_up, size_noup, size_error_random', async () => {
  for (const wrong of [
    '^400,',
    '^max',
    '301,',
    ',201',
    '301,10',
    'pct:101',
    '0,',
    ',',
    'full',
    'frob',
    '1,2,3',
    'pct:',
  ])
    await refused(`/${CUT}/${encodeURIComponent(wrong)}/0/default.jpg`)
  await refused('/full/2900,/0/default.jpg') // above maxArea
  const most = await png('full/max/0/default')
  assert(most.width * most.height <= 2048 * 2048 && most.width > 2400, `${most.width}×${most.height}`)
})

await check('rot_full_basic, rot_region_basic, rot_mirror, rot_mirror_180', async () => {
  const wanted = {
    90: [(x, y, of) => [y, of.height - 1 - x], true],
    180: [(x, y, of) => [of.width - 1 - x, of.height - 1 - y]],
    270: [(x, y, of) => [of.width - 1 - y, x], true],
    360: [(x, y) => [x, y]],
    '!0': [(x, y, of) => [of.width - 1 - x, y]],
    '!180': [(x, y, of) => [x, of.height - 1 - y]],
  }
  for (const [rotation, [place, lies]] of Object.entries(wanted))
    same(await png(`${CUT}/max/${rotation}/default`), turned(part, place, lies), rotation)
  const full = await png('full/,300/90/default')
  equal([full.width, full.height], [300, 450], 'full')
})

await check('rot_error_random, rot_full_non90, rot_region_non90', async () => {
  for (const wrong of ['-1', '361', 'frob', '22.5', '!', ''])
    await refused(`/${CUT}/max/${wrong}/default.jpg`, wrong ? 400 : 404)
})

await check('quality_color, quality_grey, quality_bitonal, quality_error_random', async () => {
  same(await png(`${CUT}/max/0/color`), part, 'color')
  const grey = await png(`${CUT}/max/0/gray`),
    bitonal = await png(`${CUT}/max/0/bitonal`)
  for (let i = 0; i < part.rgb.length; i += 3) {
    const luma = 0.299 * part.rgb[i] + 0.587 * part.rgb[i + 1] + 0.114 * part.rgb[i + 2]
    for (let c = 0; c < 3; c++) {
      assert(Math.abs(grey.rgb[i + c] - luma) <= 1, `grey ${grey.rgb[i + c]} is not ${luma}`)
      equal(bitonal.rgb[i + c], grey.rgb[i] >= 128 ? 255 : 0, 'bitonal')
    }
  }
  for (const wrong of ['native', 'grey', 'frob']) await refused(`/${CUT}/max/0/${wrong}.jpg`)
})

await check('format_jpg, format_png, format_error_random', async () => {
  const jpg = await get(`/${CUT}/max/0/default.jpg`)
  equal([jpg.status, jpg.headers['content-type']], [200, 'image/jpeg'])
  equal(jpg.body.subarray(0, 3).toString('hex'), 'ffd8ff', 'a JPEG')
  for (const wrong of ['tif', 'gif', 'pdf', 'jp2', 'webp', 'frob']) await refused(`/${CUT}/max/0/default.${wrong}`, 415)
})

await check('linkheader_canonical, and a picture that is known already', async () => {
  const answer = await get('/pct:50,50,10,5/pct:50/90/color.jpg')
  assert(
    answer.headers.link.includes(`<${server.url}${base}/1500,1000,300,100/150,50/90/default.jpg>;rel="canonical"`),
    answer.headers.link,
  )
  assert(answer.headers.link.includes('rel="profile"'), answer.headers.link)
  equal(
    (
      await get('/full/!9,9/0/default.jpg', {
        'If-None-Match': answer.headers.etag,
      })
    ).status,
    304,
  )
})

await check('nobody sees what is not his', async () => {
  const other = await new Session(server.url).login('referrer2', PASSWORD)
  for (const rest of ['', '/info.json', '/full/!9,9/0/default.jpg', '/full/frob/0/default.jpg']) {
    equal((await other.call('GET', `${base}${rest}`)).status, 404, rest)
    equal((await call(server.url, 'GET', `${base}${rest}`)).status, 401, rest)
  }
})

await check('a real slide', async () => {
  const file = join(root, '../shared/data/wsi/CMU-1-Small-Region.svs')
  if (!existsSync(file)) return console.log('skipped: no ../shared/data')
  const svs = await session.upload(made.json.id, 'pathology', 'a.svs', readFileSync(file))
  await ready(svs)
  const answer = await session.call('GET', `/iiif/3/${svs}/801,602,400,300/max/0/default.png`)
  same(read(answer.body), region(801, 602, 0, 400, 300, file), 'a part of it')
})

await server.stop()
finish()
