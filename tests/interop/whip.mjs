// WHIP and WHEP with GStreamer's webrtcbin: it publishes H.264 and VP8 with Opus, plays them back, restarts ICE and leaves; its pictures arrive in the
// room's browsers; and everything that a caller can get wrong is refused with a reason.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import readline from 'node:readline'
import { Chromium, Namespace, Remote, canNamespace } from '../e2e/lib/browsers.mjs'
import { approach, consultation, enter, login } from '../e2e/lib/scene.mjs'
import { assert, check, equal, finish, Skip, sleep, until } from '../lib/check.mjs'
import { call as ask } from '../lib/rest.mjs'
import { artefacts, Server, root } from '../lib/server.mjs'
import { pick, scrape } from './prom.mjs'

const BARS = ['white', 'yellow', 'cyan', 'green', 'magenta', 'red', 'blue']
const TONES = { h264: 660, vp8: 1180 }
const SMALL_ROOM = 2
const TIMEOUT_S = 8

/** What a bar's colour is called. */
function nameOf([r, g, b]) {
  const names = {
    '000': 'black',
    111: 'white',
    110: 'yellow',
    '011': 'cyan',
    '010': 'green',
    101: 'magenta',
    100: 'red',
    '001': 'blue',
  }
  return names[[r, g, b].map((v) => (v > 100 ? 1 : 0)).join('')]
}

const barsOf = (codec) => (codec === 'h264' ? BARS : [...BARS].reverse())
const sameBars = (colours, codec) => colours?.map(nameOf).join() === barsOf(codec).join()

class Gst {
  constructor(mode, url, token, codec) {
    this.name = `webrtcbin (${mode}, ${codec})`
    this.codec = codec
    this.events = []
    const more = mode === 'publish' ? [TONES[codec], ...(codec === 'vp8' ? ['flip'] : [])] : []
    this.process = spawn(
      '/usr/bin/python3',
      [join(root, 'tests/interop/webrtcbin.py'), mode, url, token, codec, ...more],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    readline.createInterface({ input: this.process.stdout }).on('line', (line) => this.events.push(JSON.parse(line)))
    this.ended = new Promise((done) => this.process.on('exit', done))
  }

  /** The next event of that name; what came before it stays. */
  next(event, seconds = 20) {
    return until(
      `${this.name}: ${event}`,
      () => {
        const at = this.events.findIndex((e) => e.event === event)
        return at >= 0 && this.events.splice(at, 1)[0]
      },
      seconds,
      20,
    )
  }

  async connected() {
    this.answer = await this.next('answer')
    equal(this.answer.status, 201, `${this.name}: ${this.answer.sdp}`)
    this.id = this.answer.location?.split('/').pop()
    await until(`${this.name} being connected`, () =>
      this.events.some((e) => e.event === 'state' && e.state === 'connected'),
    )
    return this
  }

  ask(command, seconds) {
    this.process.stdin.write(`${command}\n`)
    return this.next(command, seconds)
  }

  async end() {
    this.process.stdin.end()
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 3000)
    await this.ended
    clearTimeout(timer)
  }
}

const namespace = canNamespace() ? new Namespace(7) : null
const server = new Server({
  name: 'whip',
  media: namespace ? `127.0.0.1,${namespace.outside}` : '127.0.0.1',
  extra: { media: { timeout_s: TIMEOUT_S } },
})
const small = new Server({ name: 'whip-small', extra: { media: { room_video_max: SMALL_ROOM, room_voice_max: 1 } } })
const peers = []
const publisher = {}
const sdp = (name) => readFileSync(join(root, 'tests/data/sdp', name), 'utf8')
let scene, publish, view, chromium, firefox

const tokenOf = (s, room, right) => s.run('room', 'token', room, right).trim()

/** One call of the HTTP side. */
async function call(method, path, { token, body, type = 'application/sdp', headers = {}, at = server } = {}) {
  const r = await ask(at.url, method, path, {
    body,
    headers: {
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { 'Content-Type': type }),
      ...headers,
    },
  })
  const problem = r.headers['content-type']?.startsWith('application/problem+json') ? r.json : null
  return { ...r, text: r.body.toString(), problem }
}

function refused(r, status, about) {
  equal(r.status, status, `${about}: ${r.text}`)
  assert(r.problem?.detail && r.problem.status === status, `${about}: no problem document but ${r.text}`)
}

