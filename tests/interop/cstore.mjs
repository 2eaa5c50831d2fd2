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
/** All files of the store. */
const kept = () =>
  execFileSync('find', [join(server.dir, 'files'), '-type', 'f'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((path) => readFileSync(path))
    .filter((bytes) => bytes.subarray(128, 132).toString() === 'DICM')
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
  equal(
    (await studies()).map(({ modalities, instances, conflicts }) => [modalities, instances, conflicts]),
    [[['CT'], 6, 0]],
  )
  equal((await send(ct.slice(0, 1))).code, 0)
  equal(await count(), 6)
})

await check('colour, several frames, MONOCHROME1 and PET arrive, each data set as it was sent', async () => {
  const images = ['cr', 'us', 'pt'].flatMap((kind) => draw(kind, kind, '--slices', '1', '--charset', 'utf-8'))
  const { code, text } = await send(images)
  equal([code, successes(text)], [0, 3])
  const there = kept()
  for (const path of [...ct, ...images])
    assert(
      there.some((bytes) => dataset(bytes).equals(dataset(readFileSync(path)))),
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
      element = bytes.indexOf(Buffer.from([0x02, 0x00, 0x10, 0x00]), 132), // (0002,0010), UI, a length of two bytes
      syntax = /^[.0-9]+/.exec(bytes.subarray(element + 8, element + 72).toString('latin1'))?.[0]
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
    else if (!/No presentation context|unsupported|Bad DICOM|cannot/i.test(text))
      equal([name, code, text], [name, 0, ''])
  }
  console.log(`        ${tried.size} transfer syntaxes`)
  assert(tried.size >= 8, `${[...tried]}`)
})

// ---- an application of our own: DCMTK's does not know HTJ2K ----

const item = (type, bytes) => Buffer.concat([Buffer.from([type, 0, bytes.length >> 8, bytes.length & 255]), bytes])
const pdu = (type, bytes) => {
  const head = Buffer.from([type, 0, 0, 0, 0, 0])
  head.writeUInt32BE(bytes.length, 2)
  return Buffer.concat([head, bytes])
}
/** A-ASSOCIATE-RQ with one presentation context (PS3.8 §9.3.2). */
function associate(sopClass, syntax) {
  const titles = Buffer.from('CONSILIUM'.padEnd(16) + 'SCANNER'.padEnd(16))
  const context = [Buffer.from([1, 0, 0, 0]), item(0x30, Buffer.from(sopClass)), item(0x40, Buffer.from(syntax))]
  const user = [item(0x51, Buffer.from([0, 0, 0x40, 0])), item(0x52, Buffer.from('1.2.3.4'))]
  return pdu(
    1,
    Buffer.concat([
      Buffer.from([0, 1, 0, 0]),
      titles,
      Buffer.alloc(32),
      item(0x10, Buffer.from('1.2.840.10008.3.1.1.1')),
      item(0x20, Buffer.concat(context)),
      item(0x50, Buffer.concat(user)),
    ]),
  )
}
function command(number, bytes) {
  const head = Buffer.from([0, 0, number & 255, number >> 8, bytes.length, 0, 0, 0])
  return Buffer.concat([head, bytes])
}
const even = (text) => Buffer.from(text.length % 2 ? `${text}\0` : text)
const word = (value) => Buffer.from([value & 255, value >> 8])
/** P-DATA-TF with one value; flags: 1 command, 2 the last of it (PS3.8 §E.2). */
function data(flags, bytes) {
  const head = Buffer.from([0, 0, 0, 0, 1, flags])
  head.writeUInt32BE(bytes.length + 2, 0)
  return pdu(4, Buffer.concat([head, bytes]))
}
/** C-STORE of a data set; the status (PS3.7 §9.3.1). */
async function storeRaw(sopClass, instance, syntax, bytes) {
  const socket = connect(server.ports.dicom, '127.0.0.1')
  const answers = socket[Symbol.asyncIterator]()
  socket.write(associate(sopClass, syntax))
  equal((await answers.next()).value[0], 2)
  const fields = [
    command(2, even(sopClass)),
    command(0x100, word(1)),
    command(0x110, word(1)),
    command(0x700, word(0)),
    command(0x800, word(1)),
    command(0x1000, even(instance)),
  ]
  const group = Buffer.alloc(4)
  group.writeUInt32LE(Buffer.concat(fields).length)
  socket.write(data(3, Buffer.concat([command(0, group), ...fields])))
  for (let at = 0; at < bytes.length; at += 16000)
    socket.write(data(at + 16000 < bytes.length ? 0 : 2, bytes.subarray(at, at + 16000)))
  let answer = Buffer.alloc(0)
  while (answer.length < 6 || answer.length < 6 + answer.readUInt32BE(2))
    answer = Buffer.concat([answer, (await answers.next()).value])
  socket.end(pdu(5, Buffer.alloc(4)))
  equal(answer[0], 4)
  const status = answer.indexOf(Buffer.from([0, 0, 0, 9, 2, 0, 0, 0]))
  assert(status >= 0, 'a status')
  return answer.readUInt16LE(status + 8)
}

await check('HTJ2K is kept as it comes; what the file is not is told', async () => {
  const CT = '1.2.840.10008.5.1.4.1.1.2',
    plain = readFileSync(ct[0]),
    instance = /2\.25\.\d+\.1\.1\.1/.exec(plain.subarray(0, 600).toString('latin1'))[0]
  const stream = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7) & 127))
  const head = Buffer.from('e07f10004f420000fffffffffeff00e000000000feff00e088130000', 'hex')
  const end = Buffer.from('feffdde000000000', 'hex')
  const pixels = plain.indexOf(Buffer.from('e07f10004f57', 'hex'))
  const bytes = Buffer.concat([dataset(plain.subarray(0, pixels)), head, stream, end])
  equal(await storeRaw(CT, instance, '1.2.840.10008.1.2.4.201', bytes), 0)
  assert(
    kept().some((file) => dataset(file).equals(bytes) && file.includes('1.2.840.10008.1.2.4.201')),
    'as sent',
  )
  equal((await studies()).find(({ modalities }) => modalities[0] === 'CT').conflicts, 1)
  equal(await storeRaw(CT, '1.2.3', '1.2.840.10008.1.2.4.201', bytes), 0xa900)
  equal(await storeRaw(CT, '1.2.3', '1.2.840.10008.1.2.1', Buffer.alloc(3000, 0x41)), 0xc000)
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
