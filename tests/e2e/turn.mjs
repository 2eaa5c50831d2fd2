// A hospital whose firewall lets no UDP out: the browser reaches the room through coturn over TCP alone, with the server's short-lived credentials.
import { spawn } from 'node:child_process'
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Chromium } from './lib/browsers.mjs'
import { colourOf } from './lib/pictures.mjs'
import { Server } from './lib/server.mjs'
import { approach, consultation, enter, login } from './lib/scene.mjs'
import { assert, check, sleep, summary, until } from './lib/check.mjs'

const dir = mkdtempSync(join(tmpdir(), 'consilium-turn-'))
const secret = 'a relay\'s secret for this test'
writeFileSync(join(dir, 'secret'), `${secret}\n`, { mode: 0o400 })
const freePort = () => new Promise((yes) => { const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => yes(port)) }) })
const port = await freePort()
const relay = spawn('turnserver', ['-n', '--no-cli', '--no-tls', '--no-dtls', '--no-udp', '--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', `--listening-port=${port}`, '--allow-loopback-peers', '--use-auth-secret',
  `--static-auth-secret=${secret}`, '--realm=consilium', `--pidfile=${join(dir, 'pid')}`, '--log-file=stdout', `--userdb=${join(dir, 'db')}`, '-v'], { stdio: ['ignore', openSync('/tmp/turn.log', 'w'), 'inherit'] })
const server = new Server({ name: 'turn', extra: { turn: { urls: `turn:127.0.0.1:${port}?transport=tcp`, secret: join(dir, 'secret') } } })
const browsers = []

await check('a doctor behind a firewall without UDP takes part through the relay', async () => {
  server.init()
  await server.start()
  const scene = await consultation(server)
  for (const [name, username, colour, tone] of [['red', 'doctor01', 'red', 520], ['green', 'expert01', 'green', 760]]) {
    const b = await Chromium.launch({ name, colour, tone })
    browsers.push(b)
    // what such a firewall does to candidates: only what a relay gives is left
    if (name === 'red') await b.page.addInitScript(() => { const P = window.RTCPeerConnection; window.RTCPeerConnection = class extends P { constructor(c) { super({ ...c, iceTransportPolicy: 'relay' }); (window.__pcs ??= []).push(this) } } })
    await login(b, server, username)
    await approach(b, server, scene.room)
    await sleep(300)
    await enter(b)
  }
  const [red, green] = browsers
  for (const [a, o] of [[red, green], [green, red]])
    await until(`${a.name} seeing ${o.name}`, async () => { const t = await a.probe(`tile(${JSON.stringify(o.participant)})`); return t?.state === 'live' && t.picture?.colour.every((v, i) => Math.abs(v - colourOf(o.name)[i]) < 36) }, 20)
  const used = await red.eval(`(async () => { const stats = await window.__pcs.at(-1).getStats(); const all = [...stats.values()]; const pair = all.find((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded'); const local = all.find((s) => s.id === pair?.localCandidateId); return [local?.candidateType, local?.relayProtocol] })()`)
  assert(used[0] === 'relay' && used[1] === 'tcp', `the way is ${used}`)
  const [tone, silence] = await green.probe('hear([520, 2600], 2000)')
  assert(tone > silence + 25, `green hears red at ${Math.round(tone)} dB, silence is ${Math.round(silence)} dB`)
}, 60)

for (const b of browsers) await b.close()
await server.stop()
relay.kill('SIGKILL')
rmSync(dir, { recursive: true, force: true })
process.exit(summary() ? 0 : 1)
