// The life of a call: it begins by who is in its room, ends with the room after a farewell, and the minutes stop; one account twice; requests watched
// from outside.
// node tests/interop/ending.mjs (CN_BUILD=release for another build). The participant whose minutes run is GStreamer's webrtcbin, by WHIP.
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { assert, check, equal, finish, sleep, until } from '../lib/check.mjs'
import { listening } from '../lib/offer.mjs'
import { Session, call } from '../lib/rest.mjs'
import { Server, root, sanitized } from '../lib/server.mjs'
import { Socket } from '../lib/socket.mjs'

const PASSWORD = 'Good-pass-1x'
const FAREWELL_S = 5
const server = new Server({
  build: sanitized,
  name: 'door-ending',
  pages: false,
  extra: { room: { farewell_seconds: FAREWELL_S } },
})
const people = {
  referrer1: 'referrer',
  centre1: 'consult_admin',
  expert1: 'expert',
  expert2: 'expert',
  stranger: 'expert',
}
server.people(people, { password: PASSWORD })
await server.start()
const session = {}
for (const name of Object.keys(people)) session[name] = await new Session(server.url).login(name, PASSWORD)

/** The smallest picture. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
)
const sdp = readFileSync(join(root, 'tests/data/sdp/chromium-phone.sdp'), 'utf8')
let reads = 0
const rest = async (who, method, path, json) => {
  if (method === 'GET' && /^\/api\/v1\/requests\/\w+$/.test(path)) reads++
  const answer = await session[who].call(method, path, { json })
  assert(answer.status < 300, `${who} ${method} ${path}: ${answer.status} ${answer.body}`)
  return answer.json
}
const open = async (who) => {
  const s = new Socket(server.url, { cookie: session[who].cookie })
  equal((await s.opened).status, 101, who)
  return s
}
const done = async (s, method, params) => {
  const answer = await s.call(method, params)
  assert(answer.result, `${method}: ${JSON.stringify(answer.error)}`)
  return answer.result
}
const entering = (s, room, more = {}) => s.call('room.join', { room, device: 'phone', ...listening(), ...more })
const waiting = async (s) => {
  await sleep(300)
  return s.messages.filter((m) => m.method === 'request.changed').length
}
const changed = async (s) => (await s.notice('request.changed')).params.state

async function request() {
  const { id } = await rest('referrer1', 'POST', '/api/v1/requests', {
    patient: { name: '欧阳若兰', sex: 'female', birth_date: '1961-05-02' },
    diagnosis: '占位',
    question: '性质？',
  })
  await session.referrer1.upload(id, 'consent', 'consent.txt', Buffer.from('知情同意\n'))
  return id
}
const act = (who, id, word, json = {}) => rest(who, 'POST', `/api/v1/requests/${id}/${word}`, json)
const soon = (minutes) => Date.now() + minutes * 60_000
async function begin(id) {
  await act('referrer1', id, 'submit')
  await act('centre1', id, 'schedule', {
    lead: session.expert1.user.id,
    experts: [session.expert2.user.id],
    at: soon(60),
    minutes: 30,
  })
  return (await act('referrer1', id, 'room')).room
}

await check('watch: what one has a part in, with its state; wrong lists are refused and change nothing', async () => {
  const id = await request(),
    nobody = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
  const [mine, other] = [await open('referrer1'), await open('stranger')]
  equal(await done(mine, 'request.watch', { requests: [nobody, id] }), { requests: [{ id, state: 'UPLOADING' }] })
  equal(await done(other, 'request.watch', { requests: [nobody, id] }), { requests: [] }, 'a stranger')
  for (const requests of [undefined, 'all', [7], [''], ['x'.repeat(200)], Array(201).fill(id)]) {
    const { error } = await mine.call('request.watch', { requests })
    equal([error?.code, error?.data?.field], [-32602, 'requests'], JSON.stringify(requests)?.slice(0, 40))
  }
  await act('referrer1', id, 'submit')
  equal((await mine.notice('request.changed')).params, { request: id, state: 'PENDING_REVIEW' })
  equal(await waiting(other), 0, 'what the stranger was told')
  equal(await done(mine, 'request.watch', { requests: [] }), { requests: [] })
  await act('centre1', id, 'return', { reason: '影像不清' })
  equal(await waiting(mine), 0, 'after watching nothing')
  const [first, second] = await Promise.all([
    mine.call('request.watch', { requests: [id] }),
    mine.call('request.watch', { requests: [] }),
  ])
  equal(
    [first.result, second.result],
    [{ requests: [{ id, state: 'RETURNED' }] }, { requests: [] }],
    'both calls are answered',
  )
  await act('referrer1', id, 'submit')
  equal(await waiting(mine), 0, 'the later of two calls counts')
  mine.close()
  other.close()
})

await check('other experts: who takes part no more leaves the room, hears no more and does not come back', async () => {
  const id = await request(),
    room = await begin(id)
  const [inside, outside, stays] = [await open('expert2'), await open('expert2'), await open('expert1')]
  const { participant } = (await entering(inside, room)).result
  await done(outside, 'request.watch', { requests: [id] })
  await done(stays, 'request.watch', { requests: [id] })
  await act('centre1', id, 'experts', { lead: session.expert1.user.id, experts: [session.stranger.user.id] })
  equal((await inside.notice('room.left')).params, { participant, cause: 'removed', by: null })
  equal(await changed(outside), 'SCHEDULED', 'the last that he hears')
  const refused = await session.expert2.call('GET', `/api/v1/requests/${id}`)
  equal([refused.status, refused.json.wrong], [404, 'parted'], 'the request')
  reads++ // a refused one has its row, too
  equal((await session.expert2.call('GET', `/api/v1/requests/${id}/report`)).status, 404, 'its report')
  equal((await entering(inside, room)).error?.code, 1004, 'coming back')
  equal((await rest('stranger', 'GET', `/api/v1/requests/${id}`)).state, 'SCHEDULED', 'who came instead')
  await act('centre1', id, 'cancel', { reason: '病人已转院' })
  await until('the one who stays hearing of it', async () => (await waiting(stays)) === 2, 5) // the other experts, and the end
  equal(await waiting(outside), 0, 'what the other one was told')
  for (const s of [inside, outside, stays]) s.close()
})

await check(
  'cancelled: those inside are told, later ones too; then all are out, the device by WHIP too, and its minutes end',
  async () => {
    const id = await request(),
      room = await begin(id)
    // by the number that pages show: the token is the room's
    const { number } = await rest('centre1', 'GET', `/api/v1/requests/${id}`)
    const token = server.run('room', 'token', number, '--publish').trim()
    const device = spawn(
      '/usr/bin/python3',
      [join(root, 'tests/interop/webrtcbin.py'), 'publish', `${server.url}/whip/${room}`, token, 'vp8', '660'],
      { stdio: ['pipe', 'ignore', 'inherit'] },
    )
    try {
      /* first of all: a participant who never connects, like those below, is given up after some seconds */
      const there = await until(
        'the device being connected',
        async () => (await rest('expert1', 'GET', `/api/v1/rooms/${room}`)).participants[0],
        60,
      )
      const lead = await open('expert1')
      const joined = (await entering(lead, room)).result
      assert(joined, 'the lead expert is inside')
      await done(lead, 'request.watch', { requests: [id] })
      const told = Date.now()
      await act('centre1', id, 'cancel', { reason: '病人转院' })
      equal((await lead.notice('room.ending')).params, { seconds: FAREWELL_S, reason: 'cancelled' })
      equal((await lead.notice('request.changed')).params, { request: id, state: 'CANCELLED' })
      equal(await waiting(lead), 0, 'told once as a member who watches')
      const late = await open('expert2')
      const second = (await entering(late, room)).result
      assert(second, 'the room may be entered during its farewell')
      const { seconds, reason } = (await late.notice('room.ending')).params
      assert(seconds >= 1 && seconds <= FAREWELL_S && reason === 'cancelled', `${seconds} s, ${reason}`)
      lead.close()
      const back = await open('expert1')
      equal((await entering(back, room, { resume: joined.resume })).result?.participant, joined.participant, 'resumed')
      equal((await back.notice('room.ending')).params.reason, 'cancelled')
      for (const [s, { participant }] of [
        [back, joined],
        [late, second],
      ]) {
        equal((await s.notice('room.closed')).params, { reason: 'ended' })
        equal((await s.next((m) => m.params?.participant === participant, 'having left')).params.cause, 'closed')
      }
      const ended = Date.now()
      assert(ended - told > FAREWELL_S * 1000 - 500, `ended after ${ended - told} ms`)
      equal((await back.call('room.show', { slots: [] })).error?.code, 1004, 'in no room any more')
      const again = (await entering(back, room)).error
      equal([again?.code, again?.data?.reason], [1009, 'conflict'], 'a join after the end')
      const whip = await call(server.url, 'POST', `/whip/${room}`, {
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/sdp' },
        body: sdp,
      })
      equal(whip.status, 409, 'WHIP after the end')
      const rows = await until('the minutes in the ledger', async () => {
        const { items } = await rest('centre1', 'GET', `/api/v1/minutes/segments?room=${room}&size=200`)
        const own = items.filter((r) => r.participant === there.id)
        return own.some((r) => r.end_cause === 'ended') && own
      })
      const last = rows.sort((a, b) => a.start - b.start).at(-1)
      equal(last?.end_cause, 'ended', JSON.stringify(rows))
      assert(
        last.start + last.ms <= ended + 1000 && last.start + last.ms > told,
        `it ends ${last.start + last.ms - ended} ms after the room`,
      )
      back.close()
      late.close()
    } finally {
      device.kill()
    }
  },
)

