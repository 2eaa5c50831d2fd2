// A hospital whose firewall drops all UDP: the browsers reach the room over TCP on the media port (ICE-TCP), without any relay.
import { Chromium, Namespace, Remote, canNamespace } from './lib/browsers.mjs'
import { colourOf } from './lib/pictures.mjs'
import { Server } from '../lib/server.mjs'
import { approach, consultation, enter, login } from './lib/scene.mjs'
import { assert, check, equal, finish, until } from '../lib/check.mjs'

if (!canNamespace()) {
  console.log('skipped: needs the right to make a network namespace')
  finish()
}

const RED_HZ = 520,
  GREEN_HZ = 760,
  BLUE_HZ = 1000,
  SILENT_HZ = 2600
const namespace = new Namespace(4)
const browsers = []
let server, scene, red, green, blue

const hook = `(() => { const P = RTCPeerConnection.prototype, set = P.setRemoteDescription; P.setRemoteDescription = function (...a) { window.__pc = this; return set.apply(this, a) } })()`
const stats = `(async () => {
  const all = [...(await window.__pc.getStats()).values()]
  const pair = all.find((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded')
  const remote = all.find((s) => s.id === pair?.remoteCandidateId)
  return { protocol: remote?.protocol, type: remote?.candidateType, up: pair?.availableOutgoingBitrate, lost: all.filter((s) => s.type === 'inbound-rtp').reduce((n, s) => n + s.packetsLost, 0) }
})()`
const seen = async (a, o) => await a.probe(`tile(${JSON.stringify(o.participant)})`)
const sees = (a, o) =>
  until(
    `${a.name} seeing ${o.name}`,
    async () => {
      const t = await seen(a, o)
      return t?.state === 'live' && t.picture?.colour.every((v, i) => Math.abs(v - colourOf(o.name)[i]) < 36)
    },
    20,
  )
const hears = async (a, o, hertz) => {
  const [tone, silence] = await a.probe(`hear([${hertz}, ${SILENT_HZ}], 1200)`)
  assert(
    tone > silence + 25,
    `${a.name} hears ${o.name} at ${Math.round(tone)} dB, silence is ${Math.round(silence)} dB`,
  )
}

await check(
  'a room, a doctor at the centre, and a hospital without UDP',
  async () => {
    server = new Server({ name: 'tcp', media: namespace.outside })
    server.init()
    await server.start()
    scene = await consultation(server)
    namespace.udp(false)
    const forward = await namespace.pages(server)
    ;[red, blue, green] = await Promise.all([
      Remote.launch(namespace, { kind: 'chromium', name: 'red', colour: 'red', tone: RED_HZ, forward }),
      Remote.launch(namespace, { kind: 'firefox', name: 'blue', tone: BLUE_HZ }),
      Chromium.launch({ name: 'green', colour: 'green', tone: GREEN_HZ }),
    ])
    browsers.push(red, green, blue)
    await login(red, server, 'doctor01')
    await login(green, server, 'expert01')
    await approach(green, server, scene.room)
    await enter(green)
  },
  60,
)

await check(
  'Chromium without UDP: seen and heard over TCP, both ways',
  async () => {
    await approach(red, server, scene.room)
    await red.eval(hook)
    await enter(red)
    const candidates = (await red.eval('window.__pc.remoteDescription.sdp'))
      .match(/a=candidate:.*/g)
      .map((l) => l.trim().split(' '))
    const [udp, tcp] = ['udp', 'tcp'].map((p) => candidates.find((c) => c[2] === p))
    equal(tcp.slice(4, 10).join(' '), `${udp[4]} ${udp[5]} typ host tcptype passive`, 'the TCP candidate')
    assert(Number(tcp[3]) < Number(udp[3]), 'TCP is preferred to UDP')
    await sees(red, green)
    await sees(green, red)
    const way = await red.eval(stats)
    equal(`${way.type} ${way.protocol}`, 'host tcp', 'the way')
    await hears(green, red, RED_HZ)
    await hears(red, green, GREEN_HZ)
  },
  40,
)

await check(
  'both estimates of bandwidth work over TCP: the picture becomes sharp, nothing is lost',
  async () => {
    await until("red's estimate rising over its start", async () => (await red.eval(stats)).up > 500000, 15)
    await until("red's picture in full size", async () => (await seen(green, red))?.picture?.width === 640, 15)
    await until("green's picture in full size", async () => (await seen(red, green))?.picture?.width === 640, 15)
    equal((await red.eval(stats)).lost, 0, 'packets lost')
  },
  40,
)

await check(
  'Firefox without UDP: seen and heard over TCP',
  async () => {
    await login(blue, server, 'expert02')
    await approach(blue, server, scene.room)
    await blue.eval(hook)
    await enter(blue)
    await sees(blue, red)
    await until(
      'green seeing blue',
      async () => {
        const t = await seen(green, blue)
        return t?.state === 'live' && t.picture
      },
      20,
    )
    equal((await blue.eval(stats)).protocol, 'tcp', 'the way')
    await hears(green, blue, BLUE_HZ)
  },
  40,
)

await check(
  'the mark says that UDP is blocked, to oneself and to the others',
  async () => {
    const marks = (b) =>
      b.eval(
        `[...document.querySelectorAll('[data-testid="quality"]')].map((m) => [m.dataset.who, m.getAttribute('aria-label')])`,
      )
    for (const [at, whose] of [
      [red, red],
      [blue, blue],
      [green, red],
    ])
      await until(
        `${at.name} reading about ${whose.name}`,
        async () =>
          (await marks(at)).some(([who, words]) => who === whose.participant && /UDP.*TCP|TCP.*UDP/.test(words)),
        15,
      )
    assert(
      !(await marks(green)).some(([who, words]) => who === green.participant && /TCP/.test(words)),
      'green is said to use TCP',
    )
  },
  50,
)

for (const b of browsers) await b.close()
await server?.stop()
namespace.remove()
finish()
