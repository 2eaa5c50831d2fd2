// WHIP offers in the shapes in which encoders, gateways and libraries write them: all of an offer is taken, or it is refused with a reason that helps.
// node tests/interop/offers.mjs (CN_BUILD=release for another build). Offers of ../shared/data/cases are posted where they are.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Skip, assert, check, equal, finish } from '../lib/check.mjs'
import { Session, call } from '../lib/rest.mjs'
import { Server, root, sanitized } from '../lib/server.mjs'

const server = new Server({ build: sanitized, name: 'door-offers', pages: false })
server.people({ centre1: 'consult_admin' })
await server.start()
const centre = await new Session(server.url).login('centre1', server.users.centre1)
const token = server.run('room', 'token', 'lab', '--publish').trim()
const viewToken = server.run('room', 'token', 'lab', '--view').trim()

const transport =
  'a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\n' +
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, '0').toUpperCase()).join(':')}\r\n`
const OPUS = 'a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n'
const VP8 = 'a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n'
const h264 = (fmtp) => `a=rtpmap:96 H264/90000\r\na=rtcp-fb:96 nack\r\n${fmtp === null ? '' : `a=fmtp:96 ${fmtp}\r\n`}`
const MODE1 = 'profile-level-id=42e01f;packetization-mode=1'
const section = (mid, kind, lines, { profile = 'UDP/TLS/RTP/SAVPF', port = 9, direction = 'sendonly' } = {}) =>
  `m=${kind} ${port} ${profile} ${kind === 'audio' ? 111 : 96}\r\nc=IN IP4 0.0.0.0\r\na=mid:${mid}\r\na=${direction}\r\na=rtcp-mux\r\n${lines}`
const channel =
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=sctp-port:5000\r\n'
const offer = (sections, bundle = sections.map((_, i) => i).join(' ')) =>
  `v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE ${bundle}\r\n${transport}${sections.join('')}`
const mic = (options) => section(0, 'audio', OPUS, options)
const cam = (lines, options) => section(1, 'video', lines, options)

/** Ports of the answer's sections, and its text. */
async function post(text, { path = '/whip/lab', bearer = token } = {}) {
  const answer = await call(server.url, 'POST', path, {
    body: text,
    headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/sdp' },
  })
  const body = answer.body.toString()
  const sections = body.split(/^(?=m=)/m).slice(1)
  if (answer.status === 201)
    await call(server.url, 'DELETE', answer.headers.location, { headers: { Authorization: `Bearer ${bearer}` } })
  return { status: answer.status, body, detail: answer.json?.detail ?? '', lines: sections }
}

/** Whether each section is taken; a bundled one that is has the first one's port or 9, one that is not 0. */
const taken = ({ lines }) => lines.map((one) => !/^m=\S+ 0 /.test(one))
const profiles = ({ lines }) => lines.map((one) => one.split(' ')[2])

const whole = {
  'OBS: baseline, no simulcast': offer([mic(), cam(h264(MODE1))]),
  'gateway: packetization mode 0': offer([mic(), cam(h264('profile-level-id=42801e'))]),
  'hardware encoder: H264 without parameters': offer([mic(), cam(h264(null))]),
  'libpeer: parameters in two lines': offer([
    mic(),
    cam(h264(MODE1) + 'a=fmtp:96 x-google-max-bitrate=6000;x-google-start-bitrate=4000\r\n'),
  ]),
  'blanks around the equals sign': offer([mic(), cam(h264('packetization-mode = 1;profile-level-id = 42e01f'))]),
  'FFmpeg: BUNDLE names audio that is not there': offer([cam(h264(MODE1))], '0 1'),
  'aiortc: one extmap id with two meanings': offer([
    mic() +
      'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=extmap:2 urn:ietf:params:rtp-hdrext:sdes:mid\r\n',
    cam(VP8) + 'a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n',
  ]),
  'Plan B: simulcast by ssrc-group': offer([
    mic(),
    cam(
      VP8 +
        'a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=ssrc-group:SIM 1 2 3\r\na=ssrc-group:FID 1 11\r\na=ssrc-group:FID 2 12\r\n' +
        'a=ssrc-group:FID 3 13\r\na=ssrc:1 cname:x\r\na=ssrc:2 cname:x\r\na=ssrc:3 cname:x\r\n',
    ).replace('SAVPF 96', 'SAVPF 96 97'),
  ]),
  'an empty line at the end': offer([mic(), cam(VP8)]) + '\r\n',
  'blanks at line ends': offer([mic(), cam(VP8)]).replaceAll('\r\n', ' \r\n'),
}

for (const [name, text] of Object.entries(whole))
  await check(`taken: ${name}`, async () => {
    const answer = await post(text)
    equal(answer.status, 201, answer.body)
    equal(
      taken(answer),
      answer.lines.map(() => true),
      answer.body,
    )
  })

await check('taken: every profile that RFC 9429 §5.1.2 names, and the answer repeats it', async () => {
  for (const profile of ['RTP/AVP', 'RTP/AVPF', 'RTP/SAVP', 'RTP/SAVPF', 'UDP/TLS/RTP/SAVP', 'TCP/DTLS/RTP/SAVP']) {
    const answer = await post(offer([mic({ profile }), cam(VP8, { profile })]))
    equal([answer.status, profiles(answer)], [201, [profile, profile]], answer.body)
  }
})

await check('FFmpeg 8: an offer that is passive is answered active, others passive', async () => {
  for (const [offered, answered] of [
    ['passive', 'active'],
    ['actpass', 'passive'],
    ['active', 'passive'],
  ]) {
    const answer = await post(offer([mic(), cam(VP8)]).replace('setup:actpass', `setup:${offered}`))
    equal(answer.status, 201, answer.body)
    equal(
      answer.lines.map((one) => /^a=setup:(\S+)/m.exec(one)?.[1]),
      [answered, answered],
      answer.body,
    )
  }
})

await check("without the room's codec the offer's order counts", async () => {
  const both = (first, second) =>
    cam(`a=rtpmap:96 ${first}/90000\r\na=rtpmap:98 ${second}/90000\r\n`).replace('SAVPF 96', 'SAVPF 96 98')
  for (const [first, second, taken] of [
    ['VP9', 'AV1', 'VP9'],
    ['AV1', 'VP9', 'AV1'],
    ['AV1', 'VP8', 'VP8'],
  ]) {
    const answer = await post(offer([mic(), both(first, second)]))
    equal(answer.status, 201, answer.body)
    equal(
      [...answer.lines[1].matchAll(/^a=rtpmap:\d+ ([^/]+)/gm)].map((one) => one[1]),
      [taken],
      answer.body,
    )
  }
})

await check('Pion: a blank after nack, and retransmissions are agreed', async () => {
  const answer = await post(offer([cam(VP8.replace('nack\r\n', 'nack \r\n') + 'a=rtcp-fb:96 transport-cc \r\n')], '1'))
  assert(/^a=rtcp-fb:96 nack\r$/m.test(answer.body), answer.body)
})

await check('a data channel, or a stopped second picture, leaves the picture alone', async () => {
  const stopped = section(2, 'video', VP8, { port: 0 })
  for (const last of [channel, stopped]) {
    const text = offer([mic(), cam(VP8), last])
    const answer = await call(server.url, 'POST', '/whip/lab', {
      body: text,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/sdp' },
    })
    equal(answer.status, 201, answer.body.toString())
    const parts = answer.body.toString().split(/^(?=m=)/m)
    equal(
      parts.slice(1).map((one) => !/^m=\S+ 0 /.test(one)),
      [true, true, false],
    )
    await call(server.url, 'DELETE', answer.headers.location, { headers: { Authorization: `Bearer ${token}` } })
  }
})

const half = {
  HEVC: [offer([mic(), cam('a=rtpmap:96 H265/90000\r\n')]), /H265.*VP8, H\.264/],
  'H264 of packetization mode 2': [offer([mic(), cam(h264('packetization-mode=2;profile-level-id=42e01f'))]), /H264/],
  'G.711 beside a picture': [
    offer([mic().replace(OPUS, 'a=rtpmap:111 PCMU/8000\r\n'), cam(VP8)]),
    /PCMU.*audio is Opus/,
  ],
  'a second picture that is not taken': [
    offer([mic(), cam(VP8), section(2, 'video', 'a=rtpmap:96 H265/90000\r\n')]),
    /'2'.*H265/,
  ],
}
for (const [name, [text, why]] of Object.entries(half))
  await check(`refused with the reason: ${name}`, async () => {
    const answer = await post(text)
    equal(answer.status, 422, answer.body)
    assert(why.test(answer.detail), answer.detail)
    const { json } = await centre.call('GET', '/api/v1/rooms/lab')
    equal(json?.participants ?? [], [], 'who is in the room')
  })

await check('a player of H.264 that cannot be sent any hears so', async () => {
  const answer = await post(offer([cam(h264(null), { direction: 'recvonly' })], '1'), {
    path: '/whep/lab',
    bearer: viewToken,
  })
  equal(answer.status, 422, answer.body)
  assert(/H264/.test(answer.detail), answer.detail)
})

await check('the offers of the cases: taken whole, or refused with a reason', async () => {
  const folder = join(root, '../shared/data/cases/offers')
  if (!existsSync(folder)) throw new Skip('no ../shared/data')
  const statuses = {
    'blanks-at-line-ends': 201,
    'ffmpeg-8-passive': 201,
    'ffmpeg-8-video-only': 201,
    'gateway-h264-mode0': 201,
    libpeer: 201,
    'obs-hevc': 422,
    'pion-v4-publish': 201,
    'plan-b-simulcast': 201,
    'rtp-savpf-old': 201,
    'safari-12-with-channel': 201,
  }
  for (const [name, status] of Object.entries(statuses)) {
    const answer = await post(readFileSync(join(folder, `${name}.sdp`), 'utf8'))
    equal(answer.status, status, `${name}: ${answer.body}`)
    if (status !== 201) continue
    const open = answer.lines.filter((one) => /^m=(audio|video) (?!0 )/.test(one)).length
    equal(open, answer.lines.filter((one) => /^m=(audio|video)/.test(one)).length, `${name}: ${answer.body}`)
  }
})

await check('it ends in order', async () => equal((await server.end()).code, 0))
server.remove()
finish()
