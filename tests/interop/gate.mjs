// Who comes to the door: how often strangers are written down, how often a password may be tried and from where, proxies in front, what pages of
// other origins may do, tokens and what they hold.
// node tests/interop/gate.mjs (CN_BUILD=release for another build).
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import { assert, check, equal, finish, until } from '../lib/check.mjs'
import { Session, call } from '../lib/rest.mjs'
import { Server, root, sanitized } from '../lib/server.mjs'
import { Socket } from '../lib/socket.mjs'

const PASSWORD = 'Good-pass-1x'
const server = new Server({
  build: sanitized,
  name: 'door-gate',
  pages: false,
  extra: {
    server: { trusted_proxies: '127.0.0.1' },
    media: { room_video_max: 4 },
    turn: { urls: 'turn:relay.example?transport=udp, turns:relay.example:443' },
  },
})
const secret = join(server.dir, 'turn.secret')
writeFileSync(secret, 'a-secret-of-the-relay\n', { mode: 0o400 })
server.set('turn', { secret })
server.people(
  {
    referrer1: 'referrer',
    centre1: 'consult_admin',
    centre2: 'consult_admin',
    expert1: 'expert',
    system1: 'sys_admin',
  },
  { password: PASSWORD },
)
await server.start()

const sql = (text) =>
  execFileSync('sqlite3', [join(server.dir, 'consilium.db'), text], { stdio: 'pipe' })
    .toString()
    .trim()
const rows = (action) => Number(sql(`SELECT COUNT(*) FROM audit_log WHERE action = '${action}'`))
const login = (username, password, headers = {}) =>
  call(server.url, 'POST', '/api/v1/login', {
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ username, password }),
  })
const from = (address, more = {}) => ({ 'X-Forwarded-For': address, ...more })
const times = (n, one) => Promise.all(Array.from({ length: n }, (_, i) => one(i)))

// ---- what strangers write ----

await check('bad tokens and logins from other sites: a row, then a sum', async () => {
  for (let round = 0; round < 10; round++) {
    await times(20, (i) =>
      call(server.url, 'POST', `/whip/room${i}`, { headers: { Authorization: 'Bearer no', ...from('192.0.2.1') } }),
    )
    await times(20, () => login('referrer1', PASSWORD, from('192.0.2.1', { 'Sec-Fetch-Site': 'cross-site' })))
  }
  for (const action of ['room.publish', 'access']) assert(rows(action) <= 3, `${rows(action)} rows of ${action}`)
})

await check('/readyz writes nothing', async () => {
  const wal = () => {
    const { size, mtimeMs } = statSync(join(server.dir, 'consilium.db-wal'))
    return `${size} ${mtimeMs}`
  }
  const before = wal()
  await times(50, async () => equal((await call(server.url, 'GET', '/readyz')).status, 200))
  equal(wal(), before)
})

// A body that trickles is given up while the other checks go on.
const trickling = new Promise((done) => {
  const socket = net.connect(server.ports.port, '127.0.0.1')
  const begun = Date.now()
  let text = ''
  socket.write(
    'POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
  )
  const more = setInterval(() => socket.write(' '), 1000)
  socket.on('data', (part) => (text += part)).on('error', () => undefined)
  socket.on('close', () => {
    clearInterval(more)
    done({ text, ms: Date.now() - begun })
  })
})

// ---- passwords ----

await check('a platform behind a proxy: right passwords are not counted, wrong ones by who sent them', async () => {
  for (let i = 0; i < 31; i++) equal((await login('expert1', PASSWORD, from('192.0.2.9'))).status, 200, `login ${i}`)
  for (let i = 0; i < 5; i++) equal((await login('expert1', 'Wrong-pass-1x', from('192.0.2.66'))).status, 401)
  equal((await login('expert1', PASSWORD, from('192.0.2.66'))).status, 429, 'who guessed')
  equal((await login('expert1', PASSWORD, from('192.0.2.9'))).status, 200, 'the doctor')
  // what a client claims himself stands before what the proxy saw
  equal((await login('expert1', PASSWORD, from('192.0.2.9, 192.0.2.66'))).status, 429, 'a claim')
  equal(sql("SELECT DISTINCT address FROM audit_log WHERE action = 'login.locked'"), '192.0.2.66')
})

