// The door from outside, against the real server: node tests/interop/http.mjs (CN_BUILD=release for another build).
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { pick, scrape } from './prom.mjs'
import { certificate } from '../lib/certificate.mjs'
import { assert, check, equal, finish, sleep, until } from '../lib/check.mjs'
import { Session, call, partHeaders, raw, tus, uploadHeaders } from '../lib/rest.mjs'
import { Server, sanitized } from '../lib/server.mjs'
import { Socket } from '../lib/socket.mjs'

const PASSWORD = 'Good-pass-1x'
const INDEX = '<!doctype html><title>index</title>'
const SCRIPT = `console.log(${JSON.stringify('x'.repeat(3000))})`

const server = new Server({ build: sanitized, name: 'door-http', pages: false })
writeFileSync(join(server.web, 'index.html'), INDEX)
writeFileSync(join(server.web, 'assets', 'app-1a2b.js'), SCRIPT)
writeFileSync(join(server.web, 'assets', 'app-1a2b.js.br'), brotliCompressSync(SCRIPT))
writeFileSync(join(server.web, 'assets', 'app-1a2b.js.gz'), gzipSync(SCRIPT))
const people = {
  referrer1: 'referrer',
  referrer2: 'referrer',
  centre1: 'consult_admin',
  locked1: 'referrer',
  config1: 'config_admin',
  system1: 'sys_admin',
}
server.people(people, { password: PASSWORD })
const token = (kind) => server.run('room', 'token', 'lab', `--${kind}`).trim()
const publishToken = token('publish')
const viewToken = token('view')
await server.start()
const base = server.url
const { port } = server.ports
const json = { 'Content-Type': 'application/json' }
const login = (body, headers = {}) =>
  call(base, 'POST', '/api/v1/login', {
    headers: { ...json, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

// ---- health, headers ----

await check('healthz and readyz answer', async () => {
  equal((await call(base, 'GET', '/healthz')).status, 200, 'healthz')
  const ready = await call(base, 'GET', '/readyz')
  equal([ready.status, ready.json.ready], [200, true], 'readyz')
})

await check('metrics are on the management listener only', async () => {
  const metrics = await call(server.management, 'GET', '/metrics')
  equal(metrics.status, 200)
  const families = scrape(metrics.body.toString())
  assert(pick(families, 'consilium_http_requests_total')[0]?.value > 0, 'no counter of requests')
  const delay = pick(families, 'consilium_worker_forward_delay_seconds', { worker: '0' })
  equal(delay.filter((s) => s.labels.le === '+Inf').length, 1, 'histograms of the first worker')
  equal(pick(families, 'consilium_room_participants'), [], 'rooms')
  equal((await call(base, 'GET', '/metrics')).status, 404)
})

await check('every answer carries the security headers and none says what serves', async () => {
  for (const path of ['/', '/healthz', '/api/v1/session', '/nothing.here']) {
    const { headers } = await call(base, 'GET', path)
    assert(/frame-ancestors 'self'/.test(headers['content-security-policy']), `${path}: no policy`)
    equal(
      [headers['x-content-type-options'], headers['referrer-policy'], headers.server],
      ['nosniff', 'same-origin', undefined],
      path,
    )
  }
})

await check('how well rooms run is for administrators only', async () => {
  equal((await call(base, 'GET', '/api/v1/rooms?state=open')).status, 401, 'nobody')
  const ask = async (name, path) => {
    const s = new Session(base)
    await s.login(name, PASSWORD)
    return s.call('GET', path)
  }
  for (const path of ['/api/v1/rooms?state=open', '/api/v1/rooms/lab/quality'])
    equal((await ask('referrer1', path)).status, 403, `a doctor at ${path}`)
  for (const name of ['centre1', 'config1']) {
    const list = await ask(name, '/api/v1/rooms?state=recent')
    equal([list.status, list.json], [200, { items: [], total: 0 }], name)
    equal((await ask(name, '/api/v1/rooms/lab/quality')).status, 404, 'a room that is not in use')
    equal((await ask(name, '/api/v1/rooms?state=none')).status, 422, 'no such state')
    equal((await ask(name, '/api/v1/rooms/lab/quality?minutes=61')).status, 422, 'too many minutes')
    equal((await ask(name, `/api/v1/rooms/${'x'.repeat(200)}/quality`)).status, 404, 'a long name')
  }
})

// ---- login ----

await check('login gives a cookie, the user and a token', async () => {
  const answer = await login({ username: 'Referrer1', password: PASSWORD })
  equal(answer.status, 200)
  assert(
    /^sid=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/.test(answer.headers['set-cookie'][0]),
    `cookie ${answer.headers['set-cookie']}`,
  )
  equal(
    [answer.json.user.username, answer.json.user.roles, answer.json.user.rights],
    ['referrer1', ['referrer'], ['request.create', 'slide.label']],
  )
  assert(answer.json.csrf.length >= 40, 'no csrf')
  assert(!JSON.stringify(answer.json).includes('password'), 'a secret in the answer')
})

await check('a wrong password and an unknown name get the same answer', async () => {
  const wrong = await login({ username: 'referrer1', password: 'Wrong-pass-1x' })
  const unknown = await login({ username: 'nobody99', password: 'Wrong-pass-1x' })
  equal([wrong.status, wrong.headers['content-type']], [401, 'application/problem+json'])
  equal([unknown.status, unknown.json], [wrong.status, wrong.json])
})

await check('five wrong passwords lock the account, also for the right one', async () => {
  for (let i = 0; i < 5; i++) equal((await login({ username: 'locked1', password: `Wrong-pass-${i}x` })).status, 401)
  const answer = await login({ username: 'locked1', password: PASSWORD })
  equal(answer.status, 429)
  assert(Number(answer.headers['retry-after']) > 0, 'no Retry-After')
  equal([answer.json.wrong, answer.json.minutes], ['locked', 5])
})

await check(
  'a locked account is opened by the command and by an administrator, who can give a new password',
  async () => {
    assert(/unlocked.*locked1/.test(server.run('user', 'unlock', 'locked1')), 'the command says nothing')
    const person = await new Session(base).login('locked1', PASSWORD)
    const admin = await new Session(base).login('system1', PASSWORD)
    const { items } = (await admin.call('GET', '/api/v1/users')).json
    const { id, locked_ms } = items.find((one) => one.username === 'locked1')
    equal([locked_ms, items.length], [0, Object.keys(people).length])
    equal((await admin.call('POST', `/api/v1/users/${id}/unlock`, { json: {} })).status, 204)
    equal((await person.call('POST', `/api/v1/users/${id}/password`, { json: {} })).status, 403)
    const fresh = (await admin.call('POST', `/api/v1/users/${id}/password`, { json: {} })).json.password
    assert(fresh.length >= 10, 'no new password')
    await until('the old login being over', async () => (await person.call('GET', '/api/v1/session')).status === 401)
    assert(/password \S{10,}/.test(server.run('user', 'password', 'LOCKED1')), 'the command made no password')
    const told = server.feed(`${PASSWORD}\n`, 'user', 'password', 'locked1', '--password-stdin')
    assert(/new password/.test(told) && !told.includes(PASSWORD), 'the command says nothing of a given password')
  },
)

await check('login is accepted from our own pages only', async () => {
  const body = { username: 'referrer1', password: PASSWORD }
  equal((await login(body, { 'Sec-Fetch-Site': 'cross-site' })).status, 403)
  equal((await login(body, { Origin: 'http://evil.example' })).status, 403)
  equal((await login(body, { Origin: `http://127.0.0.1:${port}`, 'Sec-Fetch-Site': 'same-origin' })).status, 200)
})

await check('bad bodies get a problem that says what is wrong', async () => {
  equal((await login('{"username":')).status, 400, 'cut JSON')
  equal((await login('{"username":"a","username":"b","password":"x"}')).status, 400, 'duplicate key')
  equal((await login('[]')).status, 422, 'array')
  const missing = await login({ username: 'referrer1' })
  equal([missing.status, missing.json.field], [422, 'password'], 'missing field')
  const type = await login({ username: 7, password: 'x' })
  equal([type.status, type.json.field], [422, 'username'], 'wrong type')
  equal(
    (await call(base, 'POST', '/api/v1/login', { headers: { 'Content-Type': 'text/plain' }, body: '{}' })).status,
    415,
    'text/plain',
  )
  equal((await login({ username: 'referrer1', password: 'x'.repeat(300_000) })).status, 413, 'oversize')
})

const referrer = await new Session(base).login('referrer1', PASSWORD)
const centre = await new Session(base).login('centre1', PASSWORD)

await check('the session says who one is', async () => {
  const answer = await referrer.call('GET', '/api/v1/session')
  equal([answer.status, answer.json.user.username, answer.json.csrf], [200, 'referrer1', referrer.csrf])
  equal((await call(base, 'GET', '/api/v1/session', { headers: { Cookie: 'sid=' + 'A'.repeat(43) } })).status, 401)
})

await check('a changing call without the right anti-forgery token is refused', async () => {
  const without = await call(base, 'POST', '/api/v1/logout', {
    headers: { Cookie: referrer.cookie, ...json },
    body: '{}',
  })
  equal([without.status, without.json.field], [403, 'X-CSRF-Token'])
  equal(
    (await referrer.call('POST', '/api/v1/requests', { json: {}, headers: { 'X-CSRF-Token': centre.csrf } })).status,
    403,
    "another login's",
  )
  equal((await referrer.call('GET', '/api/v1/session')).status, 200, 'still logged in')
})

await check('rights are checked per route', async () => {
  const refused = await referrer.call('GET', '/api/v1/minutes?month=2026-11')
  equal([refused.status, /minutes\.read/.test(refused.json.detail)], [403, true])
  equal((await centre.call('GET', '/api/v1/minutes?month=2026-11')).status, 200)
  equal((await centre.call('POST', '/api/v1/requests', { json: {} })).status, 403)
})

await check('every described route that wants a login refuses without one', async () => {
  const { paths } = (await call(base, 'GET', '/api/v1/openapi.json')).json
  let asked = 0
  for (const [path, operations] of Object.entries(paths))
    for (const [method, operation] of Object.entries(operations)) {
      if (!['get', 'post', 'put', 'patch', 'delete', 'head'].includes(method)) continue
      if (operation.security && operation.security.length === 0) continue
      const url = path.replace(/\{\w+\}/g, '01ARZ3NDEKTSV4RRFFQ69G5FAV')
      const answer = await call(base, method.toUpperCase(), url, {
        headers: json,
        body: method === 'get' || method === 'head' ? undefined : '{}',
      })
      equal(answer.status, 401, `${method} ${path}`)
      asked++
    }
  assert(asked > 25, `only ${asked} routes`)
})

await check('logout ends the login and clears the browser', async () => {
  const other = await new Session(base).login('referrer1', PASSWORD)
  const out = await other.call('POST', '/api/v1/logout', { json: {} })
  equal(out.status, 204)
  assert(
    /Max-Age=0/.test(out.headers['set-cookie'][0]) && /storage/.test(out.headers['clear-site-data']),
    'not cleared',
  )
  equal((await other.call('GET', '/api/v1/session')).status, 401)
  equal((await referrer.call('GET', '/api/v1/session')).status, 200, 'the other login')
})

// ---- paths and parsing ----

await check('nothing outside the routes can be asked for', async () => {
  const paths = [
    '/../../../../etc/passwd',
    '/..%2f..%2f..%2fetc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/assets/../../../etc/passwd',
    '/assets/%2e%2e%2f%2e%2e%2fconsilium.ini',
    '/assets/..\\..\\consilium.ini',
    '/a%00b',
    '/a%zz',
    '/a%',
    '/%c0%ae%c0%ae/etc/passwd',
    '//etc/passwd',
    '/assets/',
    '/.git/config',
    `/${'a'.repeat(6000)}`,
    `/x?${'q=1&'.repeat(200)}`,
  ]
  for (const path of paths) {
    const got = await raw(base, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, 3000)
    const status = Number(/^HTTP\/1\.\d (\d+)/.exec(got)?.[1] ?? 0)
    assert(status === 0 || (status >= 400 && status < 500), `${path.slice(0, 40)}: ${status}`)
    assert(!/root:|master/.test(got), `${path}: content came out`)
    assert(!/libwebsockets/i.test(got), `${path}: says what serves`)
  }
  equal((await call(base, 'GET', '/healthz')).status, 200, 'afterwards')
})

await check('malformed requests do not disturb the next one', async () => {
  const bad = [
    '\0\0\0\0',
    'GET',
    'GET / HTTP/1.1\r\nHost a\r\n\r\n',
    'FOO / HTTP/1.1\r\nHost: a\r\n\r\n',
    `GET / HTTP/1.1\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`,
    'POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n',
    'POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
  ]
  for (const text of bad) await raw(base, text, 400)
  equal((await call(base, 'GET', '/healthz')).status, 200)
})

await check('chunked request bodies are answered 411', async () => {
  const got = await raw(
    base,
    'POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
  )
  assert(/^HTTP\/1\.1 411 /.test(got), got.slice(0, 60))
})

await check('an unknown address is 404, a wrong method 405 with Allow', async () => {
  const none = await call(base, 'GET', '/api/v1/nothing')
  equal([none.status, none.headers['content-type'], none.json.status], [404, 'application/problem+json', 404])
  const wrong = await call(base, 'DELETE', '/api/v1/login')
  equal([wrong.status, wrong.headers.allow], [405, 'POST'])
})

await check('one connection serves many requests, pipelined ones too', async () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  for (let i = 0; i < 50; i++)
    equal((await call(base, 'GET', i % 2 ? '/healthz' : '/api/v1/session', { agent })).status, i % 2 ? 200 : 401)
  agent.destroy()
  const two = await raw(
    base,
    'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    3000,
  )
  equal((two.match(/HTTP\/1\.1 200/g) || []).length, 2, 'answers')
})

await check(
  'after an answer that a slow client takes its time to read, the connection takes a request with a body',
  async () => {
    const made = await referrer.call('POST', '/api/v1/requests', {
      json: { patient: { name: '慢慢', sex: 'unknown' }, diagnosis: 'x' },
    })
    const file = await referrer.upload(made.json.id, 'lab', 'long.txt', Buffer.alloc(12 << 20, '一行文字\n'))
    const socket = net.connect(port, '127.0.0.1')
    let bytes = 0,
      tail = ''
    socket.on('data', (data) => {
      bytes += data.length
      tail = (tail + data.toString('latin1')).slice(-4000)
    })
    const get = `GET /api/v1/files/${file}/content HTTP/1.1\r\nHost: a\r\nCookie: ${referrer.cookie}\r\n\r\n`
    socket.write(get)
    socket.pause()
    await sleep(300)
    socket.resume()
    await until('all of it', () => bytes > 12 << 20)
    await sleep(100)
    socket.write(
      'POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}',
    )
    await until('the answer', () => /HTTP\/1\.1 422 /.test(tail))
    socket.destroy()
  },
)

await check('a body sent right behind another request is not taken for anything else', async () => {
  const get = 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n'
  const post = (method, length) =>
    `${method} /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${length}\r\n{"username":"a","password":"b"}`
  for (const second of [
    post('POST', 'Content-Length: 31\r\n'),
    post('POST', 'Content-Length: 9000\r\n'),
    post('PUT', ''),
    post('GET', 'Content-Length: 31\r\n'),
  ]) {
    const got = await raw(base, get + second, 500)
    assert(/^HTTP\/1\.1 200 /.test(got), `the first answer: ${got.slice(0, 60)}`)
    equal(got.split('HTTP/1.1 ').length, 2, 'answers')
  }
  equal((await call(base, 'GET', '/healthz')).status, 200, 'afterwards')
})

await check('two hundred requests at once are answered', async () => {
  const answers = await Promise.all(Array.from({ length: 200 }, () => referrer.call('GET', '/api/v1/directory')))
  equal(answers.filter((answer) => answer.status === 200).length, 200)
})

await check('clients that go away while their request is worked on do no harm', async () => {
  await Promise.all(
    Array.from(
      { length: 60 },
      (_, i) =>
        new Promise((done) => {
          const socket = net.connect(port, '127.0.0.1', () => {
            socket.write(`GET /api/v1/directory HTTP/1.1\r\nHost: a\r\nCookie: ${referrer.cookie}\r\n\r\n`)
            setTimeout(() => {
              socket.destroy()
              done()
            }, i % 12)
          })
          socket.on('error', done)
        }),
    ),
  )
  equal((await call(base, 'GET', '/readyz')).status, 200)
})

// ---- the web app's files ----

await check('files of the app come in the best encoding the browser takes', async () => {
  const get = (encoding) =>
    call(base, 'GET', '/assets/app-1a2b.js', { headers: encoding ? { 'Accept-Encoding': encoding } : {} })
  const br = await get('gzip, deflate, br')
  equal(
    [br.status, br.headers['content-encoding'], br.headers.vary, br.headers['cache-control']],
    [200, 'br', 'Accept-Encoding', 'public, max-age=31536000, immutable'],
  )
  equal(br.body.equals(brotliCompressSync(SCRIPT)), true, 'brotli bytes')
  equal((await get('gzip')).headers['content-encoding'], 'gzip')
  equal((await get('br;q=0, gzip')).headers['content-encoding'], 'gzip')
  const plain = await get()
  equal(
    [plain.headers['content-encoding'], plain.body.toString() === SCRIPT, plain.headers['content-type']],
    [undefined, true, 'text/javascript; charset=utf-8'],
  )
  const again = await call(base, 'GET', '/assets/app-1a2b.js', { headers: { 'If-None-Match': plain.headers.etag } })
  equal([again.status, again.body.length], [304, 0])
  const head = await call(base, 'HEAD', '/assets/app-1a2b.js')
  equal([head.status, head.headers['content-length'], head.body.length], [200, String(SCRIPT.length), 0])
})

await check('addresses of the app give its page, others do not', async () => {
  for (const path of ['/', '/requests', '/requests/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/room/x']) {
    const page = await call(base, 'GET', path, { headers: { Accept: 'text/html,*/*' } })
    equal([page.status, page.body.toString(), page.headers['cache-control']], [200, INDEX, 'no-cache'], path)
  }
  for (const path of ['/assets/gone.js', '/favicon.png', '/api/x', '/uploads/x/y', '/slides/x'])
    equal((await call(base, 'GET', path, { headers: { Accept: 'text/html' } })).status, 404, path)
})

// ---- a request, its uploads and files ----

let request
await check('a request can be made', async () => {
  const patient = { name: '张三丰', sex: 'male', birth_date: '1960-02-03', identity_number: '', phone: '13800000000' }
  const answer = await referrer.call('POST', '/api/v1/requests', {
    json: { kind: 'C', urgency: 'ordinary', patient, diagnosis: '胸痛待查', question: '是否需要手术' },
  })
  equal(answer.status, 201, JSON.stringify(answer.json))
  request = answer.json.id
  const wrong = await referrer.call('POST', '/api/v1/requests', {
    json: { kind: 'C', urgency: 'soon', patient, diagnosis: 'd', question: 'q' },
  })
  equal([wrong.status, wrong.json.field], [422, 'urgency'])
})

await check('invisible characters in pasted text end lines or go, whatever field they are in', async () => {
  const patient = {
    name: '张\v三丰\u0085',
    sex: 'male',
    birth_date: '1960-02-03',
    phone: '\u007f13800000000\f',
  }
  const path = `/api/v1/requests/${request}`
  const form = {
    kind: 'C',
    urgency: 'ordinary',
    patient,
    diagnosis: '胸\u0000痛\u0007\v待查',
    question: '一\r\n二\u2028三',
  }
  const answer = await referrer.call('PUT', path, { json: form })
  equal(answer.status, 200, JSON.stringify(answer.json))
  const { diagnosis, question, patient: kept } = (await referrer.call('GET', path)).json
  equal([diagnosis, question], ['胸痛\n待查', '一\n二\n三'])
  equal([kept.name, kept.phone], ['张 三丰', '13800000000'])
  const found = await referrer.call('POST', '/api/v1/requests/search?tab=uploading', {
    json: { name: '\v张 三丰\u0085' },
  })
  equal([found.status, found.json.total], [200, 1], 'searched by name')
  await referrer.call('PUT', path, {
    json: {
      ...form,
      patient: { ...patient, name: '张三丰' },
      diagnosis: '胸痛待查',
      question: '是否需要手术',
    },
  })
})

await check('a refused text says which field and in a word what is wrong', async () => {
  const patient = {
    name: '张三丰',
    sex: 'male',
    birth_date: '1960-02-30',
    phone: '',
  }
  const refused = async (change) => {
    const json = {
      kind: 'C',
      urgency: 'ordinary',
      patient,
      diagnosis: 'd',
      question: 'q',
      ...change,
    }
    const { status, json: said } = await referrer.call('POST', '/api/v1/requests', { json })
    return [status, said.field, said.wrong, said.max]
  }
  equal(await refused({}), [422, 'patient.birth_date', 'format', undefined])
  equal(await refused({ patient: { ...patient, name: '' } }), [422, 'patient.name', 'missing', undefined])
  equal(await refused({ patient: { ...patient, name: '长'.repeat(61) } }), [422, 'patient.name', 'too_long', 60])
  equal(
    await refused({
      patient: { ...patient, birth_date: '' },
      diagnosis: '\u0001',
    }),
    [422, 'diagnosis', 'missing', undefined],
  )
  const born = { ...patient, birth_date: '1949-12-31' }
  const number = '11010519491231002X' // a woman's
  for (const [change, field, wrong] of [
    [
      { ...patient, birth_date: new Date(Date.now() + 2 * 86400000).toISOString().slice(0, 10) },
      'birth_date',
      'future',
    ],
    [{ ...born, phone: '12' }, 'phone', 'format'],
    [{ ...born, identity_number: '110105194912310021' }, 'identity_number', 'checksum'],
    [{ ...born, identity_number: number }, 'identity_number', 'other_sex'],
    [{ ...born, sex: 'female', birth_date: '1950-01-01', identity_number: number }, 'identity_number', 'other_birth'],
    [{ ...born, sex: undefined }, 'sex', 'missing'],
    [{ ...born, sex: '' }, 'sex', 'missing'],
  ])
    equal(await refused({ patient: change }), [422, `patient.${field}`, wrong, undefined], wrong)
  const urgent = { urgency: 'urgent', patient: { ...patient, birth_date: '' } }
  equal(await refused(urgent), [422, 'patient.birth_date', 'missing', undefined], 'urgent without an age')
})

await check('the list filters and sorts; a name in its address is refused; the desk says what waits', async () => {
  const get = (path) => referrer.call('GET', path)
  const { number } = (await get(`/api/v1/requests/${request}`)).json
  const list = await get(`/api/v1/requests?number=${number.toLowerCase()}&state=UPLOADING&sort=urgent&by=scheduled`)
  equal([list.status, list.json.total, list.json.items[0].todo], [200, 1, 'fill'])
  equal((await get(`/api/v1/requests?state=CLOSED&number=${number}`)).json.total, 0)
  for (const [query, field] of [
    ['name=x', 'name'],
    ['sort=x', 'sort'],
    ['by=x', 'by'],
    ['state=x', 'state'],
    ['number=%25', 'number'],
    // what can be a telephone or an identity number: addresses stand in logs
    ['number=13800138000', 'number'],
    ['number=110101199003071233', 'number'],
    ['number=11010119900307123X', 'number'],
    ['number=62345678', 'number'],
    ['number=010-62345678', 'number'],
  ]) {
    const refused = await get(`/api/v1/requests?${query}`)
    equal([refused.status, refused.json.field], [422, field], query)
    const said = query.split('=')[1]
    assert(said.length < 8 || !refused.body.toString().includes(said), `the answer repeats ${query}`)
  }
  for (const part of ['2026', '-', number.slice(1, 9), number.slice(-4), number.slice(5)])
    assert((await get(`/api/v1/requests?number=${part}&tab=uploading`)).json.total > 0, `number=${part}`)
  const log = readFileSync(server.logFile, 'utf8')
  for (const word of ['13800138000', '110101199003071233', '62345678'])
    assert(!log.includes(word), 'the log repeats it')
  const now = Date.now()
  const desk = await get(`/api/v1/desk?from=${now}&to=${now + 86400000}`)
  equal([desk.status, desk.json.mine.some((row) => row.id === request)], [200, true])
  equal((await get(`/api/v1/desk?from=${now}`)).status, 422)
  equal((await get(`/api/v1/busy?experts=${request}&from=${now}&to=${now + 1}`)).status, 403)
  const busy = await centre.call('GET', `/api/v1/busy?experts=${request}&from=${now}&to=${now + 1}`)
  equal([busy.status, busy.json.items], [200, []])
})

const pdf = Buffer.concat([
  Buffer.from(
    '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj 3 0 obj<</Type/Page/MediaBox[0 0 9 9]>>endobj\n',
  ),
  Buffer.alloc(700_000, '% filler of a comment line\n'),
  Buffer.from('\ntrailer<</Root 1 0 R>>\n%%EOF\n'),
])
const create = (size, name = 'consent.pdf') =>
  referrer.call('POST', '/uploads', {
    headers: uploadHeaders(size, request, 'consent', name),
  })
const patch = (url, offset, body) =>
  referrer.call('PATCH', url, {
    body,
    headers: partHeaders(offset),
  })
const offsetOf = async (url) => Number((await referrer.call('HEAD', url, { headers: tus })).headers['upload-offset'])

let file
await check('an upload that is cut keeps what arrived and goes on from there', async () => {
  const made = await create(pdf.length)
  equal(made.status, 201, JSON.stringify(made.json))
  const url = made.headers.location
  await new Promise((done) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write(
        `PATCH ${url} HTTP/1.1\r\nHost: a\r\nCookie: ${referrer.cookie}\r\nX-CSRF-Token: ${referrer.csrf}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n` +
          `Content-Type: application/offset+octet-stream\r\nContent-Length: ${pdf.length}\r\n\r\n`,
      )
      socket.write(pdf.subarray(0, 400_000), () =>
        setTimeout(() => {
          socket.destroy()
          done()
        }, 700),
      )
    })
  })
  let offset = 0
  for (let i = 0; i < 40 && offset < 400_000; i++) {
    await sleep(50)
    offset = await offsetOf(url)
  }
  equal(offset, 400_000, 'offset after the cut')
  const wrong = await patch(url, 0, pdf)
  equal([wrong.status, wrong.headers.connection], [409, 'close'], 'wrong offset')
  equal((await patch(url, offset, Buffer.alloc(pdf.length))).status, 413, 'more than announced')
  equal(await offsetOf(url), 400_000, 'offset after the refusals')
  const end = await patch(url, offset, pdf.subarray(offset))
  equal([end.status, end.headers['upload-offset']], [204, String(pdf.length)])
  file = end.headers['x-file-id']
  assert(file, 'no file')
})

