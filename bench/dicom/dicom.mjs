// How fast DICOM comes in and goes out: frames of a series of 20 MB beside Orthanc's DICOMweb, frames of CT images beside nginx with the same bytes, and a CT
// by STOW-RS and C-STORE beside Orthanc and beside cp with fsync.
// node bench/dicom/dicom.mjs [--images N] [--rounds N] [--json FILE]     Each server has core 0, who asks has core 1.
// FILE gets the rows {name, goal, measured, unit, …}; the last line of the output is the same.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, copyFileSync, fsyncSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { equal, option, until } from '../../tests/lib/check.mjs'
import { ctImage, element, file } from '../../tests/lib/dicom.mjs'
import { Session } from '../../tests/lib/rest.mjs'
import { Server, root } from '../../tests/lib/server.mjs'
import { certificate, nginx, orthancWith, version } from '../tiles/peers.mjs'

const IMAGES = Number(option('images', 1000)),
  ROUNDS = Number(option('rounds', 3)),
  LOOKED_AT = 100, // of the images, by frames
  BODY = 50, // images in a body of STOW-RS
  CORE = { server: 0, asks: 1 },
  PASSWORD = 'Good-pass-1x',
  GOALS = { orthanc: 100, nginx: 0.4, store: 3, disk: 0.5 },
  STUDY = '1.2.826.0.1.3680043.2.1143.20'
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]
const round3 = (n) => Math.round(1000 * n) / 1000
const seconds = (work) => {
  const start = performance.now()
  work()
  return (performance.now() - start) / 1000
}

// ---- the images ----

const server = new Server({ name: 'bench-dicom', pages: false })
server.people({ scanner1: 'referrer' }, { password: PASSWORD })
server.set('dicom', { listen: '127.0.0.1', port: 0, peers: 'SCANNER@127.0.0.1=scanner1' })
const folder = join(server.dir, 'images')
mkdirSync(folder)
/* 512 × 512, half a megabyte each; every one has other pixels. */
const fresh = (study, number, accession) => {
  const image = ctImage({ study, number: number + 1, z: number, side: 512, value: (x, y) => ((x ^ y) + number) & 1023 })
  const at = image.indexOf(Buffer.from([8, 0, 0x60, 0, 0x43, 0x53])) // accession number stands before modality
  return Buffer.concat([image.subarray(0, at), element(8, 0x50, 'SH', accession), image.subarray(at)])
}
/* 80 frames of 512 × 512 bytes in one instance: 20 MB. */
const FRAMES = 80
function multiframe(study) {
  const us = '1.2.840.10008.5.1.4.1.1.3.1',
    uid = `${study}.1.1`
  return file(us, uid, [
    element(8, 0x16, 'UI', us),
    element(8, 0x18, 'UI', uid),
    element(8, 0x60, 'CS', 'US'),
    element(0x10, 0x10, 'PN', 'Phantom'),
    element(0x10, 0x20, 'LO', 'PHANTOM-2'),
    element(0x20, 0xd, 'UI', study),
    element(0x20, 0xe, 'UI', `${study}.1`),
    element(0x28, 2, 'US', 1),
    element(0x28, 4, 'CS', 'MONOCHROME2'),
    element(0x28, 8, 'IS', `${FRAMES}`),
    element(0x28, 0x10, 'US', 512),
    element(0x28, 0x11, 'US', 512),
    element(0x28, 0x100, 'US', 8),
    element(0x28, 0x101, 'US', 8),
    element(0x28, 0x102, 'US', 7),
    element(0x28, 0x103, 'US', 0),
    element(
      0x7fe0,
      0x10,
      'OB',
      Buffer.alloc(FRAMES << 18, (i) => i),
    ),
  ])
}
const BOUNDARY = 'of-parts'
const CONTENT = `Content-Type: multipart/related; type="application/dicom"; boundary=${BOUNDARY}`
function body(path, images) {
  const parts = images.flatMap((image) => [
    Buffer.from(`\r\n--${BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n`),
    image,
  ])
  writeFileSync(path, Buffer.concat([...parts, Buffer.from(`\r\n--${BOUNDARY}--`)]))
  return path
}

