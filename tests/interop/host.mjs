// What hosts may do and others may not, over WebSockets against the real server: node tests/interop/host.mjs (CN_BUILD=release for another build).
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { assert, check, equal, finish, sleep } from '../lib/check.mjs'
import { Session, call } from '../lib/rest.mjs'
import { Server, root, sanitized } from '../lib/server.mjs'
import { Socket } from '../lib/socket.mjs'

const PASSWORD = 'Good-pass-1x'
const server = new Server({
  build: sanitized,
  name: 'door-host',
  pages: false,
  extra: { media: { room_video_max: 2, room_voice_max: 6 } },
})
const people = {
  referrer1: 'referrer',
  centre1: 'consult_admin',
  expert1: 'expert',
  expert2: 'expert',
  expert3: 'expert',
  expert4: 'expert',
}
server.people(people, { password: PASSWORD })
await server.start()
const session = {}
for (const name of Object.keys(people)) session[name] = await new Session(server.url).login(name, PASSWORD)

const full = readFileSync(join(root, 'tests/data/sdp/chromium-phone.sdp'), 'utf8')
/** An offer with microphone, and a camera unless `voice`. */
function offer(voice) {
  const [head, ...media] = full.split(/^(?=m=)/m)
  const sections = {}
  let cameras = 0
  const text = media.map((m) => {
    const sends = /^a=sendonly/m.test(m)
    const mid = /^a=mid:(\S+)/m.exec(m)[1]
    sections[mid] =
      !sends || (voice && m.startsWith('m=video'))
        ? 'slot'
        : m.startsWith('m=audio')
          ? 'mic'
          : ['camera', 'screen', 'device'][cameras++]
    return sections[mid] === 'slot' && sends
      ? m.replace(/^a=sendonly/m, 'a=recvonly').replace(/^a=(rid|simulcast|ssrc|ssrc-group|msid):.*\r\n/gm, '')
      : m
  })
  return { offer: head + text.join(''), sections }
}

let room
const rest = async (who, method, path, json) => {
  const answer = await session[who].call(method, path, { json })
  assert(answer.status < 300, `${who} ${method} ${path}: ${answer.status} ${answer.body}`)
  return answer.json
}
const open = async (who) => {
  const s = new Socket(server.url, { cookie: session[who].cookie })
  equal((await s.opened).status, 101, who)
  return s
}
async function enter(who, { voice = false, s } = {}) {
  s ??= await open(who)
  const answer = await s.call('room.join', { room, device: 'phone', ...offer(voice) })
  if (answer.error) return { s, error: answer.error }
  return Object.assign(s, { s, id: answer.result.participant, joined: answer.result })
}
const leave = async (...list) => {
  for (const s of list) {
    await s.call('room.leave', {})
    s.close()
  }
  await sleep(50)
}
const refused = async (s, method, params, code, reason, field) => {
  const { error } = await s.call(method, params)
  equal(
    [error?.code, error?.data?.reason, field && error?.data?.field],
    [code, reason, field],
    `${method} ${JSON.stringify(params)}: ${JSON.stringify(error)}`,
  )
}
const done = async (s, method, params) => {
  const answer = await s.call(method, params)
  assert(answer.result, `${method}: ${JSON.stringify(answer.error)}`)
  return answer.result
}

await check('a consultation with lead expert, two experts, referrer and administrator', async () => {
  const { id } = await rest('referrer1', 'POST', '/api/v1/requests', {
    patient: { name: '欧阳若兰', sex: 'female', birth_date: '1961-05-02' },
    diagnosis: '占位',
    question: '性质？',
  })
  await session.referrer1.upload(id, 'consent', 'consent.txt', Buffer.from('知情同意\n'))
  await rest('referrer1', 'POST', `/api/v1/requests/${id}/submit`, {})
  await rest('centre1', 'POST', `/api/v1/requests/${id}/schedule`, {
    lead: session.expert1.user.id,
    experts: [session.expert2.user.id, session.expert3.user.id, session.expert4.user.id],
    at: Date.now() + 3600000,
    minutes: 30,
  })
  room = (await rest('referrer1', 'POST', `/api/v1/requests/${id}/room`, {})).room
})