async function start(mode, codec, query = '') {
  const gst = new Gst(
    mode,
    `${server.url}/${mode === 'publish' ? 'whip' : 'whep'}/${scene.room}${query}`,
    mode === 'publish' ? publish : view,
    codec,
  )
  peers.push(gst)
  return gst.connected()
}

/** Looks until the picture is right, moves and is fluent, and the tone is one of `tones`. */
async function plays(player, codec, tones, seconds = 20) {
  await player.ask('look')
  return until(
    `${player.name} playing`,
    async () => {
      await sleep(1000)
      const seen = await player.ask('look')
      const right =
        sameBars(seen.colours, codec) &&
        seen.size.join('x') === '640x360' &&
        seen.frames >= 8 &&
        seen.moves >= seen.frames - 2
      if (right && tones.some((t) => Math.abs(seen.tone - t) < 6)) return seen
      throw new Error(JSON.stringify({ ...seen, colours: seen.colours?.map(nameOf) }))
    },
    seconds,
    0,
  )
}

/** The tile of a participant in the app: what it says, its bars, and a sum of the snow that differs in every frame. */
const tileOf = (browser, id) =>
  browser.eval(`(() => {
  const tile = [...document.querySelectorAll('[data-testid="tile"]')].find((t) => t.dataset.participant === ${JSON.stringify(id)})
  if (!tile) return null
  const video = tile.querySelector('video'), out = { state: tile.dataset.state, source: tile.dataset.source, words: tile.querySelector('[data-testid="tile-words"]')?.textContent?.trim() }
  if (!video?.videoWidth) return out
  const canvas = document.createElement('canvas')
  canvas.width = video.videoWidth; canvas.height = video.videoHeight
  const context = canvas.getContext('2d')
  context.drawImage(video, 0, 0)
  const at = (x, y) => [...context.getImageData(Math.round(x), Math.round(y), 1, 1).data].slice(0, 3)
  out.size = canvas.width + 'x' + canvas.height
  out.colours = Array.from({ length: 7 }, (_, i) => at(canvas.width * (2 * i + 1) / 14, canvas.height / 3))
  out.snow = [...context.getImageData(0, Math.round(canvas.height * 0.92), canvas.width, 1).data].reduce((a, v) => (a * 31 + v) % 1e9, 7)
  return out
})()`)

async function shows(browser, gst, seconds = 25) {
  const first = await until(
    `${browser.name} showing ${gst.name}`,
    async () => {
      const t = await tileOf(browser, gst.id)
      if (t?.state === 'live' && sameBars(t.colours, gst.codec)) return t
      throw new Error(JSON.stringify({ ...t, colours: t?.colours?.map(nameOf) }))
    },
    seconds,
  )
  const seen = new Set([first.snow])
  await until(
    `${browser.name}: moving pictures of ${gst.name}`,
    async () => seen.add((await tileOf(browser, gst.id)).snow).size >= 5,
    10,
  )
}

await check('the server starts and a consultation is scheduled', async () => {
  // fewer people than the demo has, and without its slide, which takes a while to draw
  server.people({ admin01: 'consult_admin', doctor01: 'referrer', expert01: 'expert', expert02: 'expert' })
  await server.start()
  scene = await consultation(server, { experts: ['expert01', 'expert02'] })
  publish = tokenOf(server, scene.room, '--publish')
  view = tokenOf(server, scene.room, '--view')
})

await check('OPTIONS says what is taken', async () => {
  for (const path of [`/whip/${scene.room}`, `/whep/${scene.room}`]) {
    const r = await call('OPTIONS', path)
    equal(r.status, 204, path)
    equal(r.headers['accept-post'], 'application/sdp', 'Accept-Post')
    const one = await call('OPTIONS', `${path}/01M7YRXVZ05JF0P11AGT1WA0MR`)
    equal(one.headers['accept-patch'], 'application/trickle-ice-sdpfrag', 'Accept-Patch')
    equal(one.headers.allow, 'GET, HEAD, PATCH, DELETE, OPTIONS', 'Allow')
  }
})