await check('forty guesses at once are five, and a name that nobody has answers the same', async () => {
  const answers = async (name, address) =>
    (await times(40, (i) => login(name, `Wrong-pass-${i}x`, from(address)))).map(({ status }) => status).sort()
  const known = await answers('referrer1', '192.0.2.20')
  const unknown = await answers('nobody99', '192.0.2.21')
  equal(known.filter((status) => status === 401).length, 5, 'looked at')
  equal(unknown, known, 'the answers')
  const said = async (name, address) => (await login(name, PASSWORD, from(address))).json
  equal(await said('nobody99', '192.0.2.21'), await said('referrer1', '192.0.2.20'), 'what is said')
})

await check('by HTTPS as the proxy says: Secure and HSTS', async () => {
  const plain = await login('expert1', PASSWORD, from('192.0.2.9'))
  assert(!/Secure/.test(plain.headers['set-cookie'][0]), 'Secure without HTTPS')
  assert(!plain.headers['strict-transport-security'], 'HSTS without HTTPS')
  const safe = await login('expert1', PASSWORD, from('192.0.2.9', { 'X-Forwarded-Proto': 'https' }))
  assert(/; Secure/.test(safe.headers['set-cookie'][0]), 'no Secure')
  assert(safe.headers['strict-transport-security'], 'no HSTS')
})

await check('nobody else is a proxy', async () => {
  const other = new Server({ build: sanitized, name: 'door-gate-plain', pages: false })
  try {
    other.people({ expert1: 'expert' }, { password: PASSWORD })
    await other.start()
    const answer = await call(other.url, 'POST', '/api/v1/login', {
      headers: { 'Content-Type': 'application/json', ...from('192.0.2.9', { 'X-Forwarded-Proto': 'https' }) },
      body: JSON.stringify({ username: 'expert1', password: PASSWORD }),
    })
    equal(answer.status, 200)
    assert(!answer.headers['strict-transport-security'], 'believed')
    const where = execFileSync('sqlite3', [join(other.dir, 'consilium.db'), 'SELECT address FROM sessions'])
    equal(where.toString().trim(), '127.0.0.1')
  } finally {
    await other.stop()
  }
})

// ---- WHIP and WHEP ----

const SDPFRAG = 'application/trickle-ice-sdpfrag'
const whip = (method, path, bearer, { body, type, origin, ...more } = {}) =>
  call(server.url, method, path, {
    body,
    headers: {
      ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}),
      ...(type ? { 'Content-Type': type } : {}),
      ...(origin ? { Origin: origin } : {}),
      ...more,
    },
  })
const offer = readFileSync(join(root, 'tests/data/sdp/gst-whip.sdp'), 'utf8')
const publish = (bearer, more) => whip('POST', '/whip/lab', bearer, { body: offer, type: 'application/sdp', ...more })
const token = server.run('room', 'token', 'lab', '--publish').trim()
const refusedBy = (...words) => {
  try {
    server.run(...words)
    return 0
  } catch (e) {
    return e.status
  }
}
const ORIGIN = 'https://studio.example'

await check('pages of other origins may use WHIP and WHEP, and read what they need', async () => {
  const asks = {
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'authorization,content-type',
  }
  for (const path of ['/whip/lab', '/whep/lab']) {
    const before = await whip('OPTIONS', path, undefined, { origin: ORIGIN, ...asks })
    equal([before.status, before.headers['access-control-allow-origin']], [204, '*'], path)
    assert(/\bPOST\b/.test(before.headers['access-control-allow-methods']), 'methods')
    assert(/authorization.*content-type.*if-match/i.test(before.headers['access-control-allow-headers']), 'headers')
  }
  const one = await whip('OPTIONS', '/whip/lab/01ARZ3NDEKTSV4RRFFQ69G5FAV', undefined, { origin: ORIGIN, ...asks })
  assert(/PATCH, DELETE/.test(one.headers['access-control-allow-methods']), 'methods of a session')
  for (const answer of [await publish(token, { origin: ORIGIN }), await publish('no', { origin: ORIGIN })]) {
    equal(answer.headers['access-control-allow-origin'], '*', `${answer.status}`)
    for (const name of ['Location', 'ETag', 'Link'])
      assert(answer.headers['access-control-expose-headers'].split(', ').includes(name), name)
    if (answer.status === 201) await whip('DELETE', answer.headers.location, token)
  }
  const api = await call(server.url, 'GET', '/api/v1/session', { headers: { Origin: ORIGIN } })
  assert(!api.headers['access-control-allow-origin'], 'the API is for our own pages')
})