await check('uploads of forbidden kinds and foreign requests are refused', async () => {
  equal((await create(10, 'x.exe')).status >= 400, true)
  equal(
    (
      await centre.call('POST', '/uploads', {
        headers: { ...tus, 'Upload-Length': 5, 'Upload-Metadata': 'request !!' },
      })
    ).status,
    422,
  )
  equal(
    (
      await referrer.call('PATCH', '/uploads/01ARZ3NDEKTSV4RRFFQ69G5FAV', {
        body: 'x',
        headers: partHeaders(0),
      })
    ).status,
    404,
  )
})

await check('content that is not what its name says is refused and nothing of it stays', async () => {
  const files = async () => (await referrer.call('GET', `/api/v1/requests/${request}`)).json.files.length
  const before = await files()
  for (const [name, content] of [
    ['scan.pdf', 'MZ\x90\0 not a page'],
    ['photo.jpg', '<script>alert(1)</script>'],
    ['slide.svs', 'plain words'],
    ['note.docx', '%PDF-1.4'],
  ]) {
    const made = await create(Buffer.byteLength(content), name)
    equal(made.status, 201, name)
    const sent = await patch(made.headers.location, 0, content)
    equal([sent.status, sent.headers['content-type']], [422, 'application/problem+json'], name)
    assert(!sent.headers['x-file-id'] && !sent.json.detail.includes(content), `${name}: ${sent.body}`)
  }
  equal(await files(), before, 'files')
})