await check('who may not is refused with a problem document', async () => {
  const body = sdp('gst-whip.sdp'),
    path = `/whip/${scene.room}`
  const none = await call('POST', path, { body })
  refused(none, 401, 'no token')
  assert(/^Bearer/.test(none.headers['www-authenticate']), 'WWW-Authenticate names Bearer')
  refused(await call('POST', path, { body, token: 'nonsense' }), 401, 'a wrong token')
  refused(await call('POST', path, { body, token: view }), 403, 'a viewer who publishes')
  refused(
    await call('POST', `/whep/${scene.room}`, { body: sdp('gst-phone.sdp'), token: publish }),
    403,
    'a publisher who views',
  )
  refused(await call('POST', '/whip/another-room', { body, token: publish }), 401, "another room's token")
})

await check('what cannot be answered is refused with a problem document', async () => {
  const good = sdp('gst-whip.sdp'),
    path = `/whip/${scene.room}`,
    token = publish
  const offers = {
    'no SDP': ['hello', 400],
    'half an SDP': [good.slice(0, 200), 422],
    'an empty body': ['', 400],
    'no codec in common': [good.replace(/OPUS\/48000\/2/, 'PCMU/8000').replace(/H264\/90000/, 'JPEG/90000'), 422],
    'no fingerprint': [good.replace(/a=fingerprint:.*\r?\n/g, ''), 422],
    'no BUNDLE': [good.replace(/a=group:BUNDLE.*\r?\n/, ''), 422],
    'a publisher who only receives': [good.replaceAll('a=sendonly', 'a=recvonly'), 422],
  }
  for (const [about, [body, status]] of Object.entries(offers))
    refused(await call('POST', path, { body, token }), status, about)
  refused(await call('POST', path, { body: good, token, type: 'text/plain' }), 415, 'another type')
  refused(await call('DELETE', `${path}/01M7YRXVZ05JF0P11AGT1WA0MR`, { token }), 404, 'no such session')
  equal((await scene.admin.get(`/api/v1/rooms/${scene.room}`)).participants.length, 0, 'who came in by that')
})

await check(
  'webrtcbin publishes H.264 and Opus, and plays them back',
  async () => {
    publisher.h264 = await start('publish', 'h264')
    publisher.player = await start('play', 'h264')
    const seen = await plays(publisher.player, 'h264', [TONES.h264])
    console.log(`        ${seen.frames} frames in a second, ${seen.tone} Hz`)
    const { participants } = await scene.admin.get(`/api/v1/rooms/${scene.room}`)
    const device = participants.find((p) => p.id === publisher.h264.id)
    assert(
      device?.kind === 'device' && device.sources.device && device.sources.mic,
      `the room's list: ${JSON.stringify(participants)}`,
    )
  },
  60,
)

await check(
  'ICE restarts by PATCH, and media goes on',
  async () => {
    for (const gst of [publisher.h264, publisher.player]) {
      const before = /a=ice-ufrag:(\S+)/.exec(gst.answer.sdp)[1]
      const r = await gst.ask('restart')
      equal(r.status, 200, r.sdp)
      assert(r.renewed && r.candidates > 0, `webrtcbin took the restart: ${JSON.stringify(r)}`)
      assert(/a=ice-ufrag:(\S+)/.exec(r.sdp)[1] !== before, "the server's credentials are new")
      assert(r.etag && r.etag !== gst.answer.etag, 'a new ETag')
    }
    await sleep(2000)
    await plays(publisher.player, 'h264', [TONES.h264])
    const path = new URL(server.url + publisher.h264.answer.location).pathname
    const type = 'application/trickle-ice-sdpfrag',
      body = 'a=mid:video0\r\na=candidate:1 1 udp 2130706431 127.0.0.1 9999 typ host\r\n'
    equal((await call('PATCH', path, { token: publish, type, body })).status, 204, 'a trickled candidate')
    refused(await call('PATCH', path, { token: publish, body }), 415, 'a PATCH of another type')
    refused(
      await call('PATCH', path, { token: tokenOf(server, scene.room, '--publish'), type, body }),
      404,
      "another token's PATCH",
    )
    refused(
      await call('PATCH', path, {
        token: publish,
        type,
        body: 'a=ice-ufrag:x\r\na=ice-pwd:y\r\n',
        headers: { 'if-match': '*' },
      }),
      400,
      'credentials that are none',
    )
  },
  60,
)

await check(
  'webrtcbin publishes VP8; a player asks for that participant',
  async () => {
    publisher.vp8 = await start('publish', 'vp8')
    const player = await start('play', 'vp8', `?participant=${publisher.vp8.id}`)
    await plays(player, 'vp8', Object.values(TONES))
    equal((await player.ask('leave')).status, 200, 'DELETE')
    await player.end()
  },
  60,
)

