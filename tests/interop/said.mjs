// What people write in a room: who may, how much, once however often it is sent, and still there after kill -9: node tests/interop/said.mjs (CN_BUILD=release for another build).
import { assert, check, equal, finish } from '../lib/check.mjs'
import { listening } from '../lib/offer.mjs'
import { Session } from '../lib/rest.mjs'
import { Server, sanitized } from '../lib/server.mjs'
import { Socket } from '../lib/socket.mjs'

const PASSWORD = 'Good-pass-1x'
const server = new Server({
  build: sanitized,
  name: 'door-said',
  pages: false,
  extra: { room: { farewell_seconds: 1 } },
})
const people = {
  referrer1: 'referrer',
  centre1: 'consult_admin',
  expert1: 'expert',
  expert2: 'expert',
  stranger1: 'expert',
}
server.people(people, { password: PASSWORD })
server.people({ referrer2: 'referrer' }, { hospital: 'Another hospital', password: PASSWORD })
await server.start()
const session = {}
for (const name of [...Object.keys(people), 'referrer2'])
  session[name] = await new Session(server.url).login(name, PASSWORD)

let id, room, mine, foreign
const enter = async (who) => {
  const s = await Socket.open(server.url, { cookie: session[who].cookie })
  const answer = await s.call('room.join', { room, device: 'desktop', ...listening() })
  assert(answer.result, `${who}: ${JSON.stringify(answer.error)}`)
  return Object.assign(s, { id: answer.result.participant })
}
const say = async (s, params) => {
  const answer = await s.call('room.say', params)
  assert(answer.result, `${JSON.stringify(params).slice(0, 80)}: ${JSON.stringify(answer.error)}`)
  return answer.result.message
}
const refused = async (s, method, params, code, reason, field) => {
  const { error } = await s.call(method, params)
  equal([error?.code, error?.data?.reason, field && error?.data?.field], [code, reason, field], JSON.stringify(error))
  return error
}
const seqs = (page) => page.messages.map((m) => m.seq)

await check('a consultation with a lead expert, and a file of another request', async () => {
  const form = {
    patient: { name: '欧阳若兰', sex: 'female', birth_date: '1961-05-02' },
    diagnosis: '占位',
    question: '',
  }
  const other = await session.referrer1.post('/api/v1/requests', form)
  foreign = await session.referrer1.upload(other.id, 'consent', 'other.txt', Buffer.from('another\n'))
  ;({ id } = await session.referrer1.post('/api/v1/requests', form))
  mine = await session.referrer1.upload(id, 'consent', '知情同意书.txt', Buffer.from('知情同意\n'))
  await session.referrer1.post(`/api/v1/requests/${id}/submit`)
  await session.centre1.post(`/api/v1/requests/${id}/schedule`, {
    lead: session.expert1.user.id,
    experts: [session.expert2.user.id],
    at: Date.now() + 3600000,
    minutes: 30,
  })
  ;({ room } = await session.referrer1.post(`/api/v1/requests/${id}/room`))
})

await check('what one writes the others are told, and who comes later reads', async () => {
  const [a, b] = [await enter('referrer1'), await enter('expert1')]
  const first = await say(a, { id: 'one', text: '没有麦克风\u0085请看标本\u0007' })
  equal([first.seq, first.text, first.author.id], [1, '没有麦克风\n请看标本', session.referrer1.user.id])
  equal((await b.notice('room.said')).params, first, 'told')
  const second = await say(b, { id: 'one', file: mine })
  equal([second.seq, second.text, second.file.id, second.file.name], [2, '', mine, '知情同意书.txt'], 'a file')
  await a.notice('room.said')
  const late = await enter('expert2')
  equal(
    (await late.call('room.messages')).result,
    { messages: [first, second], last: 2, more: false },
    'who comes later',
  )
  equal(seqs((await late.call('room.messages', { after: 1 })).result), [2], 'what he lacks')
  equal(seqs((await late.call('room.messages', { size: 1 })).result), [2], 'the newest')
  equal(seqs((await late.call('room.messages', { before: 2, size: 1 })).result), [1], 'older ones')
  equal((await late.call('room.messages', { size: 0 })).error.data.field, 'size')
  for (const s of [a, b, late]) s.close()
})

await check('sent again with the same id it is there once, and told once', async () => {
  const [a, b] = [await enter('referrer1'), await enter('expert1')]
  const said = await say(a, { id: 'twice', text: 'x' })
  equal(await say(a, { id: 'twice', text: 'x' }), said, 'the same answer')
  const next = await say(a, { id: 'next', text: 'y' })
  equal(next.seq, said.seq + 1, 'no gap')
  await b.next((m) => m.method === 'room.said' && m.params.seq === next.seq)
  equal(b.messages.filter((m) => m.method === 'room.said' && m.params.id === 'twice').length, 1, 'told')
  for (const s of [a, b]) s.close()
})