await check('lobby: wait, be listed, be let in or not; a host need not wait', async () => {
  const lead = await enter('expert1', { voice: true })
  await done(lead, 'room.settings', { lobby: true })
  const waiting = await enter('expert2', { voice: true })
  equal([waiting.error?.code, waiting.error?.data?.reason], [1023, 'lobby'])
  const { knocks } = (await lead.next((m) => m.method === 'room.knock' && m.params.knocks.length === 1)).params
  equal([knocks[0].user, knocks[0].removed], [session.expert2.user.id, false])
  const centre = await enter('centre1', { voice: true })
  equal(centre.joined?.knocks.length, 1, 'the administrator enters and sees who waits')
  await done(lead, 'room.admit', { participant: knocks[0].participant, on: false })
  await waiting.s.notice('room.refused')
  equal((await enter('expert2', { voice: true, s: waiting.s })).error?.data?.reason, 'lobby', 'and waits again')
  const list = (
    await lead.next(
      (m) =>
        m.method === 'room.knock' &&
        m.params.knocks.length === 1 &&
        m.params.knocks[0].participant !== knocks[0].participant,
    )
  ).params.knocks
  await done(centre, 'room.admit', { participant: list[0].participant, on: true })
  await waiting.s.notice('room.admitted')
  const inside = await enter('expert2', { voice: true, s: waiting.s })
  assert(inside.id, JSON.stringify(inside.error))
  const third = await enter('expert3', { voice: true })
  equal(third.error?.data?.reason, 'lobby')
  third.s.close()
  await lead.next((m) => m.method === 'room.knock' && m.params.knocks.length === 0)
  const late = await enter('expert3', { voice: true })
  await done(lead, 'room.settings', { lobby: false })
  await late.s.notice('room.admitted')
  assert((await enter('expert3', { voice: true, s: late.s })).id, 'the lobby is open')
  await leave(lead, centre, inside, late.s)
})

await check('lead expert and administrator are hosts, the referrer while no lead expert is there', async () => {
  const [referrer, second] = [await enter('referrer1', { voice: true }), await enter('expert2', { voice: true })]
  equal([referrer.joined.self.host, second.joined.self.host], [true, false], 'without a lead expert')
  const centre = await enter('centre1', { voice: true })
  equal(centre.joined.self.host, true, 'administrator')
  equal(
    referrer.joined.settings,
    { locked: false, lobby: false, unmute: 'all', tier_max: '4k', codec: 'vp8' },
    'settings of a new room',
  )
  await leave(referrer, second, centre)
})

await check('who is no host may do none of it, and it is written down', async () => {
  const [lead, other] = [await enter('expert1', { voice: true }), await enter('expert2', { voice: true })]
  const acts = [
    ['room.mute', { participant: lead.id, source: 'mic', on: false }],
    ['room.mute', { participant: null, source: 'mic', on: false }],
    ['room.ask', { participant: lead.id, source: 'mic' }],
    ['room.remove', { participant: lead.id }],
    ['room.limit', { participant: lead.id, tier_max: 'sd' }],
    ['room.settings', { locked: true }],
    ['room.admit', { participant: lead.id, on: true }],
    ['room.hand', { participant: lead.id, on: false }],
  ]
  for (const [method, params] of acts) await refused(other, method, params, 1003, 'forbidden')
  await refused(await open('expert3'), 'room.settings', { room, locked: true }, 1003, 'forbidden')
  await refused(
    await open('expert3'),
    'room.mute',
    { participant: lead.id, source: 'mic', on: false },
    1004,
    'not_found',
  )
  equal((await rest('centre1', 'GET', `/api/v1/rooms/${room}`)).id, room)
  await leave(lead, other)
})

