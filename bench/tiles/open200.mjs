// What the server and its decoders take in memory while 200 slides are open, beside what they take before the first.
// node bench/tiles/open200.mjs [--slide FILE] [--slides N] [--json FILE]     Without --slide the SVS of the shared data.
// Of every slide its description, a screen of its own tiles and its smallest level, which is decoded; two times round, so that none is only a memory.
// FILE gets the row {name, goal, measured, unit, …}; the last line of the output is the same.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { equal, option, until } from '../../tests/lib/check.mjs'
import { Session } from '../../tests/lib/rest.mjs'
import { Server, root } from '../../tests/lib/server.mjs'
import { address } from './big.mjs'

const SLIDES = Number(option('slides', 200)),
  PER_REQUEST = 50, // so many files a request takes
  SCREEN = 12, // tiles
  GOAL = 200,
  PASSWORD = 'Good-pass-1x',
  path = option('slide', join(root, '../shared/data/wsi/CMU-1-Small-Region.svs'))
if (!existsSync(path)) {
  console.log('skipped: no ../shared/data')
  process.exit(0)
}

/** A process and all below it. */
function family(pid) {
  const below = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  )
  return [pid, ...below.flatMap(family)]
}
/** KiB of one, and its share of what several have (PSS); of one that has just ended none. */
function share(pid) {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1])
  } catch (error) {
    if (error.code === 'ESRCH' || error.code === 'ENOENT') return 0
    throw error
  }
}
function memory(pid) {
  const kib = family(pid).map(share).filter(Boolean)
  return { mib: Math.round(kib.reduce((a, b) => a + b, 0) / 102.4) / 10, processes: kib.length }
}

const server = new Server({ name: 'bench-open200', pages: false })
server.people({ reader1: 'referrer' }, { password: PASSWORD })
await server.start()
const session = await new Session(server.url).login('reader1', PASSWORD)
const bytes = readFileSync(path)
const slides = []
while (slides.length < SLIDES) {
  const made = await session.post('/api/v1/requests', { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' })
  for (let i = 0; i < PER_REQUEST && slides.length < SLIDES; i++) {
    // bytes that differ at the end: each a slide of its own, none recognised as another
    const own = Buffer.concat([bytes, Buffer.from(`${slides.length}`.padStart(8))])
    slides.push(await session.upload(made.id, 'pathology', `${slides.length}.svs`, own))
  }
}
for (const slide of slides)
  await until('the slide', async () => (await session.get(`/api/v1/files/${slide}`)).state === 'ready', 60)
const before = memory(server.process.pid)

async function look(slide) {
  const info = await session.get(`/slides/${slide}/info.json`)
  const [finest] = info.levels
  const asked = [{ level: info.levels.length - 1, column: 0, row: 0 }]
  for (let i = 0; i < SCREEN; i++)
    asked.push({ level: 0, column: i % finest.columns, row: Math.floor(i / finest.columns) % finest.rows })
  const answers = await Promise.all(
    asked.map((tile) => session.call('GET', `${address(slide, tile)}?v=${info.version}`)),
  )
  equal([...new Set(answers.map(({ status }) => status))], [200], 'tiles')
}
for (let round = 0; round < 2; round++) for (const slide of slides) await look(slide)
const open = memory(server.process.pid)
await server.stop()

const ok = open.mib <= GOAL
const row = {
  name: 'tiles_200_open_memory',
  what: `${SLIDES} slides open, a screen of each and its overview looked at twice: memory of the server and its decoders together`,
  goal: GOAL,
  goal_is: 'at most',
  measured: open.mib,
  unit: 'MiB',
  peer: null,
  floor: before.mib,
  ok,
  samples: { before, open },
}
if (option('json', '')) writeFileSync(option('json', ''), JSON.stringify([row]) + '\n')
console.log(JSON.stringify([row]))
process.exit(ok ? 0 : 1)
