// Pictures of places on slides in a report, against the real server: node tests/interop/figures.mjs (CN_BUILD=release for another build).
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { assert, check, equal, finish, until } from '../lib/check.mjs'
import { listening } from '../lib/offer.mjs'
import { likeness, read } from '../lib/png.mjs'
import { Session } from '../lib/rest.mjs'
import { Server, sanitized } from '../lib/server.mjs'
import { Socket } from '../lib/socket.mjs'

const PASSWORD = 'Good-pass-1x'
const [WIDTH, HEIGHT] = [3000, 2000]
const server = new Server({
  build: sanitized,
  name: 'door-figures',
  pages: false,
})
server.people(
  {
    referrer1: 'referrer',
    referrer2: 'referrer',
    centre1: 'consult_admin',
    expert1: 'expert',
    expert2: 'expert',
  },
  { hospital: '省肿瘤医院', password: PASSWORD },
)
const slide = join(server.dir, 'HE 2.tif')
execFileSync(join(dirname(server.bin), 'consilium-demo-slide'), [slide, String(WIDTH), String(HEIGHT), '7'])
await server.start()
const login = (name) => new Session(server.url).login(name, PASSWORD)
const [referrer, stranger, centre, lead, second] = [
  await login('referrer1'),
  await login('referrer2'),
  await login('centre1'),
  await login('expert1'),
  await login('expert2'),
]
let path, file, planes, mpp, figure, other

async function done(session, method, where, json, status = 200) {
  const answer = await session.call(method, where, { json })
  equal(answer.status, status, `${method} ${where}: ${answer.body}`)
  return answer.json
}
const ready = (id) =>
  until('the slide', async () => (await done(referrer, 'GET', `/api/v1/files/${id}`)).state === 'ready', 30, 50)
const picture = (session, id) => session.call('GET', `${path}/figures/${id}`)
/** A JPEG's pixels. */
function pixels(jpeg, side) {
  const from = join(server.dir, 'figure.jpg')
  writeFileSync(from, jpeg)
  const to = join(server.dir, 'figure.png')
  execFileSync('gdk-pixbuf-thumbnailer', ['-s', String(side), from, to])
  return read(readFileSync(to))
}
/** What OpenSlide reads of level 0. */
function region(x, y, width, height) {
  const out = join(server.dir, 'region.png')
  execFileSync('openslide-write-png', [slide, x, y, 0, width, height, out].map(String))
  return read(readFileSync(out))
}
/** Of both only the upper left part, where no bar is drawn. */
function upper({ width, height, rgb }, part = 0.6) {
  const rows = Math.floor(height * part)
  return { width, height: rows, rgb: rgb.subarray(0, 3 * width * rows) }
}
/** The longest run of black pixels on any line: the bar. */
function bar({ width, height, rgb }, from = 0, to = height) {
  let longest = 0
  for (let y = from; y < to; y++)
    for (let x = 0, run = 0; x < width; x++) {
      const at = 3 * (y * width + x)
      run = rgb[at] + rgb[at + 1] + rgb[at + 2] < 60 ? run + 1 : 0
      longest = Math.max(longest, run)
    }
  return longest
}

await check('a consultation with a slide begins', async () => {
  const { id } = await done(
    referrer,
    'POST',
    '/api/v1/requests',
    {
      patient: { name: '欧阳若兰', sex: 'female', birth_date: '1961-05-02' },
      diagnosis: '占位',
      question: '性质？',
    },
    201,
  )
  path = `/api/v1/requests/${id}`
  await referrer.upload(id, 'consent', 'consent.txt', Buffer.from('知情同意\n'))
  file = await referrer.upload(id, 'pathology', 'HE 2.tif', readFileSync(slide))
  await ready(file)
  const made = join(server.dir, 'made')
  mkdirSync(made)
  execFileSync(join(dirname(server.bin), 'make-slides'), [made])
  planes = await referrer.upload(id, 'pathology', 'z.ome.tif', readFileSync(join(made, 'ome/slide.ome.tif')))
  await ready(planes)
  await done(referrer, 'POST', `${path}/submit`, {})
  const at = Date.now() + 3600000
  const experts = [second.user.id]
  await done(centre, 'POST', `${path}/schedule`, {
    lead: lead.user.id,
    experts,
    at,
    minutes: 30,
  })
  const { room } = await done(lead, 'POST', `${path}/room`, {})
  const inside = []
  for (const { cookie } of [referrer, lead]) {
    const socket = await Socket.open(server.url, { cookie })
    assert(
      (
        await socket.call('room.join', {
          room,
          device: 'phone',
          ...listening(),
        })
      ).result,
      'both are inside',
    )
    inside.push(socket)
  }
  await until('the beginning', async () => (await done(lead, 'GET', path)).state === 'IN_SESSION')
  await done(lead, 'POST', `${path}/finish`, {})
  for (const socket of inside) socket.close()
  mpp = (await done(lead, 'GET', `/slides/${file}/info.json`)).mpp_x
  assert(mpp > 0, 'the slide has a scale')
})

