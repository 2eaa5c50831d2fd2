// How long a slide's tiles take while somebody else's dear documents are converted and drawn, against the same alone.
// node bench/tiles/tiles.mjs [--tiles N] [--rounds N] [--tree DIR]     (tiles of each phase; alone and beside in turn; whose build)
// The last line is one JSON object; the exit status says whether the 95th percentile is at most twice what it is alone.
import { readFileSync } from 'node:fs'
import { equal, option, sleep, until } from '../../tests/lib/check.mjs'
import { Session } from '../../tests/lib/rest.mjs'
import { Server, root } from '../../tests/lib/server.mjs'
import { dearDocx, dearPdf } from './dear.mjs'

const TILES = Number(option('tiles', 150)),
  ROUNDS = Number(option('rounds', 3)),
  VIEWERS = 4, // tiles asked for at once, as a viewer does
  THUMBNAILS = 4,
  GOAL = 2
const PASSWORD = 'Good-pass-1x'

const server = new Server({ name: 'bench-tiles', pages: false, tree: option('tree', root) })
server.people({ reader1: 'referrer', sender1: 'referrer' }, { password: PASSWORD })
await server.start()
const reader = await new Session(server.url).login('reader1', PASSWORD)
const sender = await new Session(server.url).login('sender1', PASSWORD)
const request = async (session) =>
  (await session.post('/api/v1/requests', { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' })).id

const slide = await reader.upload(await request(reader), 'pathology', 'slide.tif', readFileSync(server.slide))
await until('the slide', async () => (await reader.get(`/api/v1/files/${slide}`)).state === 'ready', 60)

/** Every tile of the three finest levels, in an order that no cache foresees. */
async function tilesOf(slide) {
  const dzi = (await reader.call('GET', `/slides/${slide}.dzi`)).body.toString()
  const [, side] = /TileSize="(\d+)"/.exec(dzi).map(Number)
  const size = ['Width', 'Height'].map((name) => Number(new RegExp(`${name}="(\\d+)"`).exec(dzi)[1]))
  const finest = Math.ceil(Math.log2(Math.max(...size)))
  const all = []
  for (let level = finest; level > finest - 3; level--) {
    const [columns, rows] = size.map((n) => Math.ceil(n / 2 ** (finest - level) / side))
    for (let at = 0; at < columns * rows; at++) all.push(`${level}/${at % columns}_${Math.floor(at / columns)}`)
  }
  return all
    .map((name, i) => [(i * 7919) % all.length, name])
    .sort((a, b) => a[0] - b[0])
    .map(([, name]) => name)
}

const tiles = await tilesOf(slide)
if (tiles.length < 2 * ROUNDS * TILES) throw new Error(`the slide has ${tiles.length} tiles only`)

async function phase(took) {
  const mine = tiles.splice(0, TILES)
  const view = async () => {
    for (let name = mine.pop(); name; name = mine.pop()) {
      const start = performance.now()
      equal((await reader.call('GET', `/slides/${slide}_files/${name}.jpeg`)).status, 200, `tile ${name}`)
      took.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: VIEWERS }, view))
}

let going = false
const beside = { drawn: 0, refused: 0, documents: 0, converting: 0, looks: 0 }
const pdf = dearPdf(),
  docx = dearDocx()

/** One place in the line of pictures, always filled: each size is a picture of its own, and a file that was given up is sent anew. */
async function thumbnails(request, first) {
  let id
  for (let size = first; going; size = 32 + ((size - 31) % 992)) {
    id ??= await sender.upload(request, 'other', `${first}.pdf`, pdf)
    const answer = await sender.call('GET', `/api/v1/files/${id}/thumbnail?size=${size}`).catch(() => undefined)
    beside[answer?.status === 200 ? 'drawn' : 'refused']++
    if (answer?.status !== 200) id = undefined
  }
}

/** Always a document that is being converted and one that waits. */
async function documents(request) {
  let under = []
  while (going) {
    while (under.length < 2) under.push(await sender.upload(request, 'other', `${beside.documents++}.docx`, docx))
    const states = await Promise.all(under.map(async (id) => (await sender.get(`/api/v1/files/${id}`)).state))
    beside.looks++
    if (states.includes('converting')) beside.converting++
    under = under.filter((_, i) => states[i] === 'converting')
    await sleep(250)
  }
}

async function bombs() {
  const theirs = await request(sender)
  going = true
  const all = [documents(theirs)]
  for (let i = 0; i < THUMBNAILS; i++) all.push(thumbnails(theirs, 32 + 240 * i))
  await until('a conversion', () => beside.converting > 0, 60)
  return async () => {
    going = false
    await Promise.all(all)
  }
}

const percentile = (list, share) => [...list].sort((a, b) => a - b)[Math.floor(share * (list.length - 1))]
const alone = [],
  busy = []
await phase([]) // the decoders are there, and what they need is in memory
for (let round = 0; round < ROUNDS; round++) {
  await phase(alone)
  const stop = await bombs()
  await phase(busy)
  await stop()
}
await server.stop()

const told = (list) => ({
  p50: Math.round(percentile(list, 0.5) * 10) / 10,
  p95: Math.round(percentile(list, 0.95) * 10) / 10,
})
const [a, b] = [told(alone), told(busy)]
const ratio = Math.round((100 * b.p95) / a.p95) / 100
console.log(
  JSON.stringify({ goal: GOAL, ratio, alone_ms: a, beside_ms: b, tiles: alone.length, beside, ok: ratio <= GOAL }),
)
process.exit(ratio <= GOAL ? 0 : 1)
