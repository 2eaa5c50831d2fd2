// C-ECHO and C-STORE with DCMTK's programs and with associations that are none: what was answered with success is there, byte for byte.
// node tests/interop/cstore.mjs (CN_BUILD=release for another build).
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { Skip, assert, check, equal, finish, sleep } from '../lib/check.mjs'
import { Session } from '../lib/rest.mjs'
import { Server, root, sanitized } from '../lib/server.mjs'

const PASSWORD = 'Good-pass-1x',
  IDLE = 2
const server = new Server({ build: sanitized, name: 'door-cstore', pages: false })
server.people({ referrer1: 'referrer' }, { password: PASSWORD })
server.set('dicom', {
  listen: '127.0.0.1',
  port: 0,
  idle_seconds: IDLE,
  per_address: 4,
  peers: 'SCANNER@127.0.0.1=referrer1, ELSEWHERE@127.0.0.9=referrer1, NOBODY@127.0.0.1=nobody',
})
await server.start()
let session = await new Session(server.url).login('referrer1', PASSWORD)
const request = await session.post('/api/v1/requests', { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' })
const files = join(server.dir, 'images')
const draw = (kind, name, ...more) => {
  const folder = join(files, name)
  mkdirSync(folder, { recursive: true })
  const args = [kind, folder, '--accession', request.number, ...more]
  execFileSync(join(dirname(server.bin), 'consilium-demo-dicom'), args)
  return readdirSync(folder)
    .sort()
    .map((file) => join(folder, file))
}

/** A program of DCMTK's: {code, text} */
function run(program, args, titles = ['SCANNER', 'CONSILIUM']) {
  const all = ['-v', '-aet', titles[0], '-aec', titles[1], ...args]
  const child = spawn(program, all.toSpliced(5, 0, '127.0.0.1', `${server.ports.dicom}`))
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (text += bytes))
  return new Promise((done) => child.on('close', (code) => done({ code, text, child })))
}
const echo = (titles) => run('echoscu', [], titles)
const send = (paths, ...options) => run('storescu', [...options, ...paths])
const successes = (text) => text.match(/Received Store Response \(Success\)/g)?.length ?? 0

/** The data set behind preamble and meta information (PS3.10 §7.1). */
function dataset(bytes) {
  return bytes.subarray(144 + bytes.readUInt32LE(140))
}
const studies = async () => (await session.get(`/api/v1/requests/${request.id}`)).studies
const count = async () => (await studies()).reduce((sum, study) => sum + study.instances, 0)

await check('an echo is answered to the titles that are named, at their address, and to no other', async () => {
  equal((await echo()).code, 0)
  for (const titles of [['STRANGER'], ['ELSEWHERE'], ['NOBODY'], ['SCANNER', 'OTHER']]) {
    const { code, text } = await echo([titles[0], titles[1] ?? 'CONSILIUM'])
    assert(code !== 0 && /Rejected/.test(text), `${titles} is refused: ${text}`)
  }
  const metrics = await (await fetch(`${server.management}/metrics`)).text()
  assert(/dicom_refused_total 4\b/.test(metrics.replace(/\{[^}]*\}/g, '')), 'refusals are counted')
  const ready = await (await fetch(`${server.management}/readyz`)).json()
  equal(ready.components.dicom, 'ok')
})

const ct = draw('ct', 'ct', '--slices', '6')
await check('a CT, two at once, belongs to the request that its accession number names', async () => {
  const [first, second] = await Promise.all([send(ct.slice(0, 3)), send(ct.slice(3))])
  equal([first.code, second.code, successes(first.text) + successes(second.text)], [0, 0, 6])
  equal((await studies()).map(({ modalities, instances, conflicts }) => [modalities, instances, conflicts]), [
    [['CT'], 6, 0],
  ])
  equal((await send(ct.slice(0, 1))).code, 0)
  equal(await count(), 6)
})

await check('colour, several frames, MONOCHROME1 and PET arrive, each data set as it was sent', async () => {
  const images = ['cr', 'us', 'pt'].flatMap((kind) => draw(kind, kind, '--slices', '1', '--charset', 'utf-8'))
  const { code, text } = await send(images)
  equal([code, successes(text)], [0, 3])
  const objects = execFileSync('find', [join(server.dir, 'files'), '-type', 'f'], { encoding: 'utf8' })
  const kept = objects
    .trim()
    .split('\n')
    .map((path) => readFileSync(path))
    .filter((bytes) => bytes.subarray(128, 132).toString() === 'DICM')
  for (const path of [...ct, ...images])
    assert(
      kept.some((bytes) => dataset(bytes).equals(dataset(readFileSync(path)))),
      `${path} is kept as it was`,
    )
  equal(readdirSync(join(server.dir, 'files/spool/dicom')), [])
})