await check(
  'H.264 and VP8 arrive in Chromium, with their tones',
  async () => {
    chromium = await Chromium.launch({ name: 'chromium', colour: 'red', tone: 2000 })
    await login(chromium, server, 'doctor01')
    await approach(chromium, server, scene.room)
    await enter(chromium)
    for (const gst of [publisher.h264, publisher.vp8]) await shows(chromium, gst)
    await chromium.screenshot('whip-chromium.png')
    const want = Object.values(TONES)
    await until(
      'Chromium hearing both tones',
      async () => {
        const [a, b, nothing] = await chromium.probe(`hear(${JSON.stringify([...want, 3100])}, 800)`)
        if (a > nothing + 25 && b > nothing + 25) return true
        throw new Error(JSON.stringify([a, b, nothing]))
      },
      20,
    )
  },
  90,
)

await check(
  'VP8 arrives in Firefox, and H.264 says why it does not',
  async () => {
    if (!namespace) throw new Skip('Firefox needs a network namespace, which only root can make')
    firefox = await Remote.launch(namespace, {
      kind: 'firefox',
      name: 'firefox',
      tone: 1500,
      forward: await namespace.pages(server),
    })
    await login(firefox, server, 'expert01')
    await approach(firefox, server, scene.room)
    await enter(firefox)
    await shows(firefox, publisher.vp8)
    const has = await firefox.eval(
      `RTCRtpReceiver.getCapabilities('video').codecs.some((c) => /h264/i.test(c.mimeType))`,
    )
    if (has) return shows(firefox, publisher.h264)
    const t = await until('the tile naming the codec', async () => {
      const tile = await tileOf(firefox, publisher.h264.id)
      if (tile?.state === 'codec') return tile
      throw new Error(JSON.stringify(tile))
    })
    await firefox.screenshot('whip-firefox.png')
    assert(/H\.?264/.test(t.words), `the tile's words: ${t.words}`)
  },
  90,
)

const peerSeries = (families, id) =>
  [...families.values()].flatMap((f) => f.samples).filter((s) => s.labels.peer === id)
async function metrics() {
  const text = await (await fetch(`${server.management}/metrics`)).text()
  writeFileSync(join(artefacts, 'metrics.txt'), text)
  return scrape(text)
}

await check('the metrics show who publishes and what it is like, by ids alone', async () => {
  const id = publisher.vp8.id
  const families = await until('a second measurement', async () => {
    const all = await metrics()
    return pick(all, 'consilium_peer_received_bytes_total', { peer: id })[0]?.value > 0 && all
  })
  equal(
    pick(families, 'consilium_peer_source_layers', { peer: id, source: 'device', state: 'received' })[0]?.value,
    1,
    'layers received',
  )
  equal(pick(families, 'consilium_peer_source_height_pixels', { peer: id })[0]?.value, 360, 'height')
  equal(pick(families, 'consilium_peer_path_info', { peer: id })[0]?.labels.path, 'udp', 'path')
  assert(
    pick(families, 'consilium_peer_slot_height_pixels').some((s) => s.value === 360),
    "nobody's slot has a height",
  )
  const participants = (await scene.admin.get(`/api/v1/rooms/${scene.room}`)).participants.length
  equal(pick(families, 'consilium_room_participants', { room: scene.room })[0]?.value, participants, 'participants')
  const sum = (name) => pick(families, name).reduce((n, s) => n + s.value, 0)
  const delays = families.get('consilium_worker_forward_delay_seconds').samples
  const [fast, count] = [(s) => s.labels.le === '0.1', (s) => s.name.endsWith('_count')].map((of) =>
    delays.filter(of).reduce((n, s) => n + s.value, 0),
  )
  assert(count <= sum('consilium_worker_forwarded_packets_total'), 'more delays than packets')
  // how fast it is bench/run says: this machine may stand still for longer than that
  assert(count > 500 && fast > 0.9 * count, `${count} delays, ${fast} of them under 100 ms`)
  const labels = new Set([...families.values()].flatMap((f) => f.samples).flatMap((s) => Object.keys(s.labels)))
  equal([...labels].sort().join(), 'direction,le,path,peer,room,slot,source,state,where,why,worker', 'labels')
})