await check(
  'every step is told, also where the state stays; closed: the room ends; nobody inside: nothing',
  async () => {
    const id = await request(),
      path = `/api/v1/requests/${id}`
    const outside = await open('referrer1')
    await done(outside, 'request.watch', { requests: [id] })
    await act('referrer1', id, 'submit')
    await act('centre1', id, 'schedule', {
      lead: session.expert1.user.id,
      experts: [session.expert2.user.id],
      at: soon(60),
      minutes: 30,
    })
    await act('centre1', id, 'reschedule', { at: soon(90), minutes: 45 })
    const { room } = await act('referrer1', id, 'room')
    const inside = await open('expert1')
    assert((await entering(inside, room)).result, 'inside')
    const referrer = await open('referrer1')
    assert((await entering(referrer, room)).result, 'both sides are there')
    await until('the beginning', async () => (await rest('expert1', 'GET', path)).state === 'IN_SESSION')
    await act('expert2', id, 'opinion', { text: '同意' })
    await rest('expert1', 'PUT', `${path}/report`, { findings: '结节', conclusion: '良性', advice: '', revision: 0 })
    equal((await rest('expert1', 'POST', `${path}/report/sign`, {})).state, 'REPORTED', 'the answer of signing')
    equal(
      (await rest('referrer1', 'PUT', `${path}/record`, { text: '已讨论' })).record,
      '已讨论',
      'the answer of the record',
    )
    const closed = await act('referrer1', id, 'close')
    equal([closed.state, closed.history.at(-1).action, closed.room], ['CLOSED', 'close', null], 'the answer of closing')
    const states = []
    for (let i = 0; i < 8; i++) states.push(await changed(outside))
    equal(states, [
      'PENDING_REVIEW',
      'SCHEDULED',
      'SCHEDULED',
      'IN_SESSION',
      'IN_SESSION',
      'REPORTED',
      'REPORTED',
      'CLOSED',
    ])
    equal((await inside.notice('room.ending')).params.reason, 'closed')
    equal((await inside.notice('room.closed')).params, { reason: 'ended' })
    await inside.next((m) => m.method === 'room.left' && m.params.cause === 'closed', 'having left')
    const empty = await request(),
      left = await begin(empty)
    await act('centre1', empty, 'cancel', { reason: '病人转院' })
    equal((await entering(inside, left)).error?.code, 1009, 'nobody was inside, nobody enters')
    inside.close()
    referrer.close()
    outside.close()
  },
)

