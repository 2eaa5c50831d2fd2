// Who has no login, and who has one and floods: others do not notice. WebSockets of strangers, connections beyond a shell's 1,024 descriptors, messages
// that never end, more calls than a page makes, HTTP/2.
// node tests/interop/strangers.mjs (CN_BUILD=release for another build).
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import net from 'node:net'
import { join } from 'node:path'
import { assert, check, equal, finish, sleep, until } from '../lib/check.mjs'
import { listening } from '../lib/offer.mjs'
import { Session, call } from '../lib/rest.mjs'
import { Server, sanitized } from '../lib/server.mjs'
import { Socket } from '../lib/socket.mjs'

const PASSWORD = 'Good-pass-1x'
const server = new Server({ build: sanitized, name: 'door-strangers', pages: false, descriptors: 1024 })
server.people({ referrer1: 'referrer', centre1: 'consult_admin', expert1: 'expert' }, { password: PASSWORD })
await server.start()
const session = {}
for (const name of Object.keys(server.users)) session[name] = await new Session(server.url).login(name, PASSWORD)
const { port } = server.ports

const open = async (who) => {
  const socket = new Socket(server.url, { cookie: session[who].cookie })
  equal((await socket.opened).status, 101, who)
  return socket
}
const madeUp = () => `sid=${randomBytes(32).toString('base64url')}`
const healthy = async () => equal((await call(server.url, 'GET', '/healthz')).status, 200, 'healthz')

async function inRoom(who, room) {
  const socket = await open(who)
  const { result, error } = await socket.call('room.join', { room, device: 'phone', ...listening() })
  assert(result, `${who}: ${JSON.stringify(error)}`)
  return socket
}

await check('more connections than a login shell grants descriptors: the door goes on', async () => {
  const idle = Array.from({ length: 1100 }, () => net.connect(port, '127.0.0.1').on('error', () => undefined))
  await Promise.all(idle.map((one) => new Promise((done) => one.once('connect', done))))
  await sleep(500)
  await healthy()
  for (const one of idle) one.destroy()
})

await check(
  'a token that no login has: refused before the upgrade, or closed at once though it says nothing',
  async () => {
    equal((await new Socket(server.url, { cookie: 'sid=short' }).opened).status, 401, 'no form of ours')
    equal((await new Socket(server.url, { cookie: `sid=${'!'.repeat(43)}` }).opened).status, 401, 'no base64url')
    const doctor = await open('expert1')
    for (let round = 0; round < 3; round++) {
      const strangers = Array.from({ length: 60 }, () => new Socket(server.url, { cookie: madeUp() }))
      const statuses = (await Promise.all(strangers.map((one) => one.opened))).map(({ status }) => status)
      equal(
        statuses.filter((status) => status !== 101 && status !== 503),
        [],
        'statuses',
      )
      const inside = strangers.filter((_, i) => statuses[i] === 101)
      assert(inside.length > 0, 'none came as far as the question')
      equal([...new Set(await Promise.all(inside.map((one) => one.closed)))], [4401], 'close codes')
      assert((await doctor.call('ping')).result, 'the doctor')
    }
    doctor.close()
  },
)

await check('messages that never end are bounded, and given up', async () => {
  const half = []
  const piece = Buffer.alloc(14 + 250_000)
  piece[0] = 0x01 // text, and not the last piece
  piece[1] = 0x80 | 127
  piece.writeBigUInt64BE(250_000n, 2)
  for (let i = 0; i < 160; i++) {
    const socket = await open('referrer1')
    socket.socket.write(piece)
    half.push(socket)
  }
  const first = await Promise.race(half.map((one) => one.closed))
  equal(first, 1013, 'beyond 32 MiB in all')
  await healthy()
  const others = half.filter((one) => one.closeCode === undefined)
  assert(others.length > 100, `${others.length} go on`)
  for (const one of half) one.close()
})

let room
await check('600 calls in one go: nobody else is thrown out, and who floods is told', async () => {
  const { json } = await session.referrer1.call('POST', '/api/v1/requests', {
    json: {
      patient: { name: '欧阳若兰', sex: 'female', birth_date: '1961-05-02' },
      diagnosis: '占位',
      question: '性质？',
    },
  })
  const act = (who, word, body = {}) => session[who].call('POST', `/api/v1/requests/${json.id}/${word}`, { json: body })
  await session.referrer1.upload(json.id, 'consent', 'consent.txt', Buffer.from('知情同意\n'))
  await act('referrer1', 'submit')
  await act('centre1', 'schedule', {
    lead: session.expert1.user.id,
    experts: [],
    at: Date.now() + 3600_000,
    minutes: 30,
  })
  room = (await act('referrer1', 'room')).json.room
  const [victim, flooder] = [await inRoom('expert1', room), await inRoom('referrer1', room)]
  const answers = []
  for (let i = 0; i < 600; i++) flooder.notify('room.hand', { on: i % 2 === 0 })
  for (let i = 0; i < 60; i++) answers.push(flooder.call('room.hand', { on: i % 2 === 0 }))
  const told = await answers[0]
  equal([told.error?.code, told.error?.data?.reason], [1029, 'busy'])
  assert(told.error.data.retry_ms > 0, 'when to come again')
  assert((await victim.call('ping')).result, 'the victim')
  equal(victim.closeCode, undefined, 'the victim is inside')
  await Promise.all(answers)
  await until('the flooder being heard again', async () => (await flooder.call('room.hand', { on: false })).result)
  victim.close()
  flooder.close()
})

await check('who goes on is closed, and it stands in the audit log', async () => {
  const flooder = await open('referrer1')
  const victim = await open('expert1')
  let over
  void flooder.closed.then((code) => (over = code))
  while (over === undefined) {
    for (let i = 0; i < 300; i++) flooder.notify('nonsense', { i })
    await sleep(100)
  }
  // whoever sends on while he is closed has his connection reset, and may never read why
  assert([1008, 1006].includes(over), `close code ${over}`)
  assert((await victim.call('ping')).result, 'the victim')
  victim.close()
  const rows = () =>
    execFileSync(
      'sqlite3',
      [join(server.dir, 'consilium.db'), "SELECT outcome, detail FROM audit_log WHERE action = 'live.flood'"],
      { stdio: 'pipe' },
    ).toString()
  await until('the row', () => /denied\|\{"method":"","closed":true\}/.test(rows()))
})

await check('an upgrade to HTTP/2 is refused', async () => {
  const socket = net.connect(port, '127.0.0.1')
  socket.write(
    'GET /healthz HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
  )
  let text = ''
  socket.on('data', (part) => (text += part))
  await new Promise((done) => socket.once('close', done))
  assert(/^HTTP\/1\.[01] 501 /.test(text), text.slice(0, 80))
  await healthy()
})

await check('it ends in order', async () => equal((await server.end()).code, 0))
server.remove()
finish()
