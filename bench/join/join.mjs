// How long a person waits: from sending room.join to the first picture on display, in Chromium, with 34 slots (5 voices, 29 pictures).
// node bench/join/join.mjs [--joins N] [--pause MS] [--json FILE]
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { Chromium } from '../../tests/e2e/lib/browsers.mjs'
import { Server } from '../../tests/lib/server.mjs'
import { approach, consultation, enter, login } from '../../tests/e2e/lib/scene.mjs'
import { option, until } from '../../tests/lib/check.mjs'

const JOINS = Number(option('joins', 40)),
  PAUSE_MS = Number(option('pause', 500)),
  WARM = 3,
  GOAL_MS = 300
const AUDIO_SLOTS = 5,
  VIDEO_SLOTS = 29

/** Runs in the page: one join with a connection prepared as the device check prepares it. Gives ms since room.join was sent. */
const joinOnce = async ({ room, watch, audioSlots, videoSlots }) => {
  const media = (window.__media ??= await navigator.mediaDevices.getUserMedia({
    audio: true,
    video: { width: 640, height: 360 },
  }))
  const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' })
  const roles = new Map()
  const narrow = (t, kind, types) =>
    t.setCodecPreferences(
      types.flatMap((type) =>
        RTCRtpReceiver.getCapabilities(kind).codecs.filter((c) => type.test(c.mimeType + ' ' + (c.sdpFmtpLine ?? ''))),
      ),
    )
  const opus = [/^audio\/opus/i],
    pictures = [/^video\/vp8/i, /^video\/h264.*packetization-mode=1.*42e0/i, /^video\/rtx/i]
  const slot = (kind, types) => {
    const t = pc.addTransceiver(kind, { direction: 'recvonly' })
    narrow(t, kind, types)
    roles.set(t, 'slot')
    return t
  }
  for (let i = 0; i < audioSlots; i++) slot('audio', opus)
  const video = Array.from({ length: videoSlots }, () => slot('video', pictures))
  const send = (track, role, kind, types, more = {}) => {
    const t = pc.addTransceiver(track.clone(), { direction: 'sendonly', ...more })
    narrow(t, kind, types)
    roles.set(t, role)
  }
  send(media.getAudioTracks()[0], 'mic', 'audio', opus)
  send(media.getVideoTracks()[0], 'camera', 'video', pictures.slice(0, 1), {
    sendEncodings: [
      { rid: 'l', scaleResolutionDownBy: 2 },
      { rid: 'm', scaleResolutionDownBy: 1 },
    ],
  })
  const element = document.createElement('video')
  element.muted = element.autoplay = true
  element.srcObject = new MediaStream([video[0].receiver.track])
  document.body.append(element)
  const socket = new WebSocket(`ws://${location.host}/ws`)
  const waiting = new Map()
  socket.onmessage = (e) => {
    const m = JSON.parse(e.data)
    waiting.get(m.id)?.(m)
    waiting.delete(m.id)
  }
  const call = (id, method, params) =>
    new Promise((yes, no) => {
      waiting.set(id, (m) => (m.error ? no(new Error(JSON.stringify(m.error))) : yes(m.result)))
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    })
  await new Promise((r) => (socket.onopen = r))
  await pc.setLocalDescription(await pc.createOffer())
  const sections = Object.fromEntries(pc.getTransceivers().map((t) => [t.mid, roles.get(t)]))
  const marks = {}
  let start
  const since = () => performance.now() - start
  pc.onconnectionstatechange = () => {
    if (pc.connectionState === 'connected') marks.connected ??= since()
  }
  const seen = new Promise((yes, no) => {
    element.requestVideoFrameCallback((_, frame) => {
      marks.received = frame.receiveTime - start
      marks.composed = frame.presentationTime - start
      yes(since())
    })
    setTimeout(() => no(new Error(`no picture within 10 s: ${JSON.stringify(marks)} ${pc.connectionState}`)), 10000)
  })
  start = performance.now()
  const answer = await call(1, 'room.join', { room, device: 'desktop', offer: pc.localDescription.sdp, sections })
  marks.answered = since()
  const shown = call(2, 'room.show', {
    slots: [{ mid: video[0].mid, participant: watch, source: 'camera', width: 640, height: 360, priority: 100 }],
    tier_max: '4k',
  })
  await pc.setRemoteDescription({ type: 'answer', sdp: answer.answer })
  marks.applied = since()
  await shown
  const ms = await seen
  await call(3, 'room.leave', {})
  const sections_ = pc.getTransceivers().length
  for (const t of pc.getTransceivers()) t.sender.track?.stop()
  pc.close()
  socket.close()
  element.remove()
  return { ms, ...marks, sections: sections_, offer: pc.localDescription?.sdp.length }
}

const server = new Server({ name: 'bench-join' })
let publisher, viewer
try {
  server.init()
  await server.start()
  const { room } = await consultation(server)
  const camera = { width: 640, height: 360, fps: 30 } // what the app asks cameras for
  publisher = await Chromium.launch({ name: 'publisher', colour: 'red', tone: 500, camera })
  await login(publisher, server, 'doctor01')
  await approach(publisher, server, room)
  const watch = await enter(publisher)
  viewer = await Chromium.launch({ name: 'viewer', colour: 'green', tone: 900, camera })
  await login(viewer, server, 'expert01')
  const samples = []
  for (let i = 0; i < WARM + JOINS; i++) {
    const sample = await viewer.eval(joinOnce, { room, watch, audioSlots: AUDIO_SLOTS, videoSlots: VIDEO_SLOTS })
    if (i >= WARM) samples.push(sample)
    await until('the place being free again', async () => (await publisher.probe('tiles()')).length === 0, 10)
    await new Promise((next) => setTimeout(next, PAUSE_MS * (0.5 + (i % 10) / 10)))
  }
  const at = (name, q) => {
    const list = samples.map((s) => s[name]).sort((a, b) => a - b)
    return Math.round(list[Math.min(list.length - 1, Math.ceil(q * list.length) - 1)] * 10) / 10
  }
  const spread = (name) => ({ p50: at(name, 0.5), p95: at(name, 0.95), max: at(name, 1) })
  const browser = execFileSync(process.env.CHROMIUM || '/usr/bin/chromium', ['--version'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()
  const report = {
    name: 'join_to_picture_ms',
    goal: GOAL_MS,
    measured: at('ms', 0.95),
    unit: 'ms',
    ok: at('ms', 0.95) <= GOAL_MS,
    browser,
    joins: samples.length,
    slots: AUDIO_SLOTS + VIDEO_SLOTS,
    sections: samples[0].sections,
    answered: spread('answered'),
    applied: spread('applied'),
    connected: spread('connected'),
    received: spread('received'),
    composed: spread('composed'),
    picture: spread('ms'),
    samples: samples.map((s) => Math.round(s.ms)),
  }
  const text = JSON.stringify(report, null, 1)
  console.log(text)
  if (option('json')) writeFileSync(option('json'), text)
  process.exitCode = report.ok ? 0 : 1
} finally {
  await publisher?.close()
  await viewer?.close()
  await server.stop()
}