const PLACE = { cx: 1000, cy: 800, w: 1200, h: 800 }

await check(
  'the lead expert takes a picture: the very pixels of the slide, with a bar that is as long as it says',
  async () => {
    figure = await done(lead, 'POST', `${path}/figures`, { file, ...PLACE }, 201)
    equal([figure.width, figure.height], [1200, 800], 'its size')
    const { body, headers } = await picture(lead, figure.id)
    equal(headers['content-type'], 'image/jpeg', 'its type')
    const seen = pixels(body, 1200)
    const found = likeness(upper(seen), upper(region(400, 400, 1200, 800)))
    assert(found > 33, `${found.toFixed(1)} dB from what OpenSlide reads`)
    const microns = bar(seen) * mpp
    const wanted = [1, 2, 5]
      .flatMap((n) => [n, 10 * n, 100 * n])
      .sort((a, b) => Math.abs(a - microns) - Math.abs(b - microns))[0]
    assert(Math.abs(microns / wanted - 1) < 0.01, `a bar of ${microns} µm`)
  },
)

await check(
  'a picture is of the focal plane that was on screen, and of none that the slide does not have',
  async () => {
    const side = 240
    const place = { file: planes, cx: side / 2, cy: side / 2, w: side, h: side }
    const { tile_width, tile_height } = (await done(lead, 'GET', `/slides/${planes}/info.json`)).levels[0]
    const corner = async (z) => {
      const tile = await lead.call('GET', `/slides/${planes}/tiles/0/0_0.jpeg?z=${z}`)
      const { width, rgb } = pixels(tile.body, Math.max(tile_width, tile_height))
      const rows = Array.from({ length: side }, (_, y) => rgb.subarray(3 * y * width, 3 * (y * width + side)))
      return { width: side, height: side, rgb: Buffer.concat(rows) }
    }
    for (const z of [0, 1, 2]) {
      const { id } = await done(lead, 'POST', `${path}/figures`, { ...place, z }, 201)
      const seen = upper(pixels((await picture(lead, id)).body, side))
      const [own, next] = [likeness(seen, upper(await corner(z))), likeness(seen, upper(await corner((z + 1) % 3)))]
      assert(own > 30 && next < 20, `plane ${z}: ${own.toFixed(1)} dB from itself, ${next.toFixed(1)} dB from another`)
    }
    await done(lead, 'POST', `${path}/figures`, { ...place, z: 3 }, 422)
  },
)

await check('turned and mirrored it is what was on screen, with the marks that were chosen', async () => {
  const mark = await done(
    lead,
    'POST',
    `/api/v1/files/${file}/marks`,
    {
      id: 'box-1',
      kind: 'rectangle',
      points: [
        [900, 700],
        [1100, 700],
        [1100, 900],
        [900, 900],
      ],
      colour: '#00ff00',
    },
    201,
  )
  const place = {
    cx: 1000,
    cy: 800,
    w: 1200,
    h: 1200,
    rotation: 90,
    mirror: true,
  }
  other = await done(lead, 'POST', `${path}/figures`, { file, ...place, marks: [mark.id] }, 201)
  const seen = pixels((await picture(lead, other.id)).body, 1200)
  const from = region(400, 200, 1200, 1200)
  // clockwise by a quarter, then mirrored: rows and columns change places
  const rgb = new Uint8Array(3 * 1200 * 1200)
  for (let y = 0; y < 1200; y++)
    for (let x = 0; x < 1200; x++)
      for (let c = 0; c < 3; c++) rgb[3 * (y * 1200 + x) + c] = from.rgb[3 * (x * 1200 + y) + c]
  const found = likeness(upper(seen, 0.4), upper({ width: 1200, height: 1200, rgb }, 0.4))
  assert(found > 33, `${found.toFixed(1)} dB`)
  const at = 3 * (600 * 1200 + 500)
  assert(seen.rgb[at + 1] > 200 && seen.rgb[at] < 90, `green where the mark is: ${seen.rgb.subarray(at, at + 3)}`)
})

