// What the room of 230 notices of tiles: the delay that the server adds, alone and while it serves a slide's own tiles as fast as one asks for them.
// node bench/tiles/beside.mjs [--slide FILE] [--rounds N] [--seconds N] [--warm N] [--json FILE]
// Room and tiles meet on core 0, in one server. Who asks for tiles takes what the load generator leaves of core 1. The last line is one JSON object.
import { execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { option, until } from '../../tests/lib/check.mjs'
import { Session } from '../../tests/lib/rest.mjs'
import { root } from '../../tests/lib/server.mjs'
import { address, bigSlide, choose, upload } from './big.mjs'

const ROUNDS = Number(option('rounds', 2)),
  SECONDS = Number(option('seconds', 8)),
  WARM = Number(option('warm', 25)), // the slide is uploaded meanwhile
  TILES = 500, // of a run of bench-tiles: about a second, so that a run cut off by the room's end is little
  TAIL = 3, // seconds from the figures' end to the server's: bench-load's direct packets
  PAUSE = 3, // seconds without the end of a run: tiles did not flow
  CONNECTIONS = 8,
  GOAL = 1.2,
  BUILT = join(root, 'build/release')
const slide = option('slide', '') || bigSlide()

const children = (pid) => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  } catch {
    return []
  }
}

/** Empty for a process that has ended. */
const commandOf = (pid) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
  } catch {
    return []
  }
}

/** The server that bench-load started: {pid, config}; undefined: not yet. */
function serverOf(pid) {
  for (const child of children(pid)) {
    const command = commandOf(child)
    const config = command.includes('serve') && command[command.indexOf('--config') + 1]
    const found = config ? { pid: child, config } : serverOf(child)
    if (found) return found
  }
}

/** Asks the server of `room` for tiles until it ends: → {runs: [{end, requests, seconds}], gone}, times of performance.now(). */
async function askForTiles(room) {
  let server
  await until('the server of the room', () => (server = serverOf(room.pid)), 30, 50)
  const { pid, config } = server
  const ports = join(dirname(config), 'ports.json')
  await until('its door', () => existsSync(ports), 30, 50)
  const { port } = JSON.parse(readFileSync(ports, 'utf8'))
  const who = ['reader1', '--hospital', 'Test hospital', '--role', 'referrer', '--config', config]
  const told = execFileSync(join(BUILT, 'consilium'), ['user', 'add', ...who], { encoding: 'utf8' })
  const session = await new Session(`http://127.0.0.1:${port}`).login('reader1', /password (\S+)/.exec(told)[1])
  const form = { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' }
  const id = await upload(session, (await session.post('/api/v1/requests', form)).id, slide)
  const { levels, version } = await session.get(`/slides/${id}/info.json`)
  const list = join(dirname(config), 'tiles.list')
  const addresses = choose(levels, TILES).map((tile) => `${address(id, tile)}?v=${version}`)
  writeFileSync(list, addresses.join('\n') + '\n')
  const asks = ['--list', list, '--port', port, '--connections', CONNECTIONS, '--cpu', 1, '--cookie', session.cookie]
  const command = ['-n', '19', join(BUILT, 'bench/bench-tiles'), ...asks.map(String)]
  const runs = []
  for (;;) {
    try {
      const { requests, seconds } = JSON.parse((await promisify(execFile)('nice', command)).stdout)
      if (!requests) throw new Error('bench-tiles asked for nothing')
      runs.push({ end: performance.now(), requests, seconds })
    } catch (error) {
      // only a server that has ended excuses a run that broke off
      const gone = performance.now()
      await until(`the server's end, since ${error.message}`, () => !commandOf(pid).length, 5, 50)
      return { runs, gone }
    }
  }
}

/** Tiles a second while the figures were taken; throws when they did not flow all the time. */
function rateOf({ runs, gone }) {
  const start = gone - 1000 * (SECONDS + TAIL)
  const counted = runs.filter((run) => run.end >= start)
  if (!counted.length) throw new Error('no tiles came while the room was measured')
  const before = runs.filter((run) => run.end < start).at(-1)
  if (!before) throw new Error('the slide came too late: --warm')
  const ends = [before, ...counted].map((run) => run.end)
  const pauses = [...ends.slice(1), gone].map((end, i) => (end - ends[i]) / 1000)
  if (Math.max(...pauses) > PAUSE) throw new Error(`no tiles for ${Math.max(...pauses).toFixed(1)} s`)
  const sum = (key) => counted.reduce((n, run) => n + run[key], 0)
  return Math.round(sum('requests') / sum('seconds'))
}

/** One run of the room: what it added at the 99th percentile, and how many tiles came a second. */
async function play(beside) {
  const scene = ['--json', '--scene', 'consultation', '--seconds', SECONDS, '--warm', WARM].map(String)
  const room = spawn(join(root, 'bench/first.sh'), [join(BUILT, 'bench/bench-load'), ...scene], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  room.stdout.on('data', (data) => (text += data))
  const ended = new Promise((r) => room.on('close', r))
  const tiles = beside ? await askForTiles(room) : null
  await ended
  const told = JSON.parse(text.trim().split('\n').at(-1))
  return {
    added_ms: told.delay_p99_ms - told.direct_p99_ms,
    delay_ms: told.delay_p99_ms,
    lost: told.lost,
    generator_percent: told.generator_percent,
    core_percent: told.core_percent,
    tiles_per_s: tiles && rateOf(tiles),
  }
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]
const alone = [],
  beside = []
for (let round = 0; round < ROUNDS; round++) {
  alone.push(await play(false))
  beside.push(await play(true))
}
const [a, b] = [alone, beside].map((list) => median(list.map((one) => one.added_ms)))
const ratio = Math.round((100 * b) / a) / 100
const line = JSON.stringify({ ok: ratio <= GOAL, goal: GOAL, ratio, alone_ms: a, beside_ms: b, alone, beside })
if (option('json', '')) writeFileSync(option('json', ''), line + '\n')
console.log(line)
process.exit(ratio <= GOAL ? 0 : 1)