// ---- who takes them ----

await server.start()
const pin = () => execFileSync('taskset', ['-a', '-c', '-p', String(CORE.server), String(server.process.pid)])
const session = await new Session(server.url).login('scanner1', PASSWORD)
const request = await session.post('/api/v1/requests', { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' })
const peer = await orthancWith(server.dir, 'libOrthancDicomWeb.so', CORE.server, {
  DicomServerEnabled: true,
  DicomPort: 4242,
  DicomCheckCalledAet: false,
  StorageCompression: false,
  DicomWeb: { Enable: true },
})
pin()
const onCore = (within, command, ...args) =>
  execFileSync('taskset', ['-c', String(CORE.asks), ...within, command, ...args], { encoding: 'utf8', stdio: 'pipe' })
const stow = (within, base, more, path) =>
  onCore(
    within,
    'curl',
    '-sf',
    '--noproxy',
    '*',
    '-o',
    '/dev/null',
    '-H',
    CONTENT,
    '-H',
    'Expect:',
    ...more,
    '--data-binary',
    `@${path}`,
    base,
  )
const ours = [
  [],
  `${server.url}/dicom-web/studies?request=${request.number}`,
  ['-H', `Cookie: ${session.cookie}`, '-H', `X-CSRF-Token: ${session.csrf}`],
]
const theirs = [peer.within, `${peer.base}/dicom-web/studies`, []]
const storescu = (within, port, paths) =>
  onCore(within, 'storescu', '-aet', 'SCANNER', '-aec', 'CONSILIUM', '127.0.0.1', String(port), ...paths)
const known = async (study) =>
  (await session.get(`/api/v1/requests/${request.id}`)).studies.find(({ uid }) => uid === study)?.instances

// ---- in: the same images to both, in turn, and what the disk takes by itself ----

function copied(paths) {
  const into = join(server.dir, 'copied')
  mkdirSync(into, { recursive: true })
  return seconds(() => {
    for (const [i, path] of paths.entries()) {
      const to = join(into, `${i}`)
      copyFileSync(path, to)
      const fd = openSync(to, 'r+')
      fsyncSync(fd)
      closeSync(fd)
    }
    const fd = openSync(into, 'r')
    fsyncSync(fd)
    closeSync(fd)
  })
}
const took = { stow: { ours: [], orthanc: [] }, cstore: { ours: [], orthanc: [] }, disk: [] }
const each = Math.ceil(IMAGES / ROUNDS)
for (let round = 0; round < ROUNDS; round++) {
  const images = (way) => Array.from({ length: each }, (_, i) => fresh(`${STUDY}.${way}.${round}`, i, request.number))
  const bodies = []
  const web = images(1)
  for (let i = 0; i < each; i += BODY) bodies.push(body(join(folder, `body-${bodies.length}`), web.slice(i, i + BODY)))
  const paths = images(2).map((image, i) => {
    const path = join(folder, `${i}.dcm`)
    writeFileSync(path, image)
    return path
  })
  took.disk.push(copied(paths))
  took.stow.orthanc.push(seconds(() => bodies.forEach((path) => stow(...theirs, path))))
  took.stow.ours.push(seconds(() => bodies.forEach((path) => stow(...ours, path))))
  took.cstore.orthanc.push(seconds(() => storescu(peer.within, 4242, paths)))
  took.cstore.ours.push(seconds(() => storescu([], server.ports.dicom, paths)))
  for (const way of [1, 2]) equal(await known(`${STUDY}.${way}.${round}`), each, 'images that came')
}

// ---- out ----

const long = `${STUDY}.3`
const path = body(join(folder, 'long'), [multiframe(long)])
stow(...ours, path)
stow(...theirs, path)
equal(await known(long), 1, 'the long instance')

const address = (study, instance, frame) =>
  `/dicom-web/studies/${study}/series/${study}.1/instances/${study}.1.${instance}/frames/${frame}`
function rate({ within = [], port, cookie }, lines) {
  const list = join(server.dir, 'list')
  writeFileSync(list, lines.map((line) => `${line}\n`).join(''))
  const args = ['--list', list, '--port', port, '--connections', 1, '--cpu', CORE.asks]
  if (cookie) args.push('--cookie', cookie)
  const [command, ...rest] = [...within, join(root, 'build/release/bench/bench-tiles'), ...args.map(String)]
  const told = JSON.parse(execFileSync(command, rest, { encoding: 'utf8' }))
  equal(told.bad, 0, 'answers that were not what they should be')
  return told.per_s
}
const us = { port: server.ports.port, cookie: session.cookie }
const repeated = (list, n) => Array.from({ length: n }, (_, i) => list[i % list.length])
const frames = Array.from({ length: FRAMES }, (_, i) => address(long, 1, i + 1))

// images of the first round by STOW-RS, and the same answers as files
const www = join(server.dir, 'www')
const hashed = []
for (let i = 1; i <= Math.min(LOOKED_AT, each); i++) {
  const at = address(`${STUDY}.1.0`, i, 1)
  const answer = await session.call('GET', at)
  equal([answer.status, answer.body.length > 1 << 19], [200, true], at)
  mkdirSync(join(www, at, '..'), { recursive: true })
  writeFileSync(join(www, at), answer.body)
  hashed.push(`${at} ${createHash('sha256').update(answer.body).digest('hex')}`)
}
const files = await nginx(server.dir, www, CORE.server, certificate(server.dir))
const reached = { long: { ours: [], orthanc: [] }, ct: { ours: [], nginx: [] } }
for (let round = 0; round < ROUNDS; round++) {
  reached.long.orthanc.push(rate(peer, repeated(frames, 40)))
  reached.long.ours.push(rate(us, repeated(frames, 4000)))
  reached.ct.nginx.push(rate(files, repeated(hashed, 2000)))
  reached.ct.ours.push(rate(us, repeated(hashed, 2000)))
}
await files.stop()
await peer.stop()
await until('the end of it all', async () => (await server.stop()) ?? true, 20)

const against = (mine, other) => median(mine.map((n, i) => n / other[i]))
const sooner = (mine, other) => median(mine.map((n, i) => other[i] / n))
const row = (name, what, goal, measured, unit, samples) => ({
  name,
  what,
  goal,
  goal_is: 'at least',
  measured: round3(measured),
  unit,
  peer: null,
  floor: null,
  ok: measured >= goal,
  samples,
})
const beside = version('orthanc-dicomweb')
const rows = [
  row('dicom_frames_vs_orthanc', `frames of an instance of 20 MB, one connection, against ${beside}`, GOALS.orthanc, against(reached.long.ours, reached.long.orthanc), 'x orthanc', reached.long), // prettier-ignore
  row('dicom_frames_vs_nginx', 'frames of CT images, logged in and permitted, one connection, against nginx with the same bytes in files', GOALS.nginx, against(reached.ct.ours, reached.ct.nginx), 'x nginx', reached.ct), // prettier-ignore
  row('dicom_stow_vs_orthanc', `a CT by STOW-RS, ${BODY} images a body, against ${beside}`, GOALS.store, sooner(took.stow.ours, took.stow.orthanc), 'x orthanc', took.stow), // prettier-ignore
  row('dicom_stow_vs_disk', 'the same against cp and fsync of each file', GOALS.disk, sooner(took.stow.ours, took.disk), 'x cp', took.disk), // prettier-ignore
  row('dicom_cstore_vs_orthanc', 'a CT by C-STORE, one association, against Orthanc', GOALS.store, sooner(took.cstore.ours, took.cstore.orthanc), 'x orthanc', took.cstore), // prettier-ignore
  row('dicom_cstore_vs_disk', 'the same against cp and fsync of each file', GOALS.disk, sooner(took.cstore.ours, took.disk), 'x cp', took.disk), // prettier-ignore
]
if (option('json', '')) writeFileSync(option('json', ''), JSON.stringify(rows) + '\n')
console.log(JSON.stringify(rows))
process.exit(rows.every(({ ok }) => ok) ? 0 : 1)