await check('unknown participants, wrong types and wrong words are refused', async () => {
  const [lead, other] = [await enter('expert1', { voice: true }), await enter('expert2', { voice: true })]
  const nobody = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
  for (const method of ['room.mute', 'room.ask', 'room.remove', 'room.limit', 'room.admit', 'room.hand'])
    await refused(lead, method, { participant: nobody, source: 'mic', on: false, tier_max: 'sd' }, 1004, 'not_found')
  const wrong = [
    ['room.mute', { participant: other.id, source: 'nose', on: false }, 'source'],
    ['room.mute', { participant: other.id, source: 'mic', on: true }, 'on'],
    ['room.mute', { participant: 7, source: 'mic', on: false }, 'participant'],
    ['room.mute', { source: 'mic', on: false }, 'participant'],
    ['room.mute', { participant: other.id, source: 'mic', on: 'no' }, 'on'],
    ['room.ask', { participant: other.id, source: 'screen' }, 'source'],
    ['room.ask', { participant: [], source: 'mic' }, 'participant'],
    ['room.remove', {}, 'participant'],
    ['room.limit', { participant: other.id, tier_max: '8k' }, 'tier_max'],
    ['room.limit', { participant: other.id, tier_max: 'voice' }, 'tier_max'],
    ['room.limit', { participant: other.id }, 'tier_max'],
    ['room.settings', { locked: 'yes' }, 'locked'],
    ['room.settings', { lobby: 1 }, 'lobby'],
    ['room.settings', { unmute: 'nobody' }, 'unmute'],
    ['room.settings', { tier_max: 'voice' }, 'tier_max'],
    ['room.settings', { codec: 'theora' }, 'codec'],
    ['room.settings', { codec: 'x'.repeat(500) }, 'codec'],
    ['room.admit', { participant: other.id }, 'on'],
    ['room.hand', {}, 'on'],
    ['room.hand', { participant: other.id, on: true }, 'on'],
    ['room.video', { on: 'yes' }, 'on'],
  ]
  for (const [method, params, field] of wrong) await refused(lead, method, params, -32602, 'invalid', field)
  await refused(lead, 'room.remove', { participant: lead.id }, 1009, 'conflict')
  await refused(await open('expert3'), 'room.settings', {}, 1004, 'not_found')
  equal(
    await done(lead, 'room.settings', {}),
    { locked: false, lobby: false, unmute: 'all', tier_max: '4k', codec: 'vp8' },
    'nothing was changed',
  )
  await leave(lead, other)
})

await check('hands are in the order of raising, a host lowers them', async () => {
  const [lead, a, b] = [
    await enter('expert1', { voice: true }),
    await enter('expert2', { voice: true }),
    await enter('expert3', { voice: true }),
  ]
  const first = (await done(b, 'room.hand', { on: true })).at,
    second = (await done(a, 'room.hand', { on: true })).at
  assert(second > first, `${second} is not after ${first}`)
  equal((await lead.notice('room.hand')).params.participant, b.id)
  equal((await lead.notice('room.hand')).params, { participant: a.id, at: second, by: a.id })
  equal((await done(a, 'room.hand', { on: true })).at, second, 'raised twice')
  await done(lead, 'room.hand', { participant: b.id, on: false })
  equal((await b.next((m) => m.method === 'room.hand' && m.params.at === null)).params, {
    participant: b.id,
    at: null,
    by: lead.id,
  })
  await leave(lead, a, b)
})

await check('mute one, mute all, and leave to unmute where the host decides', async () => {
  const [lead, a, b] = [
    await enter('expert1', { voice: true }),
    await enter('expert2', { voice: true }),
    await enter('expert3', { voice: true }),
  ]
  await done(lead, 'room.mute', { participant: a.id, source: 'mic', on: false })
  equal((await a.notice('room.source')).params, { participant: a.id, source: 'mic', on: false, by: lead.id })
  await done(a, 'room.source', { source: 'mic', on: true })
  equal(
    (await done(lead, 'room.mute', { participant: null, source: 'mic', on: false })).muted,
    2,
    'everybody but the host',
  )
  await done(lead, 'room.settings', { unmute: 'host' })
  await refused(a, 'room.source', { source: 'mic', on: true }, 1003, 'forbidden', 'source')
  await done(lead, 'room.ask', { participant: a.id, source: 'mic' })
  equal((await a.notice('room.asked')).params, { by: lead.id, source: 'mic' })
  await done(a, 'room.source', { source: 'mic', on: true })
  await done(lead, 'room.mute', { participant: a.id, source: 'mic', on: false })
  await refused(a, 'room.source', { source: 'mic', on: true }, 1003, 'forbidden', 'source')
  const again = await enter('expert2', { voice: true })
  equal(again.joined.self.sources.mic, false, 'who comes anew begins muted')
  await done(lead, 'room.source', { source: 'mic', on: false })
  await done(lead, 'room.source', { source: 'mic', on: true })
  await done(lead, 'room.settings', { unmute: 'all' })
  await done(again, 'room.source', { source: 'mic', on: true })
  await leave(lead, a, b, again)
})

