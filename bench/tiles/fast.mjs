// How fast a slide's own tiles leave, logged in and with the permission checked, beside nginx with the same bytes in files and beside iipsrv.
// node bench/tiles/fast.mjs [--slide FILE] [--tiles N] [--rounds N] [--tls 0|1] [--only nginx,iipsrv] [--connections 1,8,64]
// Each server has core 0, who asks has core 1. The last line is one JSON object: what each reached, and ratios (the median of the rounds', in
// which ours and a peer take turns). Without --slide the one of the shared data's MANIFEST is made (vips): build/tiles/big.tif.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { equal, option, until } from '../../tests/lib/check.mjs'
import { Session, partHeaders, uploadHeaders } from '../../tests/lib/rest.mjs'
import { Server, root } from '../../tests/lib/server.mjs'
import { certificate, cpuMicros, has, iipsrv, nginx } from './peers.mjs'

const TILES = Number(option('tiles', 6000)),
  ROUNDS = Number(option('rounds', 5)),
  ONLY = option('only', 'nginx,iipsrv').split(','),
  CONNECTIONS = option('connections', '1,8,64').split(',').map(Number),
  CORE = { server: 0, asks: 1 },
  PASSWORD = 'Good-pass-1x',
  PART = 8 << 20,
  GOALS = { 1: 0.9, 8: 0.45, 64: 0.45 }

/** The slide of the manifest: 59,940 × 41,538, nine levels, 520 MB. */
function bigSlide() {
  const path = join(root, 'build/tiles/big.tif'),
    small = join(root, '../shared/data/wsi/CMU-1-Small-Region.svs')
  if (existsSync(path)) return path
  if (!existsSync(small)) throw new Error('no ../shared/data: give a slide with --slide')
  mkdirSync(dirname(path), { recursive: true })
  const flat = join(dirname(path), 'flat.v'),
    own = `${path}.${process.pid}.tif`
  execFileSync('vips', ['flatten', small, flat])
  const how = '[tile,pyramid,tile-width=256,tile-height=256,compression=jpeg,Q=80,bigtiff]'
  execFileSync('vips', ['replicate', flat, own + how, '27', '14'])
  renameSync(own, path)
  return path
}

/** A file that is not read into memory. */
async function upload(session, request, path) {
  const size = statSync(path).size
  const made = await session.call('POST', '/uploads', { headers: uploadHeaders(size, request, 'pathology', 'big.tif') })
  equal(made.status, 201, 'upload')
  const fd = openSync(path, 'r')
  for (let at = 0; ; ) {
    const body = Buffer.alloc(Math.min(PART, size - at))
    readSync(fd, body, 0, body.length, at)
    const part = await session.call('PATCH', made.headers.location, { body, headers: partHeaders(at) })
    equal(part.status, 204, 'part')
    at = Number(part.headers['upload-offset'])
    if (!part.headers['x-file-id']) continue
    closeSync(fd)
    return part.headers['x-file-id']
  }
}

/** Distinct tiles of all levels that leave as they are, in an order that no cache foresees; the same ones each time. */
function choose(levels, n) {
  const all = []
  levels.forEach((level, at) => {
    for (let i = 0; level.native && i < level.columns * level.rows; i++)
      all.push({ level: at, column: i % level.columns, row: Math.floor(i / level.columns) })
  })
  let seed = 12345
  const next = (most) => (seed = (seed * 48271) % 2147483647) % most
  for (let i = 0; i < Math.min(n, all.length); i++) {
    const other = i + next(all.length - i)
    ;[all[i], all[other]] = [all[other], all[i]]
  }
  return all.slice(0, n)
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]

function ask(pid, list, port, connections, tls, cookie) {
  const args = ['--list', list, '--port', port, '--connections', connections, '--cpu', CORE.asks]
  if (tls) args.push('--tls')
  if (cookie) args.push('--cookie', cookie)
  const before = cpuMicros(pid)
  const told = JSON.parse(
    execFileSync(join(root, 'build/release/bench/bench-tiles'), args.map(String), { encoding: 'utf8' }),
  )
  equal(told.bad, 0, 'answers that were not what they should be')
  return {
    per_s: told.per_s,
    cpu_us: Math.round((10 * (cpuMicros(pid) - before)) / told.requests) / 10,
    p95_us: told.p95_us,
  }
}