await check('too long, empty, a bad id, a wrong file and broken UTF-8 are refused', async () => {
  const a = await enter('referrer1')
  await say(a, { id: 'long', text: '字'.repeat(2000) })
  const wrong = [
    [{ id: 'w', text: '字'.repeat(2001) }, 'text'],
    [{ id: 'w', text: ' \n' }, 'text'],
    [{ id: 'w' }, 'text'],
    [{ id: 'w', text: 7 }, 'text'],
    [{ text: 'x' }, 'id'],
    [{ id: '../x', text: 'x' }, 'id'],
    [{ id: 'w', text: 'x', file: [] }, 'file'],
  ]
  for (const [params, field] of wrong) await refused(a, 'room.say', params, -32602, 'invalid', field)
  for (const file of [foreign, 'x', '01ARZ3NDEKTSV4RRFFQ69G5FAV'])
    await refused(a, 'room.say', { id: 'w', file }, 1004, 'not_found', 'file')
  a.frame(
    1,
    Buffer.concat([
      Buffer.from('{"jsonrpc":"2.0","id":77,"method":"room.say","params":{"id":"u","text":"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}}'),
    ]),
  )
  const answer = await a.next((m) => m.error?.code === -32700, 'a refusal').catch(() => null)
  assert(answer || (await a.closed), 'broken UTF-8')
  a.close()
  const b = await enter('expert1')
  equal(seqs((await b.call('room.messages', { after: 4 })).result).length, 1, 'only the long one was kept')
  b.close()
})

await check('who writes too fast is told when to go on', async () => {
  const a = await enter('referrer1')
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, i) => a.call('room.say', { id: `f${i}`, text: 'x' })),
  )
  const kept = answers.filter((m) => m.result),
    refusals = answers.filter((m) => m.error)
  assert(kept.length >= 10 && refusals.length > 0, `${kept.length} kept, ${refusals.length} refused`)
  for (const { error } of refusals) {
    equal([error.code, error.data.reason], [1029, 'busy'], JSON.stringify(error))
    assert(error.data.retry_ms > 0 && error.data.retry_ms <= 4000, JSON.stringify(error))
  }
  equal(new Set(kept.map((m) => m.result.message.seq)).size, kept.length, 'each has its own number')
  a.close()
})

await check('strangers, people of another hospital and who was removed neither read nor write', async () => {
  for (const who of ['stranger1', 'referrer2']) {
    const s = await Socket.open(server.url, { cookie: session[who].cookie })
    await refused(s, 'room.say', { id: 'x', text: 'x' }, 1004, 'not_found')
    await refused(s, 'room.messages', {}, 1004, 'not_found')
    equal((await session[who].call('GET', `/api/v1/requests/${id}/messages`)).status, 404, who)
    s.close()
  }
  const [lead, second] = [await enter('expert1'), await enter('expert2')]
  await lead.call('room.remove', { participant: second.id })
  await second.next((m) => m.method === 'room.left' && m.params.cause === 'removed')
  await refused(second, 'room.say', { id: 'x', text: 'x' }, 1004, 'not_found')
  await refused(second, 'room.messages', {}, 1004, 'not_found')
  for (const s of [lead, second]) s.close()
})

await check('an expert who was replaced while inside writes and reads no more', async () => {
  const s = await enter('expert1')
  const lead = session.expert2.user.id
  await session.centre1.post(`/api/v1/requests/${id}/experts`, { lead, experts: [] })
  await refused(s, 'room.say', { id: 'x', text: 'x' }, 1004, 'not_found')
  await refused(s, 'room.messages', {}, 1004, 'not_found')
  await session.centre1.post(`/api/v1/requests/${id}/experts`, { lead: session.expert1.user.id, experts: [] })
  s.close()
})

await check('what was answered is there after kill -9', async () => {
  const a = await enter('centre1')
  const said = await say(a, { id: 'durable', text: '写下就在' })
  await server.end('SIGKILL')
  await server.start()
  const b = await enter('centre1')
  const { messages } = (await b.call('room.messages', { after: said.seq - 1 })).result
  equal(messages, [said], 'after the start')
  equal(await say(b, { id: 'durable', text: '写下就在' }), said, 'sent again')
  b.close()
})

await check('after the room they are read on the request, and nothing more is written', async () => {
  const a = await enter('referrer1')
  await enter('expert1')
  await session.expert1.post(`/api/v1/requests/${id}/finish`)
  await a.notice('room.ending')
  await say(a, { id: 'bye', text: '谢谢' })
  await a.notice('room.closed')
  await refused(a, 'room.say', { id: 'later', text: 'x' }, 1004, 'not_found')
  const page = await session.referrer1.get(`/api/v1/requests/${id}/messages?size=1`)
  equal([page.messages[0].text, page.more], ['谢谢', true])
  equal((await session.referrer1.call('GET', `/api/v1/requests/${id}/messages?size=201`)).status, 422)
  equal((await session.centre1.get(`/api/v1/requests/${id}/messages?before=2`)).messages[0].seq, 1)
  a.close()
})

await check('it ends in order, and no log knows what was said', async () => {
  equal((await server.end()).code, 0, server.log().slice(-2000))
  for (const word of ['没有麦克风', '写下就在', '谢谢', '知情同意书']) assert(!server.log().includes(word), word)
})
server.remove()
finish()