await check('an upload says when what arrived goes', async () => {
  const week = (answer) => {
    const text = answer.headers['upload-expires']
    equal(new Date(text).toUTCString(), text, 'a date of RFC 9110')
    assert(Math.abs(new Date(text) - Date.now() - 7 * 86400000) < 60_000, text)
  }
  const made = await create(pdf.length)
  week(made)
  week(await patch(made.headers.location, 0, pdf.subarray(0, 1000)))
  week(await referrer.call('HEAD', made.headers.location, { headers: tus }))
  const whole = await patch(made.headers.location, 1000, pdf.subarray(1000))
  assert(whole.headers['x-file-id'] && !('upload-expires' in whole.headers), 'a file does not go')
})

await check('a Chinese name as long as Windows allows comes back whole', async () => {
  const name = '检'.repeat(251) + '.pdf'
  const made = await create(pdf.length, name)
  equal(made.status, 201, JSON.stringify(made.json))
  const sent = await patch(made.headers.location, 0, pdf)
  const url = `/api/v1/files/${sent.headers['x-file-id']}`
  equal((await referrer.call('GET', url)).json.name, name)
  const header = (await referrer.call('GET', `${url}/content`)).headers['content-disposition']
  equal(header, `inline; filename*=UTF-8''${encodeURIComponent(name)}`)
  equal((await create(5, '检' + name)).status, 422)
})