// comparing took so long that a connection ended meanwhile: that has to be seen before it is used again
await new Promise((go) => setTimeout(go, 50))
await check('what is not there, is nobody else’s, or makes no sense is refused', async () => {
  const bad = async (session, body, status) =>
    equal((await session.call('POST', `${path}/figures`, { json: body })).status, status, JSON.stringify(body))
  await bad(lead, { file, ...PLACE, cx: 90000 }, 422)
  await bad(lead, { file, ...PLACE, w: 0 }, 422)
  await bad(lead, { file, ...PLACE, w: 1e9 }, 422)
  await bad(lead, { file, ...PLACE, h: 20 }, 422)
  await bad(lead, { file, ...PLACE, rotation: 'x' }, 422)
  await bad(lead, { file: 'x', ...PLACE }, 404)
  await bad(second, { file, ...PLACE }, 403)
  await bad(referrer, { file, ...PLACE }, 403)
  await bad(stranger, { file, ...PLACE }, 403)
  equal((await lead.call('GET', `${path}/figures/${'0'.repeat(26)}`)).status, 404, 'an id that is none')
})

await check('a picture that nobody signed is its author’s alone', async () => {
  for (const session of [referrer, second, centre, stranger])
    equal((await picture(session, figure.id)).status, 404, 'seen too early')
})

const texts = { findings: '腺体异型（见【图1】）。', conclusion: '腺癌。' }
const draftOf = (figures, revision) => ({ ...texts, figures, revision })

await check('the draft names its pictures; strange ones and one twice are refused', async () => {
  const put = (figures, revision = 0) => lead.call('PUT', `${path}/report`, { json: draftOf(figures, revision) })
  equal((await put([{ id: 'nonsense' }])).status, 422, 'a strange one')
  equal((await put([{ id: figure.id }, { id: figure.id }])).status, 422, 'twice')
  equal((await put([{ id: figure.id, caption: 'x'.repeat(301) }])).status, 422, 'a long caption')
  equal((await put([{ id: figure.id, caption: '异型腺体' }, { id: other.id }])).status, 200, 'the draft')
  const { figures, revision } = await done(lead, 'GET', `${path}/report`)
  equal([figures.length, figures[0].caption, figures[0].cx, figures[1].rotation], [2, '异型腺体', 1000, 90], 'as kept')
  await done(lead, 'PUT', `${path}/report`, { ...texts, revision })
  equal((await done(lead, 'GET', `${path}/report`)).figures.length, 2, 'who says nothing of them leaves them')
})

await check('signed, everybody of the request sees them, and the printed page has them to scale', async () => {
  await done(lead, 'POST', `${path}/report/sign`, {})
  for (const session of [referrer, second]) equal((await picture(session, figure.id)).status, 200, 'seen')
  equal((await picture(stranger, figure.id)).status, 404, 'by a stranger')
  const pdf = (await referrer.call('GET', `${path}/report.pdf`)).body
  const words = execFileSync('pdftotext', ['-layout', '-', '-'], {
    input: pdf,
    encoding: 'utf8',
  })
  assert(words.includes('图1') && words.includes('异型腺体') && words.includes('HE 2.tif'), 'the words below it')
  assert(words.includes(`视野宽 ${Math.round(1200 * mpp)} µm`), 'how wide it is')
  const list = execFileSync('pdfimages', ['-list', '-'], {
    input: pdf,
    encoding: 'utf8',
  })
  equal(list.match(/ jpeg /g)?.length, 2, 'pictures, as they were kept')
  const raw = join(server.dir, 'print')
  writeFileSync(`${raw}.pdf`, pdf)
  execFileSync('pdfimages', ['-j', `${raw}.pdf`, raw])
  assert(readFileSync(`${raw}-000.jpg`).equals((await picture(lead, figure.id)).body), 'the same bytes')
})

await check('an amendment begins with them and may leave them out; the version before keeps them', async () => {
  const { revision } = await done(lead, 'GET', `${path}/report`)
  await done(lead, 'PUT', `${path}/report`, {
    ...texts,
    reason: '更正',
    figures: [{ id: other.id }],
    revision,
  })
  await done(lead, 'POST', `${path}/report/sign`, {})
  const { versions } = await done(referrer, 'GET', `${path}/report/versions`)
  equal(
    versions.map(({ figures }) => figures.length),
    [2, 1],
    'pictures of each version',
  )
  equal((await picture(referrer, figure.id)).status, 200, 'that of the first version')
})

await server.stop()
finish()