const state = async (id) => (await rest('centre1', 'GET', `/api/v1/requests/${id}`)).state
const may = async (who, id, word) => (await rest(who, 'GET', `/api/v1/requests/${id}`)).actions.includes(word)

await check(
  'it begins when both sides are there, or one near the time; trying the devices begins nothing; nobody comes twice',
  async () => {
    const id = await request(),
      room = await begin(id) // in an hour
    equal([await state(id), await may('centre1', id, 'reschedule')], ['SCHEDULED', true], 'the room was asked for')
    const lead = await open('expert1')
    assert((await entering(lead, room)).result, 'the lead expert is early')
    await sleep(6500) // the clock is looked at every 5 s
    equal(await state(id), 'SCHEDULED', 'one side an hour before')
    await act('centre1', id, 'reschedule', { at: soon(10), minutes: 30 })
    await until('the beginning, since the time has come', async () => (await state(id)) === 'IN_SESSION')
    await act('expert1', id, 'no_show')
    await sleep(6500)
    equal(await state(id), 'SCHEDULED', 'nobody came, and he is still there')
    const other = await open('referrer1')
    assert((await entering(lead, room)).result, 'who sends nothing is given up after 30 s')
    assert((await entering(other, room)).result, 'the referrer comes after all')
    await until('the beginning, by both', async () => (await state(id)) === 'IN_SESSION')
    const { history, held } = await rest('centre1', 'GET', `/api/v1/requests/${id}`)
    equal([history.at(-1).action, history.at(-1).actor.id], ['begin', session.referrer1.user.id])
    equal([held.started_at, held.ended_at, held.ongoing], [history.at(-1).at, null, true], 'the real times')
    await act('centre1', id, 'cancel', { reason: '病人转院' })
    lead.close()
    other.close()
  },
)

