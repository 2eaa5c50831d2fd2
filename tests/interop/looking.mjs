// Looking together, over WebSockets against the real server: node tests/interop/looking.mjs (CN_BUILD=release for another build).
import { assert, check, equal, finish, sleep, until } from '../lib/check.mjs'
import { listening } from '../lib/offer.mjs'
import { Server, sanitized } from '../lib/server.mjs'
import { Socket } from '../lib/socket.mjs'

const server = new Server({ build: sanitized, name: 'door-looking', pages: false })
server.init()
await server.start()
const session = {}
for (const name of ['expert01', 'expert02', 'doctor01']) session[name] = await server.login(name)
const request = (await session.expert01.get('/api/v1/requests?tab=pending')).items.find((r) => r.state === 'SCHEDULED')
const { files } = await session.expert01.get(`/api/v1/requests/${request.id}`)
const [image, other] = files
  .filter((f) => ['image', 'document'].includes(f.kind) && f.state === 'ready')
  .map((f) => f.id)
const { room } = await session.expert01.post(`/api/v1/requests/${request.id}/room`)

const offer = listening()
async function enter(who) {
  const socket = await Socket.open(server.url, { cookie: session[who].cookie })
  const { result, error } = await socket.call('room.join', { room, device: 'desktop', ...offer })
  equal(error, undefined, `${who} joining`)
  return Object.assign(socket, { id: result.participant, view: result.view })
}
const good = async (socket, method, params) => {
  const { result, error } = await socket.call(method, params)
  equal(error, undefined, method)
  return result
}
const refused = async (socket, method, params) => (await socket.call(method, params)).error?.code
/** The newest of what is told, once it is as wanted. */
const told = (socket, method, wanted) =>
  socket.next((message) => message.method === method && wanted(message.params), `${method} as wanted`, 5000)
const region = { seq: 1, cx: 100.5, cy: 80.25, w: 60, h: 40, rotation: 33.5, mirror: true, z: 2, page: 1 }

const one = await enter('expert01'),
  two = await enter('expert02')

await check('a place with rotation, mirror and plane reaches the others, and whoever comes late', async () => {
  await good(one, 'view.open', { file: image })
  one.notify('view.state', region)
  one.notify('view.pointer', { x: 7.25, y: 8, on: true })
  const { params } = await told(two, 'view.now', ({ state, pointers }) => state && pointers.length)
  equal(params.state, { presenter: one.id, ...region }, 'what is told')
  equal(params.pointers, [{ participant: one.id, x: 7.25, y: 8, page: 1, hue: 1, laser: false }], 'the pointer')
  await good(two, 'view.draw', { stroke: 5, points: [1, 2, 3.5, 4], fades: false })
  await good(two, 'view.draw', { stroke: 6, points: [1, 1], fades: true })
  const late = await enter('doctor01')
  equal(late.view.state, { presenter: one.id, ...region }, 'the place of the late one')
  equal(late.view.pointers, params.pointers, 'his pointers')
  equal(
    late.view.strokes.map((s) => [s.participant, s.stroke, s.hue, s.fades, s.points]),
    [
      [two.id, 5, 2, false, [1, 2, 3.5, 4]],
      [two.id, 6, 2, true, [1, 1]],
    ],
    'his strokes',
  )
  assert(late.view.strokes[1].age_ms < 5000, 'the age of what fades')
  await good(late, 'room.leave')
  late.close()
})

await check('several point at once, each in a colour of his own; who leaves off is gone', async () => {
  two.notify('view.pointer', { x: 20, y: 21, on: true, laser: true })
  const { params } = await told(one, 'view.now', ({ pointers }) => pointers.length === 2)
  equal(params.pointers[1], { participant: two.id, x: 20, y: 21, page: 1, hue: 2, laser: true }, 'the second pointer')
  two.notify('view.pointer', { x: 20, y: 21, on: false })
  await told(one, 'view.now', ({ pointers }) => pointers.length === 1)
})

await check('only the presenter moves the others; strokes come in order, and are cleared', async () => {
  equal(await refused(two, 'view.state', region), 1003, 'the place of one who does not present')
  equal(await refused(two, 'view.present', { on: true, to: two.id }), 1003, 'handing over what one has not')
  equal(await refused(two, 'view.clear', { all: true }), 1003, "clearing others' strokes")
  for (const [method, params] of [
    ['view.draw', { stroke: 1, points: [1] }],
    ['view.draw', { stroke: 1, points: Array(258).fill(1) }],
    ['view.pointer', { x: 'left', y: 1, on: true }],
  ])
    equal(await refused(two, method, params), -32602, method)
  await good(one, 'view.draw', { stroke: 9, points: [0, 0] })
  for (let i = 1; i < 6; i++) await good(one, 'view.draw', { stroke: 9, points: [i, 0] })
  const points = []
  await until('all points', () => {
    for (
      let m;
      (m = two.messages.find(({ method }) => method === 'view.drawn'));
      two.messages.splice(two.messages.indexOf(m), 1)
    )
      for (const s of m.params.strokes.filter(({ participant, stroke }) => participant === one.id && stroke === 9)) {
        equal(s.from * 2, points.length, 'where the points go on')
        points.push(...s.points)
      }
    return points.length === 12
  })
  equal(
    points.filter((_, i) => i % 2 === 0),
    [0, 1, 2, 3, 4, 5],
    'the points',
  )
  await good(two, 'view.clear', {})
  equal((await told(one, 'view.cleared', () => true)).params, { participant: two.id }, 'what is cleared')
  await good(one, 'view.clear', { all: true })
  equal((await told(two, 'view.cleared', ({ participant }) => !participant)).params, { participant: null }, 'all of it')
})

await check('the presenter hands over with one call, and the place stays', async () => {
  equal(await refused(one, 'view.present', { on: true, to: 'nobody' }), 1004, 'to nobody')
  const { view } = await good(one, 'view.present', { on: true, to: two.id })
  equal(view.presenter, two.id, 'who presents')
  const { params } = await told(two, 'view.opened', ({ presenter }) => presenter === two.id)
  equal(params.state.cx, region.cx, 'the place')
  equal(params.pointers, [], 'the pointer of who presented')
  equal(await refused(one, 'view.state', region), 1003, 'whoever handed it over')
})

await check('another file begins without pointers and strokes', async () => {
  await good(two, 'view.draw', { stroke: 1, points: [1, 1] })
  two.notify('view.pointer', { x: 1, y: 1, on: true })
  const { view } = await good(two, 'view.open', { file: other })
  equal([view.state, view.pointers, view.strokes], [null, [], []], 'the other file')
})

await check('who leaves points no more', async () => {
  one.notify('view.pointer', { x: 1, y: 1, on: true })
  await told(two, 'view.now', ({ pointers }) => pointers.some(({ participant }) => participant === one.id))
  await good(one, 'room.leave')
  await told(two, 'view.now', ({ pointers }) => pointers.every(({ participant }) => participant !== one.id))
})

await check('many moves at once are told together, the last one in any case', async () => {
  await good(two, 'room.leave')
  const [shows, sees] = [await enter('expert01'), await enter('expert02')]
  await good(shows, 'view.open', { file: image })
  await sleep(100)
  sees.messages.length = 0
  for (let seq = 1; seq <= 100; seq++) shows.notify('view.state', { ...region, seq })
  await told(sees, 'view.now', ({ state }) => state?.seq === 100)
  const n = sees.messages.filter(({ method }) => method === 'view.now').length
  assert(n <= 30, `${n} messages for 100 moves in one go`)
})

await server.stop()
finish()