/** A TIFF of one black page of 64 × 32 pixels in a strip, as a scanner writes it. */
function scan() {
  const tags = [
    [256, 64],
    [257, 32],
    [258, 1],
    [259, 1],
    [262, 0],
    [273, 8 + 2 + 9 * 12 + 4],
    [277, 1],
    [278, 32],
    [279, 256],
  ]
  const bytes = Buffer.alloc(8 + 2 + 9 * 12 + 4 + 256, 0)
  bytes.write('II*\0', 'latin1')
  bytes.writeUInt32LE(8, 4)
  bytes.writeUInt16LE(tags.length, 8)
  for (const [i, [tag, value]] of tags.entries()) {
    bytes.writeUInt16LE(tag, 10 + 12 * i)
    bytes.writeUInt16LE(4, 12 + 12 * i)
    bytes.writeUInt32LE(1, 14 + 12 * i)
    bytes.writeUInt32LE(value, 18 + 12 * i)
  }
  return bytes
}

await check('a scanned TIFF and a text in GB 18030 become documents', async () => {
  for (const [name, content] of [
    ['scan.tif', scan()],
    ['gb.txt', Buffer.from([0xbb, 0xbc, 0xd5, 0xdf])],
  ]) {
    const made = await create(content.length, name)
    const sent = await patch(made.headers.location, 0, content)
    equal(sent.status, 204, name)
    const url = `/api/v1/files/${sent.headers['x-file-id']}`
    const shown = async () => (await referrer.call('GET', url)).json
    await until(name, async () => (await shown()).state !== 'converting', 60)
    const { state, kind, pages } = await shown()
    equal([state, kind, pages], ['ready', 'document', 1], name)
    equal((await referrer.call('GET', `${url}/pdf`)).body.subarray(0, 5).toString(), '%PDF-')
  }
})