await check('the relay is told, and that RTCP has no port of its own', async () => {
  const answer = await publish(token)
  equal(answer.status, 201, answer.body)
  const links = answer.headers.link.split(/, (?=<)/)
  equal(links.length, 2, answer.headers.link)
  assert(
    /^<turn:relay\.example\?transport=udp>; rel="ice-server"; username="\d+:[^"]+"; credential="[^"]+"; credential-type="password"$/.test(
      links[0],
    ),
    links[0],
  )
  const sections = answer.body
    .toString()
    .split(/^(?=m=)/m)
    .slice(1)
  for (const one of sections) assert(/^a=rtcp-mux\r$/m.test(one) && /^a=rtcp-mux-only\r$/m.test(one), one)
  await whip('DELETE', answer.headers.location, token)
})

await check(
  'PATCH: other credentials restart, garbage and an outdated ETag are refused; GET says that it is there',
  async () => {
    const made = await publish(token)
    const { location, etag } = made.headers
    const own = ['ice-ufrag', 'ice-pwd'].map((name) => new RegExp(`^a=${name}:.*$`, 'm').exec(offer)[0]).join('\r\n')
    const patch = (body, match) =>
      whip('PATCH', location, token, { body, type: SDPFRAG, ...(match ? { 'If-Match': match } : {}) })
    const fresh = (n) => `a=ice-ufrag:new${n}\r\na=ice-pwd:${'p'.repeat(24)}${n}\r\n`
    equal((await patch('hello')).status, 400, 'garbage')
    equal((await patch('a=ice-ufrag:half\r\n', '*')).status, 400, 'half of the credentials')
    const candidate = 'a=mid:0\r\na=candidate:1 1 udp 2130706431 127.0.0.1 9999 typ host\r\n'
    equal((await patch(candidate, etag)).status, 204, 'a candidate')
    equal((await patch(`${own}\r\n${candidate}`, etag)).status, 204, "a candidate with the session's credentials")
    let last = etag
    for (const [n, match] of [
      [1, '*'],
      [2, undefined],
      [3, 'ETag'],
      [4, '"*"'],
    ]) {
      const answer = await patch(fresh(n), match === 'ETag' ? last : match)
      equal(answer.status, 200, `${match}: ${answer.body}`)
      assert(/^a=ice-ufrag:/m.test(answer.body.toString()), 'the answer')
      assert(answer.headers.etag && answer.headers.etag !== last, 'a new ETag')
      last = answer.headers.etag
    }
    equal((await patch(fresh(5), etag)).status, 412, 'an outdated ETag')
    equal((await patch(candidate, etag)).status, 412, 'a candidate of before')
    const there = await whip('GET', location, token)
    equal([there.status, there.headers.etag], [204, last], 'GET')
    equal((await whip('GET', '/whip/lab')).status, 204, 'GET of the endpoint')
    equal((await whip('GET', location)).status, 401, 'GET without a token')
    equal((await whip('DELETE', location, token)).status, 200)
    equal((await whip('GET', location, token)).status, 404, 'GET after it')
  },
)

// ---- who is in a room, and may be ----

await check('a token is good for so many at once, and can be revoked', async () => {
  const two = server.run('room', 'token', 'small', '--publish', '--sessions', '2').trim()
  const post = () => whip('POST', '/whip/small', two, { body: offer, type: 'application/sdp' })
  const [first, second] = [await post(), await post()]
  equal([first.status, second.status], [201, 201])
  equal((await post()).status, 409, 'a third')
  await whip('DELETE', first.headers.location, two)
  await until('a place being free again', async () => (await post()).status === 201)
  const admin = await new Session(server.url).login('centre1', PASSWORD)
  const list = await admin.get('/api/v1/rooms/small/tokens')
  equal(
    list.items.map(({ publish: may, sessions }) => [may, sessions]),
    [[true, 2]],
    'the list',
  )
  const doctor = await new Session(server.url).login('expert1', PASSWORD)
  equal((await doctor.call('DELETE', '/api/v1/rooms/small/tokens')).status, 403, 'who may not')
  equal((await admin.call('DELETE', `/api/v1/rooms/small/tokens/${list.items[0].id}`)).status, 204, 'revoked')
  equal((await post()).status, 401, 'a new session')
  equal((await whip('GET', second.headers.location, two)).status, 401, 'the old one')
  await until('the room being empty', async () => {
    const other = server.run('room', 'token', 'small', '--publish', '--sessions', '1').trim()
    const answer = await whip('POST', '/whip/small', other, { body: offer, type: 'application/sdp' })
    server.run('room', 'revoke', 'small', '--all')
    return answer.status === 201
  })
  equal(server.run('room', 'tokens', 'small'), '', 'by the command')
  const ask = (who, json) => who.call('POST', '/api/v1/rooms/small/tokens', { json })
  equal((await ask(doctor, { publish: true })).status, 403, 'a new one, for who may not')
  equal((await ask(admin, { publish: true, days: 367 })).status, 422, 'for more than a year')
  const made = await ask(admin, { publish: true, sessions: 1 })
  equal([made.status, made.json.path, made.headers['cache-control']], [201, '/whip/small', 'no-store'], 'a new one')
  const sent = await whip('POST', made.json.path, made.json.token, { body: offer, type: 'application/sdp' })
  equal(sent.status, 201, 'it lets a device in')
  equal((await admin.call('DELETE', '/api/v1/rooms/small/tokens')).status, 204, 'all of them')
  equal((await whip('GET', sent.headers.location, made.json.token)).status, 401, 'it lets nobody in any more')
  equal(refusedBy('room', 'tokens', 'nosuch'), 1, 'a room that is not there')
})