await check('signing takes the way back from nobody; ended for all, it is over for all', async () => {
  const id = await request(),
    path = `/api/v1/requests/${id}`,
    room = await begin(id)
  const [lead, other] = [await open('expert1'), await open('referrer1')]
  for (const s of [lead, other]) assert((await entering(s, room)).result, 'inside')
  await until('the beginning', async () => (await state(id)) === 'IN_SESSION')
  await rest('expert1', 'PUT', `${path}/report`, { findings: '结节', conclusion: '良性', advice: '', revision: 0 })
  equal((await rest('expert1', 'POST', `${path}/report/sign`, {})).state, 'REPORTED')
  await done(other, 'room.leave', {})
  for (const who of ['referrer1', 'expert1', 'expert2', 'centre1'])
    equal([await may(who, id, 'room'), (await act(who, id, 'room')).room], [true, room], who)
  assert((await entering(other, room)).result, 'who was dropped is back')
  equal((await session.referrer1.call('POST', `${path}/finish`, { json: {} })).status, 403, 'not his to end')
  equal((await act('expert1', id, 'finish')).state, 'REPORTED', 'ended for all')
  for (const s of [lead, other]) {
    equal((await s.notice('room.ending')).params, { seconds: FAREWELL_S, reason: 'finished' })
    equal((await s.notice('room.closed')).params, { reason: 'ended' })
    await s.next((m) => m.method === 'room.left' && m.params.cause === 'closed', 'having left')
  }
  equal((await entering(other, room)).error?.code, 1009, 'a join after the end')
  const again = await session.expert1.call('POST', `${path}/finish`, { json: {} })
  equal([again.status, await may('expert1', id, 'room'), await may('expert1', id, 'finish')], [409, false, false])
  const { held } = await rest('referrer1', 'GET', path)
  assert(held.ended_at >= held.started_at && !held.ongoing, JSON.stringify(held))
  lead.close()
  other.close()
})

await check('the same account twice: told and moved, or let be; a reconnect is no second device', async () => {
  const id = await request(),
    room = await begin(id)
  const [desk, phone, third] = [await open('expert1'), await open('expert1'), await open('expert1')]
  const first = (await entering(desk, room, { elsewhere: 'ask' })).result
  assert(first, 'nobody is elsewhere')
  const ask = (await entering(phone, room, { elsewhere: 'ask' })).error
  equal([ask?.code, ask?.data?.reason], [1023, 'elsewhere'], JSON.stringify(ask))
  assert((await done(desk, 'room.hand', { on: true })).at, 'the first is untouched')
  equal((await entering(phone, room, { elsewhere: 'maybe' })).error?.data?.field, 'elsewhere')
  const moved = (await entering(phone, room, { elsewhere: 'move' })).result
  assert(moved && moved.participant !== first.participant, 'moved')
  equal((await desk.notice('room.replaced')).params, {})
  equal((await desk.call('room.hand', { on: true })).error?.code, 1004, 'the first is out')
  /* its WebSocket is dead and the server does not know: the same page comes back */
  const back = (await entering(third, room, { elsewhere: 'ask', resume: moved.resume })).result
  equal(back?.participant, moved.participant, 'taken over')
  await phone.notice('room.replaced')
  const anew = (await entering(desk, room, { elsewhere: 'ask', former: back.resume })).result
  assert(anew && anew.participant !== back.participant, 'the same page joins anew')
  await third.notice('room.replaced')
  /* who has lost his WebSocket is nowhere else */
  desk.close()
  await sleep(300)
  assert((await entering(phone, room, { elsewhere: 'ask' })).result, 'his page is gone')
  /* each device counts, for who says nothing; another account is another person */
  assert((await entering(third, room)).result, 'beside it')
  const colleague = await open('expert2')
  assert((await entering(colleague, room, { elsewhere: 'ask' })).result, 'another account')
  await act('centre1', id, 'cancel', { reason: '病人转院' })
  for (const s of [phone, third, colleague]) s.close()
})

