// A hospital whose firewall lets nothing out but TLS to port 443: the browser reaches the room through coturn alone, with the server's short-lived credentials.
import { spawn } from 'node:child_process'
import { createHash, createHmac, createPublicKey } from 'node:crypto'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Chromium, Namespace, Remote, canNamespace } from './lib/browsers.mjs'
import { colourOf } from './lib/pictures.mjs'
import { certificate } from '../lib/certificate.mjs'
import { artefacts, Server } from '../lib/server.mjs'
import { approach, consultation, enter, login } from './lib/scene.mjs'
import { assert, check, equal, finish, until } from '../lib/check.mjs'

if (!canNamespace()) {
  console.log('skipped: needs the right to make a network namespace')
  finish()
}

const RED_HZ = 520,
  GREEN_HZ = 760,
  SILENT_HZ = 2600
const dir = mkdtempSync(join(tmpdir(), 'consilium-turn-'))
const secret = "a relay's secret for this test"
const namespace = new Namespace(3)
const browsers = []
let server, relay

/** A certificate of its own for the relay, with the hash by which a browser is told to take it. */
function relayCertificate() {
  const { key, cert } = certificate(dir, { name: 'relay', address: namespace.outside })
  const spki = createPublicKey(readFileSync(cert)).export({ type: 'spki', format: 'der' })
  return { key, cert, hash: createHash('sha256').update(spki).digest('base64') }
}

const listens = (port) =>
  new Promise((yes) => {
    const s = net
      .connect(port, namespace.outside, () => {
        s.destroy()
        yes(true)
      })
      .on('error', () => yes(false))
  })
const freePort = () =>
  new Promise((yes) => {
    const s = net.createServer().listen(0, namespace.outside, () => {
      const { port } = s.address()
      s.close(() => yes(port))
    })
  })

/** As docs/firewall.md tells: the relay passes packets on to the media server and to nobody else. */
async function startRelay({ key, cert }, port) {
  const log = openSync(join(artefacts, 'coturn.log'), 'w')
  relay = spawn(
    'turnserver',
    [
      '-n',
      '--no-cli',
      '--no-dtls',
      '--no-multicast-peers',
      '--denied-peer-ip=0.0.0.0-255.255.255.255',
      `--allowed-peer-ip=${namespace.outside}`,
      `--listening-ip=${namespace.outside}`,
      `--relay-ip=${namespace.outside}`,
      `--listening-port=${port}`,
      '--tls-listening-port=443',
      `--cert=${cert}`,
      `--pkey=${key}`,
      '--use-auth-secret',
      `--static-auth-secret=${secret}`,
      '--realm=consilium',
      `--pidfile=${join(dir, 'pid')}`,
      '--log-file=stdout',
      '--simple-log',
      `--userdb=${join(dir, 'db')}`,
    ],
    { cwd: dir, stdio: ['ignore', log, log] },
  )
  await until('the relay listening', async () => (await listens(443)) && listens(port), 10)
}

const hook = `(() => { const P = RTCPeerConnection.prototype, set = P.setRemoteDescription; P.setRemoteDescription = function (...a) { window.__pc = this; return set.apply(this, a) } })()`
const wayOf = `(async () => { const all = [...(await window.__pc.getStats()).values()]; const pair = all.find((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded'); const local = all.find((s) => s.id === pair?.localCandidateId); return [local?.candidateType, local?.relayProtocol].join(' ') })()`
const sees = (a, o) =>
  until(
    `${a.name} seeing ${o.name}`,
    async () => {
      const t = await a.probe(`tile(${JSON.stringify(o.participant)})`)
      return t?.state === 'live' && t.picture?.colour.every((v, i) => Math.abs(v - colourOf(o.name)[i]) < 36)
    },
    20,
  )

let scene, red, green, page, port
await check(
  'a room with a relay, a doctor at the centre',
  async () => {
    const tls = relayCertificate()
    port = await freePort()
    await startRelay(tls, port)
    writeFileSync(join(dir, 'secret'), `${secret}\n`, { mode: 0o400 })
    const urls = [
      `turn:${namespace.outside}:${port}`,
      `turn:${namespace.outside}:${port}?transport=tcp`,
      `turns:${namespace.outside}:443?transport=tcp`,
    ].join(', ')
    server = new Server({
      name: 'turn',
      media: namespace.outside,
      extra: { turn: { urls, secret: join(dir, 'secret') } },
    })
    server.init()
    await server.start()
    scene = await consultation(server)
    const forward = await namespace.pages(server)
    page = forward.toPort
    red = await Remote.launch(namespace, {
      kind: 'chromium',
      name: 'red',
      colour: 'red',
      tone: RED_HZ,
      flags: [`--ignore-certificate-errors-spki-list=${tls.hash}`],
      forward,
    })
    browsers.push(red)
    green = await Chromium.launch({ name: 'green', colour: 'green', tone: GREEN_HZ })
    browsers.push(green)
    await login(red, server, 'doctor01')
    await login(green, server, 'expert01')
    await approach(green, server, scene.room)
    await enter(green)
  },
  60,
)

for (const [way, open] of [
  ['udp', () => ['udp', port]],
  ['tcp', () => ['tcp', port]],
  ['tls', () => ['tcp', 443]],
])
  await check(
    `a firewall that lets out only ${way === 'tls' ? 'TLS to port 443' : `${way.toUpperCase()} to the relay`}: seen and heard through it`,
    async () => {
      namespace.onlyTo([['tcp', page], open()])
      await approach(red, server, scene.room)
      await red.eval(hook)
      await enter(red)
      await sees(red, green)
      await sees(green, red)
      equal(await red.eval(wayOf), `relay ${way}`, 'the way')
      const [tone, silence] = await green.probe(`hear([${RED_HZ}, ${SILENT_HZ}], 1500)`)
      assert(tone > silence + 25, `green hears red at ${Math.round(tone)} dB, silence is ${Math.round(silence)} dB`)
    },
    60,
  )

await check(
  'nobody gets a relayed address with a guessed password, nor with a password that expired',
  async () => {
    namespace.onlyTo([
      ['tcp', page],
      ['udp', port],
    ])
    const tried = (username, credential) =>
      red.eval(`(async () => {
    const pc = new RTCPeerConnection({ iceTransportPolicy: 'relay', iceServers: [{ urls: 'turn:${namespace.outside}:${port}', username: ${JSON.stringify(username)}, credential: ${JSON.stringify(credential)} }] })
    const found = []
    pc.onicecandidate = (e) => { if (e.candidate?.candidate) found.push(e.candidate.candidate) }
    pc.createDataChannel('x')
    await pc.setLocalDescription()
    for (let i = 0; i < 25 && found.length === 0 && pc.iceGatheringState !== 'complete'; i++) await new Promise((r) => setTimeout(r, 100))
    pc.close()
    return found.length
  })()`)
    const {
      ice_servers: [servers],
    } = await scene.referrer.get(`/api/v1/rooms/${scene.room}`)
    equal(await tried(servers.username, servers.credential), 1, "relayed addresses with the server's credentials")
    equal(await tried(servers.username, 'guessed'), 0, 'relayed addresses with a guessed password')
    const late = `${Math.floor(Date.now() / 1000) - 10}:${scene.referrer.user.id}`
    equal(
      await tried(late, createHmac('sha1', secret).update(late).digest('base64')),
      0,
      'relayed addresses with credentials that expired',
    )
  },
  40,
)

for (const b of browsers) await b.close()
await server?.stop()
relay?.kill('SIGKILL')
namespace.remove()
rmSync(dir, { recursive: true, force: true })
finish()