await check('a PDF that nobody could open is refused, and the answer says why', async () => {
  const locked = execFileSync('gs', [
    '-q',
    '-sDEVICE=pdfwrite',
    '-sOwnerPassword=o',
    '-sUserPassword=u',
    '-o',
    '-',
    '-c',
    'showpage',
  ])
  for (const [field, content] of [
    ['file.password', locked],
    ['file.damaged', Buffer.from('%PDF-1.4\n')],
  ]) {
    const made = await create(content.length, 'a.pdf')
    const sent = await patch(made.headers.location, 0, content)
    equal([sent.status, sent.json.field], [422, field])
    equal((await referrer.call('HEAD', made.headers.location, { headers: tus })).status, 404, 'nothing stays')
  }
})

await check("a record of somebody else's looks like one that does not exist", async () => {
  const outsider = await new Session(base).login('referrer2', PASSWORD)
  const none = await outsider.call('GET', '/api/v1/requests/01ARZ3NDEKTSV4RRFFQ69G5FAV')
  const body = { json: { kind: 'C', urgency: 'ordinary', revision: 1 } }
  for (const [method, url, more] of [
    ['GET', `/api/v1/requests/${request}`],
    ['GET', `/api/v1/files/${file}/content`],
    ['GET', `/slides/${file}.dzi`],
    ['GET', `/api/v1/requests/${request}/report`],
    ['PUT', `/api/v1/requests/${request}`, body],
  ]) {
    const answer = await outsider.call(method, url, more)
    assert(
      [404, 405, 422].includes(answer.status) && !/张三丰|胸痛/.test(answer.body.toString()),
      `${method} ${url}: ${answer.status}`,
    )
    if (answer.status === 404) equal(answer.json, none.json, url)
  }
  const upload = await outsider.call('POST', '/uploads', {
    headers: uploadHeaders(5, request, 'consent', 'a.pdf'),
  })
  equal(upload.status, 404, 'an upload into it')
})

