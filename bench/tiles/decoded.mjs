// What a tile costs that has to be decoded: through the server, logged in and over one connection, beside openslide_read_region and libjpeg
// alone with the same regions (bench-region), in turn; then what four connections reach on one slide with one decoder and with more.
// node bench/tiles/decoded.mjs [--slide FILE] [--rounds N] [--json FILE]     Without --slide the NDPI of the shared data.
// FILE gets the rows {name, goal, measured, unit, peer, floor, ok}; the last line of the output is the same.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { equal, option, until } from '../../tests/lib/check.mjs'
import { Session } from '../../tests/lib/rest.mjs'
import { Server, root } from '../../tests/lib/server.mjs'

const ROUNDS = Number(option('rounds', 3)),
  BATCH = Number(option('tiles', 150)),
  GOAL = { tile: 1.2, cores: 1.6 },
  LOOKERS = 4,
  PASSWORD = 'Good-pass-1x',
  path = option('slide', join(root, '../shared/data/wsi/test3-DAPI-2-387.ndpi'))
if (!existsSync(path)) {
  console.log('skipped: no ../shared/data')
  process.exit(0)
}
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]
const program = (name) => join(root, 'build/release/bench', name)

/** A server with so many decoders, the slide in it, and the whole tiles of its finest level in an order that no cache foresees. */
async function begin(decoders) {
  const server = new Server({ name: `bench-decoded-${decoders}`, pages: false, extra: { viewer: { decoders } } })
  server.people({ reader1: 'referrer' }, { password: PASSWORD })
  await server.start()
  const session = await new Session(server.url).login('reader1', PASSWORD)
  const made = await session.post('/api/v1/requests', { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' })
  const slide = await session.upload(made.id, 'pathology', basename(path), readFileSync(path))
  await until('the slide', async () => (await session.get(`/api/v1/files/${slide}`)).state === 'ready', 60)
  const info = await session.get(`/slides/${slide}/info.json`)
  const [finest] = info.levels
  if (finest.native) throw new Error('this slide has tiles of its own: nothing is decoded')
  const tiles = []
  for (let i = 0; i < (finest.columns - 1) * (finest.rows - 1); i++)
    tiles.push([i % (finest.columns - 1), Math.floor(i / (finest.columns - 1))])
  tiles.sort((a, b) => ((a[0] * 7919 + a[1] * 104729) % 1009) - ((b[0] * 7919 + b[1] * 104729) % 1009))
  const side = finest.tile_width ?? info.tile_size
  return {
    server,
    session,
    tiles,
    side,
    info,
    address: (at) => `/slides/${slide}/tiles/0/${at[0]}_${at[1]}.jpeg?v=${info.version}`,
  }
}

function ask(it, tiles, connections) {
  const list = join(it.server.dir, 'list')
  writeFileSync(list, tiles.map((at) => it.address(at) + '\n').join(''))
  const args = [
    '--list',
    list,
    '--port',
    it.server.ports.port,
    '--connections',
    connections,
    '--cookie',
    it.session.cookie,
  ]
  const start = performance.now()
  const told = JSON.parse(execFileSync(program('bench-tiles'), args.map(String), { encoding: 'utf8' }))
  equal(told.bad, 0, 'answers that were not what they should be')
  return (performance.now() - start) / 1000 // s, the start of the program with it
}

function alone(warm, tiles, side) {
  const input = [...warm, ...tiles].map(([column, row]) => `0 ${column * side} ${row * side}\n`).join('')
  return (
    JSON.parse(
      execFileSync(program('bench-region'), [path, String(side), String(warm.length)], { input, encoding: 'utf8' }),
    ).sum_us / 1e6
  )
}

const one = await begin(1),
  more = await begin(8)
console.error(JSON.stringify({ tiles: one.tiles.length, side: one.side, level: one.info.levels[0] }))
const ours = [],
  peer = [],
  by = { one: [], more: [] }
const warm = one.tiles.slice(0, 8)
for (const it of [one, more]) ask(it, it.tiles.splice(0, warm.length), 1) // the decoder is there, as bench-region is that has read them
const each = Math.min(BATCH, Math.floor(one.tiles.length / ROUNDS / 2))
for (let round = 0; round < ROUNDS; round++) {
  const tiles = one.tiles.splice(0, each)
  more.tiles.splice(0, each)
  peer.push(alone(warm, tiles, one.side) / each)
  ours.push(ask(one, tiles, 1) / each)
  by.one.push(ask(one, one.tiles.splice(0, each), LOOKERS) / each)
  by.more.push(ask(more, more.tiles.splice(0, each), LOOKERS) / each)
}
await one.server.stop()
await more.server.stop()
const round2 = (n) => Math.round(100 * n) / 100
const ratio = median(ours.map((s, i) => s / peer[i])),
  cores = median(by.one.map((s, i) => s / by.more[i]))
const rows = [
  {
    name: 'tiles_decoded_vs_openslide',
    what: 'a tile that has to be decoded, one connection: time against openslide_read_region and libjpeg alone',
    goal: GOAL.tile,
    measured: round2(ratio),
    unit: 'ratio',
    peer: `openslide_read_region + libjpeg: ${round2(1e3 * median(peer))} ms, ours ${round2(1e3 * median(ours))} ms`,
    floor: 1,
    ok: ratio <= GOAL.tile,
  },
  {
    name: 'tiles_decoded_by_all_cores',
    what: 'the same, four connections on one slide: one decoder against as many as there are cores',
    goal_is: 'at least',
    goal: GOAL.cores,
    measured: round2(cores),
    unit: 'ratio',
    peer: `one decoder: ${round2(1e3 * median(by.one))} ms a tile, more: ${round2(1e3 * median(by.more))} ms`,
    floor: 2,
    ok: cores >= GOAL.cores,
  },
]
if (option('json', '')) writeFileSync(option('json', ''), JSON.stringify(rows, undefined, 1) + '\n')
console.log(JSON.stringify(rows))
process.exit(rows.every((row) => row.ok) ? 0 : 1)
