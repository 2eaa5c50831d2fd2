// node tests/interop/faults.mjs disk|database (CN_BUILD=release for another build): /readyz turns red, calls answer 503, nothing that was
// answered is lost, and the server goes on by itself. "disk" wants to be root in a mount namespace of its own (faults.sh).
import { execFileSync, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, check, equal, finish, sleep, until } from '../lib/check.mjs'
import { Session, call, partHeaders, tus, uploadHeaders } from '../lib/rest.mjs'
import { Server, sanitized } from '../lib/server.mjs'

const PASSWORD = 'Good-pass-1x'
const form = (n) => ({ patient: { name: `患者${n}`, sex: 'unknown' }, diagnosis: `diagnosis ${n}` })

/** True; throws what /readyz says otherwise. */
async function ready(server) {
  const answer = await call(server.url, 'GET', '/readyz')
  if (answer.status !== 200) throw new Error(answer.body)
  return true
}

async function begin(server) {
  server.people({ referrer1: 'referrer' }, { password: PASSWORD })
  await server.start()
  return new Session(server.url).login('referrer1', PASSWORD)
}

/** Creates requests until told to stop; notes what was answered with 201 and every other status. */
async function create(session, known, signal) {
  while (!signal.stop) {
    const n = known.next++
    const answer = await session.call('POST', '/api/v1/requests', { json: form(n) })
    known.statuses.add(answer.status)
    if (answer.status === 201) known.requests.push({ id: answer.json.id, diagnosis: `diagnosis ${n}` })
    else await sleep(20)
  }
}

async function allThere(session, known) {
  for (const r of known.requests) {
    const answer = await session.call('GET', `/api/v1/requests/${r.id}`)
    equal([answer.status, answer.json?.diagnosis], [200, r.diagnosis], `request ${r.id}`)
  }
}

/** While three make requests, `trouble` comes and goes; everything that was answered with 201 is there afterwards. */
async function underLoad(session, known, trouble) {
  const signal = { stop: false }
  const workers = [create(session, known, signal), create(session, known, signal), create(session, known, signal)]
  await trouble()
  await sleep(300)
  signal.stop = true
  await Promise.all(workers)
  assert(known.requests.length > 20, `only ${known.requests.length} requests were made`)
  equal([...known.statuses].sort(), [201, 503], 'statuses')
  await allThere(session, known)
}

function refused(answer, what) {
  equal([answer.status, answer.headers['content-type']], [503, 'application/problem+json'], what)
  assert(Number(answer.headers['retry-after']) > 0, `${what}: no Retry-After`)
}

async function finishLogs(server, known) {
  await check('it ends in order and both logs verify', async () => {
    const { code } = await server.end()
    // a sanitizer's complaint, which comes last, is what ends it with another code
    if (code !== 0) console.log(server.log().split('\n').slice(-80).join('\n'))
    equal(code, 0, 'exit')
    assert(/ 0 faults/.test(server.run('verify', 'audit')), 'audit')
    assert(/ 0 faults/.test(server.run('verify', 'ledger')), 'ledger')
    console.log(`${known.requests.length} requests were answered, statuses ${[...known.statuses].sort()}`)
  })
}

// ---- a full disk ----