const camera = readFileSync(join(root, 'tests/data/sdp/chromium-phone.sdp'), 'utf8')
const sections = Object.fromEntries(
  camera
    .split(/^(?=m=)/m)
    .slice(1)
    .map((one) => {
      const sends = /^a=send(only|recv)/m.test(one)
      return [/^a=mid:(\S+)/m.exec(one)[1], !sends ? 'slot' : /^m=video/.test(one) ? 'camera' : 'mic']
    }),
)
const open = async (session) => {
  const socket = new Socket(server.url, { cookie: session.cookie })
  equal((await socket.opened).status, 101)
  return socket
}
const enter = (socket, room) => socket.call('room.join', { room, device: 'desktop', offer: camera, sections })

await check('joins of one login that do not connect hold no places of others', async () => {
  const one = await new Session(server.url).login('centre1', PASSWORD)
  const sockets = []
  for (let i = 0; i < 8; i++) {
    sockets.push(await open(one))
    assert((await enter(sockets[i], 'lab')).result, `join ${i}`)
  }
  const other = await open(await new Session(server.url).login('centre2', PASSWORD))
  equal((await enter(other, 'lab')).result?.limits.may_video, true, "another's picture")
  for (const socket of [...sockets, other]) socket.close()
})

await check('whoever loses his role, his account or his login leaves the room within 5 s', async () => {
  const system = await new Session(server.url).login('system1', PASSWORD)
  const within = async (what, happens, seconds = 5) => {
    const begun = Date.now()
    await happens
    assert(Date.now() - begun < (seconds + 3) * 1000, `${what}: after ${Date.now() - begun} ms`)
  }
  const inside = async (name) => {
    const session = await new Session(server.url).login(name, PASSWORD)
    const socket = await open(session)
    assert((await enter(socket, 'lab')).result, name)
    return { session, socket, id: session.user.id }
  }
  const demoted = await inside('centre2')
  sql(`DELETE FROM user_roles WHERE user_id = '${demoted.id}'`)
  await within('role', demoted.socket.notice('room.left'))
  assert((await enter(demoted.socket, 'lab')).error, 'back in')
  const moderator = await inside('centre1')
  equal((await moderator.session.call('POST', `/api/v1/users/${moderator.id}/logout`, { json: {} })).status, 403)
  equal((await system.call('POST', `/api/v1/users/${moderator.id}/logout`, { json: {} })).status, 204)
  await within('login', moderator.socket.closed)
  equal(await moderator.socket.closed, 4401)
  await until(
    'the old login being over',
    async () => (await moderator.session.call('GET', '/api/v1/session')).status === 401,
  )
  const disabled = await inside('centre1')
  equal(
    (await system.call('PUT', `/api/v1/users/${system.user.id}/active`, { json: { active: false } })).status,
    409,
    'own',
  )
  equal((await system.call('PUT', `/api/v1/users/${disabled.id}/active`, { json: { active: false } })).status, 204)
  await within('account', disabled.socket.closed)
  equal((await login('centre1', PASSWORD)).status, 401, 'a disabled account')
  server.run('user', 'enable', 'centre1')
  equal((await login('centre1', PASSWORD)).status, 200, 'enabled again')
})

