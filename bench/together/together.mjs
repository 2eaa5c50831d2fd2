// What looking together costs the server: one presents, many follow, over real WebSockets on the loopback.
// node bench/together/together.mjs [--followers N] [--rate N] [--seconds N] [--tree DIR]
// The last line is one JSON object; the exit status says whether it is at most 5 % of a core above what the same room costs in silence.
import { readFileSync, readdirSync } from 'node:fs'
import { equal, option, sleep, until } from '../../tests/lib/check.mjs'
import { listening } from '../../tests/lib/offer.mjs'
import { Server, root } from '../../tests/lib/server.mjs'
import { Socket } from '../../tests/lib/socket.mjs'

const FOLLOWERS = Number(option('followers', 230)),
  RATE = Number(option('rate', 15)),
  SECONDS = Number(option('seconds', 6)),
  AT_ONCE = 24,
  GOAL = 0.05

const server = new Server({
  name: 'bench-together',
  pages: false,
  tree: option('tree', root),
  extra: { media: { room_voice_max: FOLLOWERS + 10 } },
})
server.init()
await server.start()
const expert = await server.login('expert01')
const request = (await expert.get('/api/v1/requests?tab=pending')).items.find((r) => r.state === 'SCHEDULED').id
const slide = (await expert.get(`/api/v1/requests/${request}`)).files.find((f) => f.kind === 'slide').id
const { room } = await expert.post(`/api/v1/requests/${request}/room`)

const offer = listening()
async function enter() {
  const socket = await Socket.open(server.url, { cookie: expert.cookie })
  const { result, error } = await socket.call('room.join', { room, device: 'desktop', ...offer })
  equal(error, undefined, 'room.join')
  socket.participant = result.participant
  return socket
}
const presenter = await enter()
const opened = await presenter.call('view.open', { file: slide })
equal(opened.error, undefined, 'view.open')
const followers = []
while (followers.length < FOLLOWERS)
  followers.push(...(await Promise.all(Array.from({ length: Math.min(AT_ONCE, FOLLOWERS - followers.length) }, enter))))
for (const one of followers) {
  one.heard = 0
  // the cost of reading is not the server's
  one.deliver = (message) => {
    if (message.method !== 'view.now') return
    one.heard++
    one.seq = message.params.state?.seq
  }
}

/** Nanoseconds of processor time that the server has had. */
const used = () =>
  readdirSync(`/proc/${server.process.pid}/task`).reduce(
    (sum, task) =>
      sum + Number(readFileSync(`/proc/${server.process.pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
    0,
  )
async function share(work) {
  const start = performance.now(),
    before = used()
  await work()
  return (used() - before) / 1e6 / (performance.now() - start)
}

const silence = await share(() => sleep(3000))
let seq = 0
const presenting = await share(async () => {
  const start = performance.now()
  for (let i = 0; i < RATE * SECONDS; i++) {
    await sleep(Math.max(0, start + (i * 1000) / RATE - performance.now()))
    const angle = i / 20
    const [cx, cy] = [12000 + 4000.37 * Math.cos(angle), 9000 + 4000.37 * Math.sin(angle)]
    presenter.notify('view.state', { seq: ++seq, cx, cy, w: 2880.5, h: 1800.25, rotation: i % 360, page: 1 })
    presenter.notify('view.pointer', { x: cx + 100.5, y: cy - 50.25, on: true, page: 1 })
  }
})
// who sends no media is let go after 30 s
await until('the last place being with everybody', () => followers.every((one) => one.seq === seq), 5)
const heard = followers.map((one) => one.heard)
const result = {
  followers: FOLLOWERS,
  rate: RATE,
  share_of_a_core: Number((presenting - silence).toFixed(4)),
  in_silence: Number(silence.toFixed(4)),
  microseconds_per_message: Number(
    (((presenting - silence) * SECONDS * 1e6) / heard.reduce((a, b) => a + b, 0)).toFixed(2),
  ),
  messages_to_each: [Math.min(...heard), Math.max(...heard)],
  updates: RATE * SECONDS,
  goal: GOAL,
  ok: presenting - silence <= GOAL,
}
for (const socket of [presenter, ...followers]) socket.close()
await server.stop()
console.log(JSON.stringify(result))
process.exit(result.ok ? 0 : 1)
