// Where the media server is reached: over IPv6, behind a NAT, and from a network that changes in the middle of a call.
import { Chromium, Namespace, Remote, canNamespace } from './lib/browsers.mjs'
import { colourOf } from './lib/pictures.mjs'
import { Nat } from './lib/nat.mjs'
import { Server } from '../lib/server.mjs'
import { approach, consultation, enter, login } from './lib/scene.mjs'
import { assert, check, equal, sleep, finish, until } from '../lib/check.mjs'

if (!canNamespace()) {
  console.log('skipped: needs the right to make a network namespace')
  finish()
}

const namespace = new Namespace(5)
namespace.addIpv6()
const browsers = []
let server, scene, red, green, nat

const hook = `(() => { const P = RTCPeerConnection.prototype, set = P.setRemoteDescription; P.setRemoteDescription = function (...a) { window.__pc = this; return set.apply(this, a) } })()`
const pair = `(async () => {
  const all = [...(await window.__pc.getStats()).values()]
  const pair = all.find((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded')
  const [local, remote] = [pair?.localCandidateId, pair?.remoteCandidateId].map((id) => all.find((s) => s.id === id))
  return { local: local?.address ?? '', remote: remote?.address ?? '', protocol: remote?.protocol }
})()`
const offered = async (b) =>
  [
    ...(await b.eval('window.__pc.remoteDescription.sdp')).matchAll(
      /a=candidate:\d+ 1 (\w+) \d+ (\S+) (\d+) typ (\w+)/g,
    ),
  ].map((m) => m.slice(1, 5).join(' '))
const tile = (a, o) => a.probe(`tile(${JSON.stringify(o.participant)})`)
const right = (t, o) => t?.state === 'live' && t.picture?.colour.every((v, i) => Math.abs(v - colourOf(o.name)[i]) < 36)
const sees = (a, o, seconds = 20) =>
  until(`${a.name} seeing ${o.name}`, async () => right(await tile(a, o), o), seconds)
/** New pictures of `o`, not the last one standing. */
const moves = (a, o, seconds) =>
  until(
    `${o.name}'s picture moving at ${a.name}`,
    async () => {
      const before = (await tile(a, o))?.picture?.counter
      await sleep(300)
      const t = await tile(a, o)
      return right(t, o) && before >= 0 && t.picture.counter >= 0 && t.picture.counter !== before
    },
    seconds,
  )

/** The answer offers these addresses, over UDP and TCP, on a port of the server. */
async function candidatesAre(b, addresses) {
  const found = await offered(b)
  const port = Number(found[0]?.split(' ')[2])
  assert(server.ports.media.includes(port), `candidates: ${found}`)
  equal(
    found.join(', '),
    ['udp', 'tcp'].flatMap((p) => addresses.map((a) => `${p} ${a} ${port} host`)).join(', '),
    'candidates',
  )
}

/** What the ledger holds of this month. */
const segments = async () => (await scene.admin.get(`/api/v1/minutes/segments?size=200`)).items

/** The server with other media addresses, on the same ports; both doctors in the room. */
async function anew(media) {
  await server.end()
  server.set('media', { announce: undefined, ...media })
  await server.start()
  for (const b of [red, green]) {
    await approach(b, server, scene.room)
    await b.eval(hook)
    await enter(b)
  }
}

await check(
  'a room with two doctors',
  async () => {
    server = new Server({ name: 'roam', media: namespace.outside })
    server.init()
    await server.start()
    scene = await consultation(server)
    ;[red, green] = await Promise.all([
      Remote.launch(namespace, {
        kind: 'chromium',
        name: 'red',
        colour: 'red',
        forward: await namespace.pages(server),
      }),
      Chromium.launch({ name: 'green', colour: 'green' }),
    ])
    browsers.push(red, green)
    await login(red, server, 'doctor01')
    await login(green, server, 'expert01')
  },
  60,
)

await check(
  'a call over IPv6, on the address that the socket for all of them was asked on',
  async () => {
    const [, second] = namespace.outside6
    await anew({ listen: '::', announce: second })
    await sees(red, green)
    await sees(green, red)
    await candidatesAre(red, [second])
    equal((await red.eval(pair)).remote, second, 'the way')
  },
  40,
)

await check(
  'a call through a NAT: the announced address is offered, and media passes it',
  async () => {
    nat = await Nat.forward({ outside: namespace.outside, inside: '127.0.0.1', ports: server.ports.media })
    await anew({ listen: '127.0.0.1', announce: namespace.outside })
    await sees(red, green)
    await sees(green, red)
    await candidatesAre(red, [namespace.outside])
    const before = nat.passed
    await sleep(500)
    assert(nat.passed - before > 50, `${nat.passed - before} datagrams passed in half a second`)
    nat.close()
  },
  40,
)

await check(
  'the network changes in the middle of a call: the picture is back, the participant is the same, the meter goes on',
  async () => {
    await anew({ listen: namespace.outside })
    await sees(red, green)
    await sees(green, red)
    const { local } = await red.eval(pair)
    assert(local === namespace.inside || local.endsWith('.local') || local === '', `red's address is ${local}`)
    const start = Date.now()
    namespace.changeNetwork()
    await sleep(1000) // the last picture stands meanwhile
    await moves(green, red, 20)
    const sent = Date.now()
    await moves(red, green, 20)
    console.log(
      `        green sees red again after ${((sent - start) / 1000).toFixed(1)} s, red sees green after ${((Date.now() - start) / 1000).toFixed(1)} s`,
    )
    assert(Date.now() - start < 12000, 'the picture took over 12 s')
    equal((await red.eval('window.__consilium')).participant, red.participant, 'the participant')
    const mine = (await segments()).filter((s) => s.participant === red.participant)
    assert(
      !mine.some((s) => ['timeout', 'closed', 'left', 'asked'].includes(s.end_cause)),
      `the meter broke off: ${JSON.stringify(mine)}`,
    )
  },
  60,
)

await check(
  'a page that is told of another network again and again stays in its room',
  async () => {
    const offers = `(window.__pc.__offers ??= (window.__pc.addEventListener('signalingstatechange', () => { if (window.__pc.signalingState === 'have-local-offer') window.__restarts = (window.__restarts ?? 0) + 1 }), true), window.__restarts ?? 0)`
    await red.eval(offers)
    for (let i = 0; i < 4; i++) {
      await red.eval(`window.dispatchEvent(new Event('online'))`)
      await until('the restart', async () => (await red.eval(offers)) > i, 5)
      await sleep(300)
      equal((await red.eval('window.__consilium')).phase, 'live', 'the phase')
    }
    await moves(green, red, 5)
    await moves(red, green, 5)
    equal((await red.eval('window.__consilium')).participant, red.participant, 'the participant')
  },
  30,
)

for (const b of browsers) await b.close()
await server?.stop()
namespace.remove()
finish()
