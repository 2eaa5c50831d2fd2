// node tests/interop/faults.mjs disk|database (CN_BUILD=release for another build): /readyz turns red, calls answer 503, nothing that was
// answered is lost, and the server goes on by itself. "disk" wants to be root in a mount namespace of its own (faults.sh).
import { execFileSync, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Server, Session, call, check, equal, finish, sleep, truth } from './support.mjs'

const PASSWORD = 'Good-pass-1x'
const form = (n) => ({ patient: { name: `患者${n}`, sex: 'unknown' }, diagnosis: `diagnosis ${n}` })

async function until(what, seconds, done) {
  const end = Date.now() + seconds * 1000
  let last
  while (Date.now() < end) {
    last = await done()
    if (last === true) return
    await sleep(100)
  }
  throw new Error(`${what} not within ${seconds} s: ${JSON.stringify(last)}`)
}

const ready = async (server) => {
  const answer = await call(server.port, 'GET', '/readyz')
  return answer.status === 200 ? true : answer.json
}

async function begin(server) {
  server.run(['user', 'add', 'referrer1', '--role', 'referrer', '--hospital', 'H', '--password-stdin'], `${PASSWORD}\n`)
  await server.start()
  return new Session(server.port).login('referrer1', PASSWORD)
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

function refused(answer, what) {
  equal([answer.status, answer.headers['content-type']], [503, 'application/problem+json'], what)
  truth(Number(answer.headers['retry-after']) > 0, `${what}: no Retry-After`)
}

async function finishLogs(server, known) {
  await check('it ends in order and both logs verify', async () => {
    equal((await server.stop()).code, 0, 'exit')
    truth(/ 0 faults/.test(server.run(['verify', 'audit'])), 'audit')
    truth(/ 0 faults/.test(server.run(['verify', 'ledger'])), 'ledger')
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
    extra: {
      database: { url: `sqlite:${at('consilium.db')}` },
      files: { root: at('files') },
      audit: { heads: at('heads.log') },
    },
  })
  const session = await begin(server)
  const known = { next: 0, requests: [], statuses: new Set() }
  const bytes = Buffer.concat([Buffer.from('%PDF-1.4\n'), randomBytes(400000)])
  const tus = { 'Tus-Resumable': '1.0.0' }
  const patch = (offset, n) =>
    session.call('PATCH', known.upload, {
      body: bytes.subarray(offset, offset + n),
      headers: { ...tus, 'Upload-Offset': offset, 'Content-Type': 'application/offset+octet-stream' },
    })
  const offset = async () =>
    Number((await session.call('HEAD', known.upload, { headers: tus })).headers['upload-offset'])

  await check('with room on the disk it works', async () => {
    equal(await ready(server), true, 'readyz')
    const answer = await session.call('POST', '/api/v1/requests', { json: form('first') })
    equal(answer.status, 201, 'request')
    known.requests.push({ id: answer.json.id, diagnosis: 'diagnosis first' })
    const b64 = (s) => Buffer.from(s).toString('base64')
    const made = await session.call('POST', '/uploads', {
      headers: {
        ...tus,
        'Upload-Length': bytes.length,
        'Upload-Metadata': `request ${b64(answer.json.id)},category ${b64('consent')},filename ${b64('consent.pdf')}`,
      },
    })
    equal(made.status, 201, 'upload')
    known.upload = made.headers.location
    equal((await patch(0, 100000)).status, 204, 'first part')
  })

  await check('a full disk: not ready, 503, reading goes on', async () => {
    disk.fill()
    const answer = await call(server.port, 'GET', '/readyz')
    equal([answer.status, answer.json.ready, answer.json.components.files], [503, false, 'the disk is full'], 'readyz')
    truth(answer.json.components.database !== 'ok', 'the database cannot be written, yet is called ready')
    equal((await call(server.port, 'GET', '/healthz')).status, 200, 'healthz')
    refused(await session.call('POST', '/api/v1/requests', { json: form('full') }), 'a new request')
    refused(await session.call('PUT', `/api/v1/requests/${known.requests[0].id}`, { json: form('full') }), 'a change')
    refused(await patch(100000, 200000), 'more of the upload')
    const list = await session.call('GET', '/api/v1/requests')
    equal([list.status, list.json?.total], [200, 1], 'list')
  })

  await check('with room again it goes on by itself, and the upload where it stood', async () => {
    disk.free()
    await until('ready again', 10, () => ready(server))
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
    const signal = { stop: false }
    const workers = [create(session, known, signal), create(session, known, signal), create(session, known, signal)]
    for (let round = 0; round < 10; round++) {
      await sleep(150)
      disk.fill()
      await sleep(150)
      disk.free()
    }
    await until('ready again', 10, () => ready(server))
    await sleep(300)
    signal.stop = true
    await Promise.all(workers)
    truth(known.requests.length > 20, `only ${known.requests.length} requests were made`)
    equal([...known.statuses].sort(), [201, 503], 'statuses')
    await allThere(session, known)
    const list = await session.call('GET', '/api/v1/requests?size=1')
    truth(
      list.json.total >= known.requests.length,
      `${list.json.total} are stored, ${known.requests.length} were answered`,
    )
  })

  await check('uploads that nobody finished go after a week, at the next start', async () => {
    await server.stop()
    const db = (sql) =>
      execFileSync('sqlite3', ['-cmd', '.timeout 5000', at('consilium.db'), sql], { encoding: 'utf8' }).trim()
    db(
      "INSERT INTO uploads SELECT '01ARZ3NDEKTSV4RRFFQ69G5FAV', request_id, user_id, category, name_sealed, size, sha256, created_ms - 8 * 86400000, '' FROM uploads",
    )
    equal(db('SELECT COUNT(*) FROM uploads'), '2', 'before')
    await server.start()
    await until('gone', 10, async () => {
      const n = db('SELECT COUNT(*) FROM uploads')
      return n === '1' || n
    })
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
    await until('PostgreSQL', 30, () => {
      try {
        execFileSync(join(this.bin, 'pg_isready'), ['-q', '-h', this.dir], { stdio: 'ignore' })
        return true
      } catch {
        return readFileSync(join(this.dir, 'log'), 'utf8').slice(-500)
      }
    })
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
  const server = new Server({ extra: { database: { url: 'sealed below' } } })
  // its password would not stand in the file
  const sealed = server.run(['key', 'seal'], `${postgres.url}\n`).trim()
  server.set('database', 'url', sealed)
  const session = await begin(server)
  const known = { next: 0, requests: [], statuses: new Set() }

  await check('with its database it works', async () => {
    truth(/^sealed:/.test(sealed) && !sealed.includes(postgres.dir), 'the connection string is not sealed')
    equal(await ready(server), true, 'readyz')
    const answer = await session.call('POST', '/api/v1/requests', { json: form('first') })
    equal(answer.status, 201, 'request')
    known.requests.push({ id: answer.json.id, diagnosis: 'diagnosis first' })
  })

  await check('without it: not ready, 503, still alive', async () => {
    await postgres.crash()
    const answer = await call(server.port, 'GET', '/readyz')
    equal([answer.status, answer.json.ready, answer.json.components.files], [503, false, 'ok'], 'readyz')
    truth(answer.json.components.database !== 'ok', 'the database is called ready')
    equal((await call(server.port, 'GET', '/healthz')).status, 200, 'healthz')
    await sleep(2100) // who is logged in is remembered for 2 s
    refused(await session.call('GET', '/api/v1/requests'), 'the list')
    refused(await session.call('POST', '/api/v1/requests', { json: form('lost') }), 'a new request')
    refused(
      await call(server.port, 'POST', '/api/v1/login', {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ username: 'referrer1', password: PASSWORD }),
      }),
      'a login',
    )
  })

  await check('with it again it goes on by itself', async () => {
    await postgres.start()
    await until('ready again', 15, () => ready(server))
    await allThere(session, known)
  })

  await check('crashed three times under load, nothing that was answered is lost', async () => {
    const signal = { stop: false }
    const workers = [create(session, known, signal), create(session, known, signal), create(session, known, signal)]
    for (let round = 0; round < 3; round++) {
      await sleep(400)
      await postgres.crash()
      await sleep(200)
      await postgres.start()
      await until('ready again', 15, () => ready(server))
    }
    await sleep(300)
    signal.stop = true
    await Promise.all(workers)
    truth(known.requests.length > 20, `only ${known.requests.length} requests were made`)
    equal([...known.statuses].sort(), [201, 503], 'statuses')
    await allThere(session, known)
  })

  await finishLogs(server, known)
  server.remove()
  await postgres.crash()
  postgres.remove()
}

await (process.argv[2] === 'disk' ? fullDisk() : lostDatabase())
finish()