await check('who loads the page anew has his hand and his presenting as before; nobody else loses his', async () => {
  const id = await request(),
    picture = await session.referrer1.upload(id, 'consent', 'scan.png', PNG),
    room = await begin(id)
  await until('the picture being ready', async () => {
    const { files } = await rest('referrer1', 'GET', `/api/v1/requests/${id}`)
    return files.find((one) => one.id === picture)?.state === 'ready'
  })
  const [lead, other, third] = [await open('expert1'), await open('expert2'), await open('referrer1')]
  await entering(lead, room)
  await entering(other, room)
  await entering(third, room)
  const { at } = await done(lead, 'room.hand', { on: true })
  await done(lead, 'view.open', { file: picture })
  lead.notify('view.state', { seq: 1, cx: 5, cy: 6, w: 7, h: 8 })
  await other.notice('view.now')
  /* as a page that is loaded anew does */
  const presenter = async () => (await other.notice('view.opened')).params.presenter
  await presenter()
  lead.notify('room.leave', {})
  lead.close()
  equal(await presenter(), null, 'nobody presents meanwhile')
  let page = await open('expert1')
  let back = (await entering(page, room, { elsewhere: 'ask' })).result
  equal([back?.self.hand, back?.view.presenter, back?.view.state?.cx], [at, back?.participant, 5], 'back at once')
  equal(await presenter(), back.participant, 'as the others hear')
  page.notify('view.state', { seq: 1, cx: 9, cy: 6, w: 7, h: 8 })
  equal((await other.notice('view.now')).params.state.cx, 9, 'his picture moves theirs')
  /* a page that dies without a word; he lowers his hand before */
  await done(page, 'room.hand', { on: false })
  page.close()
  await sleep(300)
  page = await open('expert1')
  back = (await entering(page, room, { elsewhere: 'ask' })).result
  equal([back?.self.hand, back?.view.presenter], [null, back?.participant], 'after a death')
  /* somebody else presents meanwhile, and still when he comes back; even when that one has stopped, it is over */
  for (const stops of [false, true]) {
    await done(page, 'room.leave', {})
    await done(other, 'view.present', { on: true })
    if (stops) await done(other, 'view.present', { on: false })
    back = (await entering(page, room, { elsewhere: 'ask' })).result
    assert(back && back.view.presenter !== back.participant, `stops: ${stops}`)
    equal(!back.view.presenter, stops)
    if (!stops) await done(page, 'view.present', { on: true })
  }
  await act('centre1', id, 'cancel', { reason: '病人转院' })
  for (const s of [page, other, third]) s.close()
})

await check('the talk has one time for everybody, from its beginning, also for who comes back', async () => {
  const id = await request(),
    room = await begin(id)
  const [lead, referrer] = [await open('expert1'), await open('referrer1')]
  equal((await entering(lead, room)).result?.lasts_ms, null, 'one side alone, an hour before: no talk')
  await sleep(1100)
  assert((await entering(referrer, room)).result, 'both sides are there')
  for (const s of [lead, referrer]) {
    const { lasts_ms } = (await s.notice('room.begun')).params
    assert(lasts_ms >= 0 && lasts_ms < 1000, `begun ${lasts_ms} ms ago`)
  }
  await sleep(500)
  const late = await open('expert2')
  const first = (await entering(late, room)).result.lasts_ms
  assert(first >= 500 && first < 20_000, `it lasts ${first} ms`)
  for (const s of [lead, referrer, late]) await done(s, 'room.leave', {})
  await until(
    'the room being empty',
    async () => !(await rest('expert1', 'GET', `/api/v1/rooms/${room}`)).participants.length,
  )
  const again = (await entering(late, room)).result.lasts_ms
  assert(again >= first, `after everybody had left it lasts ${again} ms`)
  await act('centre1', id, 'cancel', { reason: '病人转院' })
  for (const s of [lead, referrer, late]) s.close()
})