await check('locked: nobody new, but those inside come back, within two minutes', async () => {
  const lead = await enter('expert1', { voice: true }),
    inside = await enter('expert2', { voice: true })
  await done(lead, 'room.settings', { locked: true })
  const stranger = await enter('expert4', { voice: true })
  equal([stranger.error?.code, stranger.error?.data?.reason], [1023, 'locked'])
  const before = await enter('expert3', { voice: true })
  assert(before.id, `expert3 was inside a moment ago: ${JSON.stringify(before.error)}`)
  const token = server.run('room', 'token', room, '--publish').trim()
  const whip = await call(server.url, 'POST', `/whip/${room}`, {
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/sdp' },
    body: full,
  })
  equal([whip.status, whip.json?.detail], [409, 'this room is locked'])
  const resumed = await open('expert2')
  const back = await resumed.call('room.join', { room, device: 'phone', resume: inside.joined.resume, ...offer(true) })
  equal(back.result?.participant, inside.id, JSON.stringify(back.error))
  await done(lead, 'room.settings', { locked: false })
  await leave(lead, resumed, before, stranger.s)
})

await check(
  'removed: the cause is said, no way back for 60 s unless a host allows it; settings outlive the server',
  async () => {
    const lead = await enter('expert1', { voice: true }),
      other = await enter('expert2', { voice: true }),
      centre = await enter('centre1', { voice: true })
    await refused(lead, 'room.remove', { participant: centre.id }, 1009, 'conflict')
    await done(lead, 'room.remove', { participant: other.id })
    equal((await other.notice('room.left')).params, { participant: other.id, cause: 'removed', by: lead.id })
    await refused(other, 'room.source', { source: 'mic', on: true }, 1004, 'not_found')
    const again = await enter('expert2', { voice: true, s: other.s })
    equal([again.error?.code, again.error?.data?.reason], [1023, 'removed'])
    assert(
      again.error.data.retry_ms > 50000 && again.error.data.retry_ms <= 60000,
      `retry ${again.error.data.retry_ms}`,
    )
    const { knocks } = (await lead.next((m) => m.method === 'room.knock' && m.params.knocks.length === 1)).params
    equal(knocks[0].removed, true)
    await done(lead, 'room.admit', { participant: knocks[0].participant, on: true })
    assert((await enter('expert2', { voice: true, s: other.s })).id, 'a host let him in')
    await done(lead, 'room.settings', { locked: true, tier_max: 'hd', codec: 'vp9' })
    await leave(lead, other, centre)
    await server.end()
    await server.start()
    const late = await enter('expert3', { voice: true })
    equal([late.error?.code, late.error?.data?.reason], [1023, 'locked'])
    const host = await enter('expert1', { voice: true })
    equal(
      [host.joined?.settings, host.joined?.limits.tier_max],
      [{ locked: true, lobby: false, unmute: 'all', tier_max: 'hd', codec: 'vp9' }, 'hd'],
    )
    const outside = await open('centre1')
    await done(outside, 'room.settings', { room, locked: false, tier_max: '4k', codec: 'vp8' })
    equal((await host.notice('room.settings')).params.by, null, 'from outside the room')
    equal((await host.notice('room.limits')).params.tier_max, '4k')
    await leave(host, outside, late.s)
  },
)