await check('DELETE ends a session and its picture', async () => {
  const r = await publisher.h264.ask('leave')
  equal(r.status, 200, 'DELETE')
  equal(r.again, 404, 'a second DELETE')
  await until('the tile being gone', async () => !(await tileOf(chromium, publisher.h264.id)))
  equal((await publisher.player.ask('leave')).status, 200, 'DELETE by the player')
  equal(peerSeries(await metrics(), publisher.h264.id).length, 0, 'its series')
})

await check(
  'an encoder that is started anew replaces its dead self',
  async () => {
    const dead = publisher.vp8.id,
      died = Date.now()
    publisher.vp8.process.kill('SIGKILL')
    publisher.vp8 = await start('publish', 'vp8')
    const came = Date.now()
    await until('the dead one being gone', async () => {
      const { participants } = await scene.admin.get(`/api/v1/rooms/${scene.room}`)
      return !participants.some((p) => p.id === dead) && participants.some((p) => p.id === publisher.vp8.id)
    })
    // 2 s of silence are news; where the machine took longer to start it, nothing is shown
    if (came - died < 4000) assert(Date.now() - died < (TIMEOUT_S - 1) * 1000, `gone after ${Date.now() - died} ms`)
    await shows(chromium, publisher.vp8)
  },
  60,
)

await check(
  'a publisher that is killed is gone within the time-out',
  async () => {
    publisher.vp8.process.kill('SIGKILL')
    await until('the tile being gone', async () => !(await tileOf(chromium, publisher.vp8.id)), 3 * TIMEOUT_S)
  },
  60,
)

await check('a full room says so', async () => {
  await small.start()
  // whoever has not connected yet holds one place, however often he comes: each here has a token of his own
  const publish = () =>
    call('POST', '/whip/little', {
      at: small,
      token: tokenOf(small, 'little', '--publish'),
      body: sdp('gst-whip.sdp'),
    })
  const view = () =>
    call('POST', '/whep/little', {
      at: small,
      token: tokenOf(small, 'little', '--view'),
      body: sdp('gst-phone.sdp').replaceAll(/a=(sendonly|sendrecv)/g, 'a=recvonly'),
    })
  for (let i = 0; i < SMALL_ROOM; i++) equal((await publish()).status, 201, 'a publisher')
  const full = await publish()
  refused(full, 503, 'one publisher too many')
  assert(full.headers['retry-after'] && /full|limit/.test(full.problem.detail), `the reason: ${full.text}`)
  equal((await view()).status, 201, 'a viewer')
  refused(await view(), 503, 'one viewer too many')
})

await check('who shared a place until they connected are no more than there are places', async () => {
  if (!chromium) throw new Skip('no Chromium')
  const page = await chromium.context.newPage()
  await page.goto(`${small.url}/login`)
  const states = await page.evaluate(
    async ([token, n]) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 64 })
      canvas.getContext('2d').fillRect(0, 0, 64, 64)
      const all = []
      for (let i = 0; i < n; i++) {
        const pc = new RTCPeerConnection()
        pc.addTransceiver(canvas.captureStream(5).getVideoTracks()[0], { direction: 'sendonly' })
        await pc.setLocalDescription()
        const answer = await fetch('/whip/crowded', {
          method: 'POST',
          headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/sdp' },
          body: pc.localDescription.sdp,
        })
        all.push({ pc, status: answer.status, sdp: await answer.text() })
      }
      if (all.some((one) => one.status !== 201)) return all.map((one) => one.status)
      // all of them hold one place together until now
      await Promise.all(all.map(({ pc, sdp }) => pc.setRemoteDescription({ type: 'answer', sdp })))
      for (let i = 0; i < 100; i++) {
        await new Promise((go) => setTimeout(go, 100))
        if (all.filter(({ pc }) => pc.connectionState === 'connected').length < n && i > 20) break
      }
      const found = all.map(({ pc }) => pc.connectionState)
      for (const { pc } of all) pc.close()
      return found
    },
    [tokenOf(small, 'crowded', '--publish'), SMALL_ROOM + 1],
  )
  await page.close()
  equal(states.filter((state) => state === 'connected').length, SMALL_ROOM, `connected of ${states.join()}`)
})

for (const gst of peers) await gst.end()
await chromium?.close()
await firefox?.close()
await small.stop()
await server.stop()
namespace?.remove()
finish()
