// libdatachannel (npm node-datachannel), on which OBS is built, as a WHIP publisher or a WHEP player. It neither encodes nor decodes: RTP packets go in
// and out, each with its length before it. How it is called: README.md.
import rtc from 'node-datachannel'
import { aPacket, codec, mode, pieces, post, say } from './link.mjs'

const VIDEO = 96,
  AUDIO = 111
const SSRC = { video: 0x5eed, audio: 0x5eee }
const SILENCE = Buffer.from([0xf8, 0xff, 0xfe])
const pc = new rtc.PeerConnection('client', { iceServers: [], disableAutoNegotiation: true })
pc.onStateChange((state) => say({ event: 'state', state }))

function sections(direction) {
  const audio = new rtc.Audio('0', direction),
    video = new rtc.Video('1', direction)
  audio.addOpusCodec(AUDIO)
  ;({
    vp8: () => video.addVP8Codec(VIDEO),
    h264: () => video.addH264Codec(VIDEO),
    vp9: () => video.addVP9Codec(VIDEO),
  })[codec]()
  return { audio, video }
}

/** Reports, and repeated packets for those who ask. */
function reporting(track, ssrc, type, rate) {
  const handler = new rtc.RtcpSrReporter(new rtc.RtpPacketizationConfig(ssrc, 'client', type, rate))
  handler.addToChain(new rtc.RtcpNackResponder())
  track.setMediaHandler(handler)
}

function publish() {
  const { audio, video } = sections('SendOnly')
  audio.addSSRC(SSRC.audio, 'client', 'client', 'audio')
  video.addSSRC(SSRC.video, 'client', 'client', 'video')
  const voice = pc.addTrack(audio),
    picture = pc.addTrack(video)
  reporting(voice, SSRC.audio, AUDIO, 48000)
  reporting(picture, SSRC.video, VIDEO, 90000)
  let n = 0
  setInterval(() => {
    const header = Buffer.alloc(12)
    header.writeUInt16BE(0x8000 | AUDIO, 0)
    header.writeUInt16BE(n & 0xffff, 2)
    header.writeUInt32BE((n++ * 960) >>> 0, 4)
    header.writeUInt32BE(SSRC.audio, 8)
    if (voice.isOpen()) voice.sendMessageBinary(Buffer.concat([header, SILENCE]))
  }, 20)
  return () =>
    pieces(aPacket, (piece) => {
      const packet = Buffer.from(piece.subarray(2))
      packet.writeUInt32BE(SSRC.video, 8)
      if (picture.isOpen()) picture.sendMessageBinary(packet)
    })
}

function play() {
  const { audio, video } = sections('RecvOnly')
  const voice = pc.addTrack(audio),
    picture = pc.addTrack(video)
  voice.setMediaHandler(new rtc.RtcpReceivingSession())
  picture.setMediaHandler(new rtc.RtcpReceivingSession())
  // it does not decode, so it does not know when it needs one
  setInterval(() => picture.isOpen() && picture.requestKeyframe(), 1000)
  picture.onMessage((packet) => {
    const size = Buffer.alloc(2)
    size.writeUInt16BE(packet.length)
    process.stdout.write(Buffer.concat([size, packet]))
  })
  return { untilTheEnd: () => pieces(() => 0), keep: [voice, picture] }
}

const local = new Promise((done) =>
  pc.onGatheringStateChange((state) => state === 'complete' && done(pc.localDescription().sdp)),
)
const begun = { publish, play }[mode]()
pc.setLocalDescription('offer')
const { answer, leave } = await post(await local)
pc.setRemoteDescription(answer, 'answer')
await (begun.untilTheEnd ?? begun)()
await leave()
process.exit()