await check('ceilings: whoever is concerned is told; the smaller one counts', async () => {
  const lead = await enter('expert1', { voice: true }),
    other = await enter('expert2', { voice: true })
  await done(lead, 'room.limit', { participant: other.id, tier_max: 'sd' })
  equal((await other.notice('room.limits')).params.tier_max, 'sd')
  equal((await lead.notice('room.limit')).params, { participant: other.id, tier_max: 'sd', by: lead.id })
  await done(lead, 'room.settings', { tier_max: 'hd' })
  equal((await other.notice('room.limits')).params.tier_max, 'sd')
  equal((await lead.next((m) => m.method === 'room.limits' && m.params.tier_max === 'hd')).params.may_video, false)
  await leave(other)
  const back = await enter('expert2', { voice: true })
  equal(back.joined.limits.tier_max, 'sd', 'coming back does not lift it')
  await done(lead, 'room.limit', { participant: back.id, tier_max: '4k' })
  await done(lead, 'room.settings', { tier_max: '4k' })
  await leave(lead, back)
})

await check(
  'places with video: the third is told that two have their camera on, and gets one that is given up',
  async () => {
    const lead = await enter('expert1'),
      a = await enter('expert2'),
      b = await enter('expert3', { voice: true })
    equal(
      [lead.joined.limits.may_video, a.joined.limits.may_video, b.joined.limits.may_video, b.joined.limits.video_max],
      [true, true, false, 2],
    )
    await refused(b, 'room.video', { on: true }, 1010, 'video_full')
    const { error } = await b.call('room.video', { on: true })
    assert(/2 people have their camera on/.test(error.data.detail), error.data.detail)
    await done(a, 'room.source', { source: 'camera', on: false })
    equal((await b.notice('room.video')).params, { participant: a.id, on: false })
    equal((await done(b, 'room.video', { on: true })).limits.may_video, true)
    const answer = await done(b, 'room.offer', offer(false))
    assert(
      !/^m=video 0 /m.test(answer.answer.split(/^(?=m=)/m).find((m) => /a=simulcast:recv/.test(m)) ?? 'm=video 0 '),
      'the camera is accepted on the same connection',
    )
    await refused(a, 'room.source', { source: 'camera', on: true }, 1010, 'video_full')
    await done(b, 'room.video', { on: false })
    await done(a, 'room.source', { source: 'camera', on: true })
    await leave(lead, a, b)
  },
)

await check('who comes back without a word takes the place that he had; what was left of him is gone', async () => {
  const lead = await enter('expert1'),
    before = await enter('expert2')
  equal(before.joined.limits.may_video, true)
  before.close()
  await sleep(200) // the server has seen the WebSocket end; media would wait 20 s
  const again = await enter('expert2')
  equal(again.joined.limits.may_video, true, 'the second of two places')
  const late = await open('expert2')
  const { error } = await late.call('room.join', {
    room,
    device: 'phone',
    ...offer(false),
    resume: before.joined.resume,
  })
  equal(error?.code, 1004, 'the participant of before')
  late.close()
  const other = await enter('expert2') // on another computer: the one that is there stays
  equal((await again.call('room.hand', { on: true })).error, undefined)
  await leave(lead, again, other)
})

await check('acts of hosts are in the audit log, with ids and no names', async () => {
  await server.end()
  const text = execFileSync(
    'sqlite3',
    [
      '-json',
      join(server.dir, 'consilium.db'),
      "SELECT action, outcome, detail, object FROM audit_log WHERE action LIKE 'room.%'",
    ],
    { encoding: 'utf8' },
  )
  const rows = JSON.parse(text)
  for (const action of [
    'room.mute',
    'room.ask',
    'room.remove',
    'room.limit',
    'room.settings',
    'room.admit',
    'room.hand',
  ]) {
    assert(
      rows.some((r) => r.action === action && r.outcome === 'ok' && r.object === `room:${room}`),
      `${action}: no row`,
    )
    assert(
      rows.some((r) => r.action === action && r.outcome === 'denied'),
      `${action}: no row for who may not`,
    )
  }
  assert(!rows.some((r) => /欧阳|expert\d|centre1/.test(r.detail)), 'a name in the audit log')
})

server.remove()
finish()
