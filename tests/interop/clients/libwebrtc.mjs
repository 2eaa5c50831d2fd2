// libwebrtc (npm @roamhq/wrtc) as a WHIP publisher or a WHEP player. How it is called: README.md.
import wrtc from '@roamhq/wrtc'
import { HEIGHT, WIDTH, aPicture, codec, mode, pieces, post, say } from './link.mjs'

const { RTCAudioSource, RTCVideoSink, RTCVideoSource } = wrtc.nonstandard
const pc = new wrtc.RTCPeerConnection({ bundlePolicy: 'max-bundle' })
pc.onconnectionstatechange = () => say({ event: 'state', state: pc.connectionState })

/** The offer with `name` as the picture's one codec, and its RTX: of several the server takes the room's own. */
function only(sdp, name) {
  const [head, video] = [sdp.slice(0, sdp.indexOf('m=video')), sdp.slice(sdp.indexOf('m=video'))]
  const type = [...video.matchAll(/^a=rtpmap:(\d+) ([^/\r]+)/gm)].find((m) => m[2].toLowerCase() === name)[1]
  const repair = new RegExp(`^a=fmtp:(\\d+) apt=${type}\\r`, 'm').exec(video)?.[1]
  const kept = [type, repair].filter(Boolean)
  const lines = video.split('\r\n').filter((line) => {
    const about = /^a=(?:rtpmap|rtcp-fb|fmtp):(\d+)/.exec(line)?.[1]
    return !about || kept.includes(about)
  })
  return head + lines.join('\r\n').replace(/^(m=video \d+ \S+).*/, `$1 ${kept.join(' ')}`)
}

/** A picture's luma in the size that is looked at. */
function luma({ width, height, data }) {
  const out = Buffer.alloc(WIDTH * HEIGHT)
  for (let y = 0; y < HEIGHT; y++) {
    const row = Math.floor((y * height) / HEIGHT) * width
    for (let x = 0; x < WIDTH; x++) out[y * WIDTH + x] = data[row + Math.floor((x * width) / WIDTH)]
  }
  return out
}

function publish() {
  const source = new RTCVideoSource(),
    voice = new RTCAudioSource()
  pc.addTransceiver(voice.createTrack(), { direction: 'sendonly' })
  pc.addTransceiver(source.createTrack(), { direction: 'sendonly' })
  const silence = {
    samples: new Int16Array(480),
    sampleRate: 48000,
    bitsPerSample: 16,
    channelCount: 1,
    numberOfFrames: 480,
  }
  setInterval(() => voice.onData(silence), 10)
  return () =>
    pieces(aPicture, (data) => source.onFrame({ width: WIDTH, height: HEIGHT, data: new Uint8ClampedArray(data) }))
}

function play() {
  for (const kind of ['audio', 'video']) {
    const { receiver } = pc.addTransceiver(kind, { direction: 'recvonly' })
    if (kind === 'video') new RTCVideoSink(receiver.track).onframe = ({ frame }) => process.stdout.write(luma(frame))
  }
  return () => pieces(() => 0)
}

const untilTheEnd = { publish, play }[mode]()
const offer = await pc.createOffer()
await pc.setLocalDescription({ type: 'offer', sdp: only(offer.sdp, codec) })
const { answer, leave } = await post(pc.localDescription.sdp)
await pc.setRemoteDescription({ type: 'answer', sdp: answer })
await untilTheEnd()
await leave()
process.exit()