await check('who waits before a room that everybody has left hears of its end, too', async () => {
  const id = await request(),
    room = await begin(id)
  const lead = await open('expert1')
  assert((await entering(lead, room)).result, 'the lead expert is inside')
  await done(lead, 'room.settings', { lobby: true })
  const waits = await open('expert2')
  equal((await entering(waits, room)).error?.data?.reason, 'lobby')
  await done(lead, 'room.leave', {})
  lead.close()
  await until('the room being empty', async () => {
    const { participants } = await rest('centre1', 'GET', `/api/v1/rooms/${room}`)
    return participants.length === 0
  })
  await act('centre1', id, 'cancel', { reason: '病人转院' })
  equal((await waits.notice('room.refused')).params, { room, by: null })
  waits.close()
})

const sql = (text) => execFileSync('sqlite3', ['-cmd', '.timeout 5000', join(server.dir, 'consilium.db'), text])
const MINUTES = 600 // as tests/lib/server.mjs has them
const minutesLeft = ({ idle_left_ms: ms }) => ms / 60_000
const idleLeft = async (who) => minutesLeft(await rest(who, 'GET', '/api/v1/session'))

await check('asking, changing and listening are no signs of a person; what the page says of him is', async () => {
  const id = await request()
  const [listens, silent] = [await open('referrer1'), await open('stranger')]
  await done(listens, 'request.watch', { requests: [id] })
  for (const who of ['referrer1', 'stranger']) await rest(who, 'POST', '/api/v1/session/activity', {})
  sql('UPDATE sessions SET seen_mono_ms = seen_mono_ms - 300000')
  await sleep(5500) // answers are remembered for 2 s; two rounds over all open connections
  for (let i = 0; i < 3; i++) {
    await rest('referrer1', 'GET', '/api/v1/requests?tab=uploading')
    await rest('referrer1', 'POST', '/api/v1/requests/search?tab=uploading', { name: '欧阳' })
    await done(listens, 'ping', {})
  }
  const alone = async (who) => assert((await idleLeft(who)) <= MINUTES - 5, `${who} was left alone`)
  for (const who of ['referrer1', 'stranger']) await alone(who)
  const later = minutesLeft(await rest('referrer1', 'POST', '/api/v1/session/activity', { ago_ms: 61_000 }))
  assert(later > MINUTES - 2 && later < MINUTES - 1, `a hand a minute ago: ${later}`)
  equal(minutesLeft(await rest('referrer1', 'POST', '/api/v1/session/activity', {})), MINUTES, 'a hand now')
  assert((await idleLeft('referrer1')) > MINUTES - 1, 'the next who asks')
  const forged = await session.stranger.call('POST', '/api/v1/session/activity', {
    json: {},
    headers: { 'X-CSRF-Token': 'x' },
  })
  equal(forged.status, 403, 'another site')
  await alone('stranger')
  listens.close()
  silent.close()
})

await check(
  'who is in a room is not idle, nor is his login too old for it, whatever the clocks say; who is nowhere is',
  async () => {
    const id = await request(),
      room = await begin(id)
    const inside = await open('expert1')
    assert((await entering(inside, room)).result, 'the expert is not in')
    const aged = await open('expert2')
    await sleep(2500) // answers about logins are remembered for 2 s
    // seen before the machine was started anew, by a clock that was decades behind; and made then, too
    sql("UPDATE sessions SET seen_ms = 0, seen_mono_ms = 0, seen_boot = ''")
    sql("UPDATE sessions SET life_ms = 0, life_mono_ms = 0, life_boot = ''")
    await sleep(6500) // two rounds over all open connections
    assert((await inside.call('ping', {})).result, 'the WebSocket was closed')
    equal(await aged.closed, 4401, 'who only listens')
    const { status, json } = await session.expert1.call('GET', '/api/v1/session')
    equal(status, 200, 'in the room')
    assert(json.life_left_ms > 240_000 && json.life_left_ms <= 300_000, `${json.life_left_ms} ms left after the room`)
    equal((await session.stranger.call('GET', '/api/v1/session')).status, 401, 'nowhere')
    inside.close()
  },
)

await check('an act is one row in the audit log, not an act and a reading', async () => {
  await server.end()
  const count = (where) =>
    Number(
      execFileSync('sqlite3', [join(server.dir, 'consilium.db'), `SELECT COUNT(*) FROM audit_log WHERE ${where}`], {
        encoding: 'utf8',
      }),
    )
  equal([count("action = 'request.read'"), count("action = 'request.cancel' AND outcome = 'ok'")], [reads, 8])
})

server.remove()
finish()