await check('a file is served with ranges and an entity tag', async () => {
  const url = `/api/v1/files/${file}/content`
  const whole = await referrer.call('GET', url)
  equal([whole.status, whole.body.equals(pdf), whole.headers['accept-ranges']], [200, true, 'bytes'])
  const part = await referrer.call('GET', url, { headers: { Range: 'bytes=100-199' } })
  equal(
    [part.status, part.headers['content-range'], part.body.equals(pdf.subarray(100, 200))],
    [206, `bytes 100-199/${pdf.length}`, true],
  )
  const tail = await referrer.call('GET', url, { headers: { Range: 'bytes=-10' } })
  equal([tail.status, tail.body.equals(pdf.subarray(-10))], [206, true])
  const beyond = await referrer.call('GET', url, { headers: { Range: `bytes=${pdf.length}-` } })
  equal([beyond.status, beyond.headers['content-range']], [416, `bytes */${pdf.length}`])
  equal((await referrer.call('GET', url, { headers: { 'If-None-Match': whole.headers.etag } })).status, 304)
  equal((await call(base, 'GET', url)).status, 401)
})

// ---- the live protocol ----

await check('a handshake needs cookie, own origin and the right path', async () => {
  equal((await new Socket(base).opened).status, 401, 'no cookie')
  equal(
    (await new Socket(base, { cookie: referrer.cookie, origin: 'http://evil.example' }).opened).status,
    403,
    'evil origin',
  )
  equal((await new Socket(base, { cookie: referrer.cookie, origin: null }).opened).status, 403, 'no origin')
  equal((await new Socket(base, { cookie: referrer.cookie, path: '/ws2' }).opened).status, 404, 'another path')
})

