// How fast a slide's own tiles leave, logged in and with the permission checked, beside nginx with the same bytes in files, iipsrv, and Orthanc-WSI.
// node bench/tiles/fast.mjs [--slide FILE] [--tiles N] [--rounds N] [--tls 0|1] [--only nginx,iipsrv,orthanc] [--connections 1,8,64]
// Each server has core 0, who asks has core 1. The last line is one JSON object: what each reached, and ratios (the median of the rounds', in
// which ours and a peer take turns). Without --slide the one of the shared data's MANIFEST is made (vips): build/tiles/big.tif.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { equal, option } from '../../tests/lib/check.mjs'
import { Session } from '../../tests/lib/rest.mjs'
import { Server, root } from '../../tests/lib/server.mjs'
import { address, bigSlide, choose, upload } from './big.mjs'
import { certificate, cpuMicros, has, iipsrv, nginx, orthanc, version } from './peers.mjs'

const TILES = Number(option('tiles', 6000)),
  ROUNDS = Number(option('rounds', 5)),
  ONLY = option('only', 'nginx,iipsrv,orthanc').split(','),
  CONNECTIONS = option('connections', '1,8,64').split(',').map(Number),
  FEWER = { iipsrv: 500, orthanc: 150 }, // tiles of those who take long
  CORE = { server: 0, asks: 1 },
  PASSWORD = 'Good-pass-1x',
  GOALS = { 1: 0.9, 8: 0.45, 64: 0.45 }

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]

function ask({ pid, port, tlsPort, within = [], cookie }, list, connections, tls) {
  const args = ['--list', list, '--port', tls ? tlsPort : port, '--connections', connections, '--cpu', CORE.asks]
  if (tls) args.push('--tls')
  if (cookie) args.push('--cookie', cookie)
  const before = cpuMicros(pid)
  const [command, ...rest] = [...within, join(root, 'build/release/bench/bench-tiles'), ...args.map(String)]
  const told = JSON.parse(execFileSync(command, rest, { encoding: 'utf8' }))
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
const info = await session.get(`/slides/${slide}/info.json`)
const tiles = choose(info.levels, TILES)

// the same bytes as files, and what they hash to
const files = join(server.dir, 'www')
let bytes = 0
const lists = { ours: [], nginx: [], iipsrv: [], orthanc: [] }
for (const tile of tiles) {
  const answer = await session.call('GET', address(slide, tile))
  equal(answer.status, 200, address(slide, tile))
  const file = join(files, address(slide, tile)),
    hash = createHash('sha256').update(answer.body).digest('hex')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, answer.body)
  bytes += answer.body.length
  lists.ours.push(`${address(slide, tile)}?v=${info.version} ${hash}`)
  lists.nginx.push(`${address(slide, tile)} ${hash}`)
}

const keys = certificate(server.dir)
const peers = {}
if (ONLY.includes('nginx') && has('/usr/sbin/nginx')) peers.nginx = await nginx(server.dir, files, CORE.server, keys)
if (ONLY.includes('iipsrv') && has('/usr/lib/iipimage-server/iipsrv.fcgi')) {
  peers.iipsrv = await iipsrv(server.dir, path, info.levels.length, CORE.server)
  lists.iipsrv = tiles
    .slice(0, FEWER.iipsrv)
    .map((t) => peers.iipsrv.path(t.level, t.column, t.row, info.levels[t.level].columns))
}
if (ONLY.includes('orthanc') && has('/usr/share/orthanc/plugins/libOrthancWSI.so')) {
  peers.orthanc = await orthanc(server.dir, path, CORE.server)
  const paths = tiles
    .slice(0, FEWER.orthanc)
    .map((t) => peers.orthanc.path(info.levels[t.level].width, t.column, t.row))
  const hashes = peers.orthanc.hashes(paths)
  lists.orthanc = paths.map((path, i) => `${path} ${hashes[i]}`)
}
const listFile = (name) => join(server.dir, `${name}.list`)
for (const [name, lines] of Object.entries(lists)) writeFileSync(listFile(name), lines.join('\n') + '\n')

const rows = []
const ours = () => ({ pid: server.process.pid, port: server.ports.port, tlsPort: server.ports.port })

/** They take turns, so that both meet the same noise. */
function measure(tls, cookie) {
  for (const connections of CONNECTIONS) {
    const reached = { ours: [] }
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, peer] of Object.entries(peers)) {
        if (tls && !peer.tlsPort) continue
        ;(reached[name] ??= []).push(ask(peer, listFile(name), connections, tls))
      }
      reached.ours.push(ask({ ...ours(), cookie }, listFile('ours'), connections, tls))
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
  for (const level of info.levels.keys()) await again.call('GET', address(slide, { level, column: 0, row: 0 }))
  measure(true, again.cookie)
}
for (const peer of Object.values(peers)) await peer.stop()
await server.stop()
const reached = ({ ratio, goal_of_nginx }) => !(ratio.nginx < goal_of_nginx || ratio.iipsrv < 5 || ratio.orthanc < 1.2)
const ok = rows.every(reached)
const PACKAGES = { nginx: 'nginx-light', iipsrv: 'iipimage-server', orthanc: 'orthanc-wsi' }
const versions = Object.fromEntries(Object.keys(peers).map((name) => [name, version(PACKAGES[name])]))
console.log(JSON.stringify({ ok, versions, tiles: tiles.length, mean_bytes: Math.round(bytes / tiles.length), rows }))
process.exit(ok ? 0 : 1)