class Disk {
  constructor(megabytes) {
    this.path = mkdtempSync(join(tmpdir(), 'consilium-disk-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'consilium-test', this.path])
  }

  /** Every last byte, by writing until the kernel refuses. */
  fill() {
    const file = openSync(join(this.path, 'filler'), 'a')
    for (let size = 1 << 20; size >= 1; ) {
      try {
        writeSync(file, Buffer.alloc(size))
      } catch (e) {
        if (e.code !== 'ENOSPC') throw e
        size >>= 1
      }
    }
    closeSync(file)
  }

  free() {
    rmSync(join(this.path, 'filler'), { force: true })
  }

  remove() {
    execFileSync('umount', ['-l', this.path])
    rmSync(this.path, { recursive: true })
  }
}

async function fullDisk() {
  const disk = new Disk(192)
  const at = (name) => join(disk.path, name)
  const server = new Server({
    build: sanitized,
    name: 'faults-disk',
    pages: false,
    extra: {
      database: { url: `sqlite:${at('consilium.db')}` },
      files: { root: at('files') },
      audit: { heads: at('heads.log') },
    },
  })
  const session = await begin(server)
  const known = { next: 0, requests: [], statuses: new Set() }
  const bytes = Buffer.concat([
    Buffer.from(
      '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n' +
        '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n4 0 obj<</Length 400000>>stream\n',
    ),
    randomBytes(400000),
    Buffer.from('\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n'),
  ])
  const patch = (offset, n) =>
    session.call('PATCH', known.upload, {
      body: bytes.subarray(offset, offset + n),
      headers: partHeaders(offset),
    })
  const offset = async () =>
    Number((await session.call('HEAD', known.upload, { headers: tus })).headers['upload-offset'])

  await check('with room on the disk it works', async () => {
    equal(await ready(server), true, 'readyz')
    const answer = await session.call('POST', '/api/v1/requests', { json: form('first') })
    equal(answer.status, 201, 'request')
    known.requests.push({ id: answer.json.id, diagnosis: 'diagnosis first' })
    const headers = uploadHeaders(bytes.length, answer.json.id, 'consent', 'consent.pdf')
    const made = await session.call('POST', '/uploads', { headers })
    equal(made.status, 201, 'upload')
    known.upload = made.headers.location
    equal((await patch(0, 100000)).status, 204, 'first part')
  })

  await check('a full disk: not ready, 503, reading goes on', async () => {
    disk.fill()
    const answer = await call(server.url, 'GET', '/readyz')
    equal([answer.status, answer.json.ready, answer.json.components.files], [503, false, 'the disk is full'], 'readyz')
    assert(answer.json.components.database !== 'ok', 'the database cannot be written, yet is called ready')
    equal((await call(server.url, 'GET', '/healthz')).status, 200, 'healthz')
    refused(await session.call('POST', '/api/v1/requests', { json: form('full') }), 'a new request')
    refused(await session.call('PUT', `/api/v1/requests/${known.requests[0].id}`, { json: form('full') }), 'a change')
    refused(await patch(100000, 200000), 'more of the upload')
    const list = await session.call('GET', '/api/v1/requests')
    equal([list.status, list.json?.total], [200, 1], 'list')
  })

  await check('with room again it goes on by itself, and the upload where it stood', async () => {
    disk.free()
    await until('ready again', () => ready(server), 10)
    await allThere(session, known)
    equal(await offset(), 100000, 'where the upload stands')
    const last = await patch(100000, bytes.length - 100000)
    equal(last.status, 204, 'the rest')
    const content = await session.call('GET', `/api/v1/files/${last.headers['x-file-id']}/content`)
    equal(
      createHash('sha256').update(content.body).digest('hex'),
      createHash('sha256').update(bytes).digest('hex'),
      'content',
    )
  })

  await check('filled ten times under load, nothing that was answered is lost', async () => {
    await underLoad(session, known, async () => {
      for (let round = 0; round < 10; round++) {
        await sleep(150)
        disk.fill()
        await sleep(150)
        disk.free()
      }
      await until('ready again', () => ready(server), 10)
    })
    const list = await session.call('GET', '/api/v1/requests?size=1')
    assert(
      list.json.total >= known.requests.length,
      `${list.json.total} are stored, ${known.requests.length} were answered`,
    )
  })

  await check('uploads that nobody finished go after a week, at the next start', async () => {
    await server.end()
    const db = (sql) =>
      execFileSync('sqlite3', ['-cmd', '.timeout 5000', at('consilium.db'), sql], { encoding: 'utf8' }).trim()
    db(
      "INSERT INTO uploads SELECT '01ARZ3NDEKTSV4RRFFQ69G5FAV', request_id, user_id, category, name_sealed, size, sha256, created_ms - 8 * 86400000, '' FROM uploads",
    )
    equal(db('SELECT COUNT(*) FROM uploads'), '2', 'before')
    await server.start()
    await until('the old one being gone', () => equal(db('SELECT COUNT(*) FROM uploads'), '1', 'uploads') ?? true, 10)
  })

  await finishLogs(server, known)
  server.remove()
  disk.remove()
}

// ---- a lost database ----

class Postgres {
  constructor() {
    this.bin = '/usr/lib/postgresql/15/bin'
    this.dir = mkdtempSync(join(tmpdir(), 'consilium-pg-'))
    if (process.getuid() === 0) {
      const [uid, gid] = ['-u', '-g'].map((flag) =>
        Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' })),
      )
      this.as = { uid, gid }
      chownSync(this.dir, uid, gid)
    }
    execFileSync(
      join(this.bin, 'initdb'),
      ['-D', join(this.dir, 'data'), '-U', 'consilium', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'],
      { ...this.as, cwd: this.dir, stdio: 'ignore' },
    )
    this.url = `host=${this.dir} port=5432 dbname=postgres user=consilium`
  }

  async start() {
    const log = openSync(join(this.dir, 'log'), 'a')
    this.process = spawn(
      join(this.bin, 'postgres'),
      [
        '-D',
        join(this.dir, 'data'),
        '-k',
        this.dir,
        '-p',
        '5432',
        '-c',
        'listen_addresses=',
        '-c',
        'shared_buffers=16MB',
      ],
      { ...this.as, cwd: this.dir, stdio: ['ignore', log, log] },
    )
    this.ended = new Promise((done) => this.process.on('exit', done))
    const ready = () => {
      try {
        execFileSync(join(this.bin, 'pg_isready'), ['-q', '-h', this.dir], { stdio: 'ignore' })
        return true
      } catch {
        throw new Error(readFileSync(join(this.dir, 'log'), 'utf8').slice(-500))
      }
    }
    await until('PostgreSQL being ready', ready, 30)
  }

  /** SIGQUIT: at once, without a checkpoint, as after a crash. */
  async crash() {
    this.process.kill('SIGQUIT')
    await this.ended
  }

  remove() {
    rmSync(this.dir, { recursive: true, force: true })
  }
}

async function lostDatabase() {
  const postgres = new Postgres()
  await postgres.start()
  const server = new Server({
    build: sanitized,
    name: 'faults-database',
    pages: false,
    extra: { database: { url: 'sealed below' } },
  })
  // its password would not stand in the file
  const sealed = server.feed(`${postgres.url}\n`, 'key', 'seal').trim()
  server.set('database', { url: sealed })
  server.run('key', 'add') // what follows is sealed by a data key of its own
  const session = await begin(server)
  const known = { next: 0, requests: [], statuses: new Set() }

  await check('with its database it works', async () => {
    assert(/^sealed:/.test(sealed) && !sealed.includes(postgres.dir), 'the connection string is not sealed')
    equal(await ready(server), true, 'readyz')
    const answer = await session.call('POST', '/api/v1/requests', { json: form('first') })
    equal(answer.status, 201, 'request')
    known.requests.push({ id: answer.json.id, diagnosis: 'diagnosis first' })
  })

  await check('without it: not ready, 503, still alive', async () => {
    await postgres.crash()
    const answer = await call(server.url, 'GET', '/readyz')
    equal([answer.status, answer.json.ready, answer.json.components.files], [503, false, 'ok'], 'readyz')
    assert(answer.json.components.database !== 'ok', 'the database is called ready')
    equal((await call(server.url, 'GET', '/healthz')).status, 200, 'healthz')
    await sleep(2100) // who is logged in is remembered for 2 s
    refused(await session.call('GET', '/api/v1/requests'), 'the list')
    refused(await session.call('POST', '/api/v1/requests', { json: form('lost') }), 'a new request')
    refused(
      await call(server.url, 'POST', '/api/v1/login', {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ username: 'referrer1', password: PASSWORD }),
      }),
      'a login',
    )
  })

  await check('with it again it goes on by itself', async () => {
    await postgres.start()
    await until('ready again', () => ready(server), 15)
    await allThere(session, known)
  })

  await check('crashed three times under load, nothing that was answered is lost', async () => {
    await underLoad(session, known, async () => {
      for (let round = 0; round < 3; round++) {
        await sleep(400)
        await postgres.crash()
        await sleep(200)
        await postgres.start()
        await until('ready again', () => ready(server), 15)
      }
    })
  })

  await finishLogs(server, known)
  server.remove()
  await postgres.crash()
  postgres.remove()
}

await (process.argv[2] === 'disk' ? fullDisk() : lostDatabase())
finish()