const server = new Server({ name: 'bench-fast', pages: false })
const pin = () => execFileSync('taskset', ['-a', '-c', '-p', String(CORE.server), String(server.process.pid)])
server.people({ reader1: 'referrer' }, { password: PASSWORD })
await server.start()
const session = await new Session(server.url).login('reader1', PASSWORD)
const request = (await session.post('/api/v1/requests', { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' }))
  .id
const path = option('slide', '') || bigSlide()
const slide = await upload(session, request, path)
await until('the slide', async () => (await session.get(`/api/v1/files/${slide}`)).state === 'ready', 120)
const info = await session.get(`/slides/${slide}/info.json`)
const tiles = choose(info.levels, TILES)
const address = ({ level, column, row }) => `/slides/${slide}/tiles/${level}/${column}_${row}.jpeg`

// the same bytes as files, and what they hash to
const files = join(server.dir, 'www')
let bytes = 0
const lists = { ours: [], nginx: [], iipsrv: [] }
for (const tile of tiles) {
  const answer = await session.call('GET', address(tile))
  equal(answer.status, 200, address(tile))
  const file = join(files, address(tile)),
    hash = createHash('sha256').update(answer.body).digest('hex')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, answer.body)
  bytes += answer.body.length
  lists.ours.push(`${address(tile)}?v=${info.version} ${hash}`)
  lists.nginx.push(`${address(tile)} ${hash}`)
}

const keys = certificate(server.dir)
const peers = {}
if (ONLY.includes('nginx') && has('/usr/sbin/nginx')) peers.nginx = await nginx(server.dir, files, CORE.server, keys)
if (ONLY.includes('iipsrv') && has('/usr/lib/iipimage-server/iipsrv.fcgi')) {
  peers.iipsrv = await iipsrv(server.dir, path, info.levels.length, CORE.server)
  lists.iipsrv = tiles
    .slice(0, 500)
    .map((t) => peers.iipsrv.path(t.level, t.column, t.row, info.levels[t.level].columns))
}
const listFile = (name) => join(server.dir, `${name}.list`)
for (const [name, lines] of Object.entries(lists)) writeFileSync(listFile(name), lines.join('\n') + '\n')

const rows = []
function measure(tls, cookie) {
  for (const connections of CONNECTIONS) {
    const reached = { ours: [] }
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, peer] of Object.entries(peers)) {
        if (tls && !peer.tlsPort) continue
        const told = ask(peer.pid, listFile(name), tls ? peer.tlsPort : peer.port, connections, tls)
        ;(reached[name] ??= []).push(told)
      }
      reached.ours.push(ask(server.process.pid, listFile('ours'), server.ports.port, connections, tls, cookie))
    }
    const row = { connections, tls, goal_of_nginx: GOALS[connections], per_s: {}, cpu_us: {}, ratio: {} }
    for (const [name, list] of Object.entries(reached)) {
      row.per_s[name] = median(list.map((one) => one.per_s))
      row.cpu_us[name] = median(list.map((one) => one.cpu_us))
      if (name === 'ours') continue
      row.ratio[name] = Math.round(1000 * median(list.map((one, i) => reached.ours[i].per_s / one.per_s))) / 1000
    }
    row.samples = reached
    console.error(JSON.stringify({ ...row, samples: undefined }))
    rows.push(row)
  }
}

pin()
measure(false, session.cookie)
if (option('tls', '1') === '1') {
  await server.end()
  server.set('server', { tls_cert: keys.cert, tls_key: keys.key })
  await server.start()
  pin()
  const again = await new Session(server.url).login('reader1', PASSWORD)
  equal((await again.call('GET', `/slides/${slide}/info.json`)).status, 200, 'info.json')
  for (const level of info.levels.keys()) await again.call('GET', address({ level, column: 0, row: 0 }))
  measure(true, again.cookie)
}
for (const peer of Object.values(peers)) await peer.stop()
await server.stop()
const ok = rows.every((row) => !(row.ratio.nginx < row.goal_of_nginx) && !(row.ratio.iipsrv < 5))
console.log(JSON.stringify({ ok, tiles: tiles.length, mean_bytes: Math.round(bytes / tiles.length), rows }))
process.exit(ok ? 0 : 1)