await check('a body that trickles is given up', async () => {
  const { text, ms } = await trickling
  assert(/^HTTP\/1.1 408 /.test(text) || text === '', text.slice(0, 200))
  assert(ms < 30_000, `after ${ms} ms`)
})

await check('connections of nobody are bounded by address, and those of who is logged in stay', async () => {
  const plain = new Server({ build: sanitized, name: 'door-gate-crowd', pages: false })
  try {
    plain.people({ expert1: 'expert' }, { password: PASSWORD })
    await plain.start()
    const doctor = await new Session(plain.url).login('expert1', PASSWORD)
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const ask = () => call(plain.url, 'GET', '/api/v1/session', { headers: { Cookie: doctor.cookie }, agent })
    equal((await ask()).status, 200)
    const [kept] = Object.values(agent.freeSockets)[0]
    let closed = 0
    const idle = Array.from({ length: 400 }, () =>
      net
        .connect(plain.ports.port, '127.0.0.1')
        .on('error', () => undefined)
        .on('close', () => closed++)
        .resume(),
    )
    await until('those beyond the bound being closed', () => closed >= 100)
    assert(closed < 200, `${closed} closed`)
    equal((await ask()).status, 200)
    equal(Object.values(agent.freeSockets)[0][0] === kept, true, "the doctor's connection")
    for (const one of idle) one.destroy()
    agent.destroy()
  } finally {
    await plain.stop()
  }
})

await check('TLS: forward secrecy only, with an RSA certificate too', async () => {
  const safe = new Server({ build: sanitized, name: 'door-gate-tls', pages: false })
  try {
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(safe.dir, name))
    const made = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-subj',
      '/CN=localhost',
    ]
    execFileSync('openssl', made, { stdio: 'ignore' })
    safe.set('server', { tls_cert: cert, tls_key: key })
    await safe.start()
    const connect = (ciphers) =>
      new Promise((done) => {
        const to = { host: '127.0.0.1', port: safe.ports.port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' }
        const socket = tls.connect({ ...to, ciphers: `${ciphers}:@SECLEVEL=0` }, () => {
          done(socket.getCipher().standardName)
          socket.destroy()
        })
        socket.on('error', () => done('refused'))
      })
    for (const ciphers of ['AES128-SHA', 'AES256-GCM-SHA384', 'ECDHE-RSA-AES128-SHA', 'DHE-RSA-AES128-GCM-SHA256'])
      equal(await connect(ciphers), 'refused', ciphers)
    equal(await connect('ECDHE-RSA-AES128-GCM-SHA256'), 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256')
    equal(await connect('ECDHE-RSA-CHACHA20-POLY1305'), 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256')
  } finally {
    await safe.stop()
  }
})

await check('it ends in order, and then the sums are written', async () => {
  equal((await server.end()).code, 0)
  for (const action of ['room.publish', 'access']) {
    const details = sql(`SELECT detail FROM audit_log WHERE action = '${action}' AND address = '192.0.2.1'`).split('\n')
    const counted = details.map((detail) => JSON.parse(detail).count ?? 1)
    equal(
      counted.reduce((sum, n) => sum + n, 0),
      200,
      `${action}: ${counted}`,
    )
  }
})

await check('both logs verify, and heads that are gone, emptied or cut are missed', async () => {
  const [heads, copy] = [join(server.dir, 'heads.log'), join(server.dir, 'files', 'chain-heads.log')]
  const verify = (log = 'audit') => {
    try {
      return { status: 0, text: server.run('verify', log) }
    } catch (error) {
      return { status: error.status, text: error.stdout }
    }
  }
  equal([verify().status, verify('ledger').status], [0, 0], verify().text)
  for (const path of [heads, copy]) {
    const whole = readFileSync(path)
    for (const [what, change] of Object.entries({
      gone: () => rmSync(path),
      emptied: () => writeFileSync(path, ''),
      cut: () => writeFileSync(path, whole.subarray(0, whole.lastIndexOf(10, whole.length - 2) + 1)),
    })) {
      change()
      const { status, text } = verify()
      assert(status === 1 && /vouches|cannot be read/.test(text), `${path} ${what}: ${status} ${text}`)
      writeFileSync(path, whole)
    }
  }
  equal(verify().status, 0, 'whole again')
  sql('DROP TRIGGER audit_log_no_delete; DELETE FROM audit_log')
  for (const path of [heads, copy]) writeFileSync(path, '')
  equal(verify().status, 1, 'all of it gone')
})
server.remove()
finish()