await check('what belongs to no request, or is no image, is refused with words', async () => {
  const lost = join(files, 'lost.dcm')
  cpSync(ct[0], lost)
  execFileSync('dcmodify', ['-nb', '-m', '(0008,0050)=NONE', lost])
  const refused = await send([lost], '-d')
  assert(refused.code !== 0 && /no such request of yours/.test(refused.text), refused.text.slice(-1500))
  // storescu -nh goes on, and says nothing of it in its exit status: its text does
  const both = await send([lost, ct[1]], '-nh')
  equal(successes(both.text), 1)
})

const SYNTAXES = {
  '1.2.840.10008.1.2': '-xi',
  '1.2.840.10008.1.2.2': '-xb',
  '1.2.840.10008.1.2.1.99': '-xd',
  '1.2.840.10008.1.2.4.50': '-xy',
  '1.2.840.10008.1.2.4.51': '-xx',
  '1.2.840.10008.1.2.4.70': '-xs',
  '1.2.840.10008.1.2.4.80': '-xt',
  '1.2.840.10008.1.2.4.81': '-xu',
  '1.2.840.10008.1.2.4.90': '-xv',
  '1.2.840.10008.1.2.4.91': '-xw',
  '1.2.840.10008.1.2.5': '-xr',
}
const shared = join(root, '../shared/data/dicom/pydicom')
await check('a real file of each transfer syntax that storescu knows', async () => {
  if (!existsSync(shared)) throw new Skip('no ../shared/data')
  const tried = new Set()
  for (const name of readdirSync(shared).filter((file) => file.endsWith('.dcm'))) {
    const bytes = readFileSync(join(shared, name)),
      syntax = /1\.2\.840\.10008\.1\.2[.0-9]*/g.exec(bytes.subarray(132, 600).toString('latin1').replace(/[^]*?\x02\x00\x10\x00UI../, ''))?.[0] // prettier-ignore
    if (!SYNTAXES[syntax] || tried.has(syntax) || bytes.length > 1 << 20) continue
    const copy = join(files, `real-${name}`)
    cpSync(join(shared, name), copy)
    try {
      execFileSync('dcmodify', ['-nb', '-i', `(0008,0050)=${request.number}`, copy], { stdio: 'ignore' })
    } catch {
      continue // DCMTK cannot read it
    }
    const { code, text } = await send([copy], SYNTAXES[syntax])
    if (successes(text) === 1) tried.add(syntax)
    else if (!/No presentation context|unsupported|Bad DICOM|cannot/i.test(text)) equal([name, code, text], [name, 0, ''])
  }
  console.log(`        ${tried.size} transfer syntaxes`)
  assert(tried.size >= 8, `${[...tried]}`)
})

/** Bytes to the listener; how long until it hangs up, in ms. */
function hold(bytes, every = 0) {
  const began = Date.now()
  return new Promise((done) => {
    const socket = connect(server.ports.dicom, '127.0.0.1', () => socket.write(bytes))
    const again = every && setInterval(() => socket.write(Buffer.from([0])), every)
    socket.on('error', () => {})
    socket.on('data', () => {})
    socket.on('close', () => {
      clearInterval(again)
      done(Date.now() - began)
    })
  })
}

await check('slow, silent and flooding associations are ended, and cost nobody else anything', async () => {
  const length = (bytes) => Buffer.from([1, 0, ...bytes])
  const flood = Buffer.concat([length([0x7f, 255, 255, 255]), Buffer.alloc(1 << 20, 0x41)])
  const held = [hold(Buffer.from([1])), hold(length([0, 0, 0, 200]), 300), hold(flood)]
  await sleep(200)
  equal((await echo()).code, 0)
  for (const ms of await Promise.all(held)) assert(ms < (IDLE + 6) * 1000, `${ms} ms`)
  const many = Array.from({ length: 6 }, () => hold(Buffer.from([1])))
  await sleep(200)
  assert((await echo()).code !== 0, 'more than four of one address are turned away')
  await Promise.all(many)
  equal((await echo()).code, 0)
})

const listener = () => {
  const line = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', `${server.process.pid}`], { encoding: 'utf8' })
  return Number(/^\s*(\d+) .*consilium-dicom-listener/m.exec(line)?.[1])
}

await check('a listener that is killed is there again', async () => {
  process.kill(listener(), 'SIGKILL')
  let code = 1
  for (let i = 0; code !== 0 && i < 50; i++) {
    await sleep(200)
    code = (await echo()).code
  }
  equal(code, 0)
})

await check('a server that is killed has everything that it said yes to', async () => {
  const before = await count()
  const many = draw('ct', 'many', '--slices', '30', '--id', 'OTHER')
  const sending = send(many)
  for (let now = before; now < before + 5; now = await count()) await sleep(20)
  await server.end('SIGKILL')
  const yes = successes((await sending).text)
  assert(yes >= 1 && yes < 30, `${yes} were answered`)
  await server.start()
  session = await new Session(server.url).login('referrer1', PASSWORD)
  const there = (await count()) - before
  assert(there >= yes && there <= yes + 1, `${there} are there, ${yes} were answered`)
  const again = await send(many)
  equal([again.code, (await count()) - before], [0, 30])
})

rmSync(files, { recursive: true })
await server.stop()
finish()
