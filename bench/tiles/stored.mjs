// Whether a slide costs more where many are stored: its tiles a second and the time of its description with one slide on the server and with 10,000.
// node bench/tiles/stored.mjs [--slide FILE] [--small FILE] [--slides N] [--rounds N] [--json FILE]     Without files those of the shared data.
// The others are small, but go the whole way: uploaded, opened by a decoder, kept. Both servers run beside each other and are asked in turn.
// FILE gets the row {name, goal, measured, unit, …}; the last line of the output is the same.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { equal, option, until } from '../../tests/lib/check.mjs'
import { Session } from '../../tests/lib/rest.mjs'
import { Server, root } from '../../tests/lib/server.mjs'
import { address, choose } from './big.mjs'

const SLIDES = Number(option('slides', 10000)),
  ROUNDS = Number(option('rounds', 7)),
  PER_REQUEST = 50, // so many files a request takes
  SENDERS = 8,
  ASKED = 20000, // tiles a round
  GOAL = 1.1,
  PASSWORD = 'Good-pass-1x',
  shared = (name) => join(root, '../shared/data/wsi', name),
  path = option('slide', shared('CMU-1-Small-Region.svs')),
  small = option('small', shared('boxes.tiff'))
if (!existsSync(path) || !existsSync(small)) {
  console.log('skipped: no ../shared/data')
  process.exit(0)
}
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]

/** A server with the slide that is asked for, and so many others. */
async function begin(others) {
  const server = new Server({ name: `bench-stored-${others}`, pages: false })
  server.people({ reader1: 'referrer' }, { password: PASSWORD })
  await server.start()
  const session = await new Session(server.url).login('reader1', PASSWORD)
  const request = async () =>
    (await session.post('/api/v1/requests', { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' })).id
  const bytes = readFileSync(small)
  let next = 0
  const send = async () => {
    let into, n
    for (let i = next++, last; i < others; i = next++) {
      if (!into || n++ === PER_REQUEST) [into, n] = [await request(), 1]
      last = await session.upload(
        into,
        'pathology',
        `${i}.tif`,
        Buffer.concat([bytes, Buffer.from(`${i}`.padStart(8))]),
      )
      await until('a slide', async () => (await session.get(`/api/v1/files/${last}`)).state === 'ready', 60, 20)
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, send))
  const slide = await session.upload(await request(), 'pathology', basename(path), readFileSync(path))
  await until('the slide', async () => (await session.get(`/api/v1/files/${slide}`)).state === 'ready', 60)
  const info = await session.get(`/slides/${slide}/info.json`)
  const tiles = choose(info.levels, ASKED)
  const list = join(server.dir, 'list')
  const lines = Array.from(
    { length: ASKED },
    (_, i) => `${address(slide, tiles[i % tiles.length])}?v=${info.version}\n`,
  )
  writeFileSync(list, lines.join(''))
  return { server, session, slide, list }
}

function rate(it) {
  const args = ['--list', it.list, '--port', it.server.ports.port, '--connections', 8, '--cookie', it.session.cookie]
  const told = JSON.parse(
    execFileSync(join(root, 'build/release/bench/bench-tiles'), args.map(String), { encoding: 'utf8' }),
  )
  equal(told.bad, 0, 'answers that were not what they should be')
  return told.per_s
}
async function described(it) {
  const start = performance.now()
  for (let i = 0; i < 50; i++) await it.session.get(`/slides/${it.slide}/info.json`)
  return (performance.now() - start) / 50
}

const few = await begin(0),
  many = await begin(SLIDES - 1)
const tiles = [],
  descriptions = []
for (let round = 0; round < ROUNDS; round++) {
  tiles.push(rate(few) / rate(many))
  descriptions.push((await described(many)) / (await described(few)))
}
await few.server.stop()
await many.server.stop()
const round2 = (n) => Math.round(100 * n) / 100
const worst = Math.max(median(tiles), median(descriptions)),
  ok = worst <= GOAL
const row = {
  name: 'tiles_10000_stored',
  what: `a tile, and a slide's description, where ${SLIDES} slides are stored: time against the same with one, the greater of both`,
  goal: GOAL,
  goal_is: 'at most',
  measured: round2(worst),
  unit: 'x one',
  peer: null,
  floor: 1,
  ok,
  samples: { tiles: tiles.map(round2), descriptions: descriptions.map(round2) },
}
if (option('json', '')) writeFileSync(option('json', ''), JSON.stringify([row]) + '\n')
console.log(JSON.stringify([row]))
process.exit(ok ? 0 : 1)