await check('an unknown login is closed, and a call that came before is told why', async () => {
  const ws = new Socket(base, { cookie: `sid=${'A'.repeat(43)}` })
  equal((await ws.opened).status, 101)
  const answer = await ws.call('ping')
  equal(answer?.error?.code ?? 1001, 1001)
  equal(await ws.closed, 4401)
})

const ws = new Socket(base, { cookie: centre.cookie })
await ws.opened

await check('ping answers with the time', async () => {
  assert(Math.abs((await ws.call('ping')).result.time - Date.now()) < 5000, 'the clock')
})

await check('messages that are no JSON-RPC get their errors and nothing else happens', async () => {
  const answers = [
    ['{', -32700],
    ['[]', -32700],
    ['{"jsonrpc":"2.0","id":1}', -32600],
    ['{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600],
    ['{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"__proto__"}', -32601],
  ]
  for (const [text, code] of answers) {
    ws.send(text)
    equal((await ws.next((message) => message.error, text)).error.code, code, text)
  }
  ws.notify('nope', {})
  assert((await ws.call('ping')).result, 'afterwards')
})

const join_ = (more = {}) =>
  ws.call('room.join', { room: 'lab', device: 'desktop', offer: 'v=0\r\n', sections: { 0: 'mic' }, ...more })
await check('room.join says what is wrong', async () => {
  const field = (answer) => [answer.error.code, answer.error.data.field ?? answer.error.data.reason]
  equal(field(await join_({ room: undefined })), [-32602, 'room'])
  equal(field(await join_({ device: 'fridge' })), [-32602, 'device'])
  equal(field(await join_({ offer: 7 })), [-32602, 'offer'])
  equal(field(await join_({ offer: 'x'.repeat(210_000) })), [-32602, 'offer'])
  equal(field(await join_({ sections: {} })), [-32602, 'sections'])
  equal(field(await join_({ sections: { 0: 'kitchen' } })), [-32602, 'sections'])
  equal((await join_({ room: 'nowhere' })).error.code, 1004)
  equal((await join_({ room: '../lab' })).error.code, 1004)
  equal((await join_({ resume: 'x' })).error.code, 1004)
  equal(field(await join_()), [1022, 'bad_sdp'])
  equal(
    field(
      await join_({ offer: 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n' }),
    ),
    [1022, 'bad_sdp'],
  )
})

await check('calls of participants need a room', async () => {
  for (const method of [
    'room.offer',
    'room.show',
    'room.source',
    'view.open',
    'view.present',
    'view.state',
    'view.pointer',
  ])
    equal((await ws.call(method)).error.code, 1004, method)
  assert((await ws.call('room.leave')).result, 'leaving nothing is fine')
})

await check('who has no part in a room does not get in', async () => {
  const other = new Socket(base, { cookie: referrer.cookie })
  await other.opened
  equal(
    (await other.call('room.join', { room: 'lab', device: 'phone', offer: 'v=0\r\n', sections: { 0: 'mic' } })).error
      .code,
    1004,
  )
  other.close()
})

await check('messages that are too large or binary end the connection', async () => {
  const big = new Socket(base, { cookie: centre.cookie })
  await big.opened
  big.send('x'.repeat(300_000))
  equal(await big.closed, 1009)
  const binary = new Socket(base, { cookie: centre.cookie })
  await binary.opened
  await binary.call('ping')
  binary.frame(2, Buffer.from('{}'))
  equal(await binary.closed, 1003)
})

await check('a login that ends closes its live connection within 5 s', async () => {
  const leaving = await new Session(base).login('centre1', PASSWORD)
  const live = new Socket(base, { cookie: leaving.cookie })
  await live.opened
  await live.call('ping')
  await leaving.call('POST', '/api/v1/logout', { json: {} })
  const start = Date.now()
  equal(await Promise.race([live.closed, sleep(6000)]), 4401)
  assert(Date.now() - start < 5500, 'too late')
})

// ---- WHIP and WHEP ----

await check('WHIP and WHEP want the right token, type and offer', async () => {
  const post = (path, bearer, type = 'application/sdp', body = 'v=0\r\n') =>
    call(base, 'POST', path, {
      headers: { 'Content-Type': type, ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}) },
      body,
    })
  const none = await post('/whip/lab')
  equal([none.status, none.headers['www-authenticate']], [401, 'Bearer'])
  equal((await post('/whip/lab', 'wrong')).status, 401, 'wrong token')
  equal((await post('/whip/other', publishToken)).status, 401, 'another room')
  equal((await post('/whip/lab', viewToken)).status, 403, 'a viewer publishes')
  equal((await post('/whep/lab', publishToken)).status, 403, 'a publisher views')
  equal((await post('/whip/lab', publishToken, 'text/plain')).status, 415, 'type')
  for (const path of [
    ['/whip/lab', publishToken],
    ['/whep/lab', viewToken],
  ]) {
    const bad = await post(...path)
    assert(bad.status === 400 || bad.status === 422, `bad SDP: ${bad.status}`)
    equal(bad.headers['content-type'], 'application/problem+json')
  }
  const options = await call(base, 'OPTIONS', '/whip/lab')
  equal([options.status, options.headers['accept-post']], [204, 'application/sdp'])
  equal(
    (
      await call(base, 'DELETE', '/whip/lab/01ARZ3NDEKTSV4RRFFQ69G5FAV', {
        headers: { Authorization: `Bearer ${publishToken}` },
      })
    ).status,
    404,
  )
})

// ---- the end ----

await check('SIGTERM ends it cleanly and both logs verify', async () => {
  ws.close()
  const end = await server.end()
  equal(end, { code: 0, signal: null }, server.log().slice(-4000))
  assert(!/ERROR: (Address|Leak)Sanitizer|runtime error/.test(server.log()), server.log().slice(-4000))
  assert(/0 faults/.test(server.run('verify', 'audit')), 'audit')
  assert(/0 faults/.test(server.run('verify', 'ledger')), 'ledger')
})

await check('no password, token or patient stands in the log', async () => {
  for (const word of [PASSWORD, publishToken, '张三丰', '13800000000', referrer.cookie.slice(4)])
    assert(!server.log().includes(word), `"${word.slice(0, 6)}…" is in the log`)
})
server.remove()

await check('HTTPS: HTTP/1.1 by ALPN, secure cookie, HSTS, nothing older than TLS 1.2', async () => {
  const safe = new Server({ build: sanitized, name: 'door-https', pages: false })
  try {
    const { key, cert } = certificate(safe.dir)
    safe.people({ referrer1: 'referrer' }, { password: PASSWORD })
    safe.set('server', { tls_cert: cert, tls_key: key })
    await safe.start()
    const answer = await call(safe.url, 'POST', '/api/v1/login', {
      headers: json,
      body: JSON.stringify({ username: 'referrer1', password: PASSWORD }),
    })
    equal(answer.status, 200)
    assert(
      /; Secure/.test(answer.headers['set-cookie'][0]) && answer.headers['strict-transport-security'],
      'cookie or HSTS',
    )
    const connect = (options) =>
      new Promise((done) => {
        const socket = tls.connect(
          { host: '127.0.0.1', port: safe.ports.port, rejectUnauthorized: false, ...options },
          () => {
            done(socket.alpnProtocol || 'none')
            socket.destroy()
          },
        )
        socket.on('error', () => done('refused'))
      })
    equal(await connect({ ALPNProtocols: ['h2', 'http/1.1'] }), 'http/1.1')
    equal(await connect({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }), 'refused')
    equal((await safe.end()).code, 0, safe.log().slice(-3000))
  } finally {
    await safe.end('SIGKILL')
    safe.remove()
  }
})

finish()
