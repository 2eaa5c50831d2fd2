/* One PeerConnection with its m-sections: what this side sends, and the slots in which it receives. */
import type { Role, RoomCodec, Source } from './protocol'
import { cameraEncodings, type OwnQuality } from './quality'

export const AUDIO_SLOTS = 5

export interface SlotTransceiver {
  transceiver: RTCRtpTransceiver
  stream: MediaStream
}

type Wanted = (codec: RTCRtpCodec) => boolean

const isOpus: Wanted = (codec) => /^audio\/opus$/i.test(codec.mimeType)
// RFC 2198: each packet repeats the words before it, so that a lost one is not heard; first, or it is not sent. Firefox has none
const isRed: Wanted = (codec) => /^audio\/red$/i.test(codec.mimeType)
const isVp8: Wanted = (codec) => /^video\/vp8$/i.test(codec.mimeType)
// one H.264: constrained baseline, packetization mode 1; what cameras, encoders and every browser share
const isH264: Wanted = (codec) =>
  /^video\/h264$/i.test(codec.mimeType) &&
  /profile-level-id=42e0/i.test(codec.sdpFmtpLine ?? '') &&
  /packetization-mode=1/.test(codec.sdpFmtpLine ?? '')
const isVp9: Wanted = (codec) =>
  /^video\/vp9$/i.test(codec.mimeType) && !/profile-id=[1-3]/.test(codec.sdpFmtpLine ?? '')
const isAv1: Wanted = (codec) => /^video\/av1$/i.test(codec.mimeType) && !/profile=[12]/.test(codec.sdpFmtpLine ?? '')
const isRtx: Wanted = (codec) => /^video\/rtx$/i.test(codec.mimeType)

const WANTED: Record<RoomCodec, Wanted> = { vp8: isVp8, h264: isH264, vp9: isVp9, av1: isAv1 }

/** What this browser sends in a room of that codec: VP8 when it cannot encode the room's. */
export function sendableCodec(codec: RoomCodec): RoomCodec {
  return RTCRtpSender.getCapabilities?.('video')?.codecs.some(WANTED[codec]) ? codec : 'vp8'
}

/** Every offered codec costs lines in every section: with 38 sections that decides how long joining takes. */
function narrow(transceiver: RTCRtpTransceiver, kind: 'audio' | 'video', order: Wanted[]): void {
  const known = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? []
  const chosen = order.flatMap((wanted) => known.filter(wanted))
  if (chosen.length === 0 || !transceiver.setCodecPreferences) return
  try {
    transceiver.setCodecPreferences(chosen)
  } catch {
    // an old browser that wants another form gets its own full list
  }
}

interface Extension {
  uri: string
  direction: string
}

/**
 * Says in the next offer that this side reads and writes the dependency descriptor, by which the server takes layers apart. By itself Chromium offers it for nothing that it
 * only receives, and never again after an answer without it (VP8 has none).
 */
function describe(transceiver: RTCRtpTransceiver, codec: RoomCodec): void {
  const able = transceiver as {
    getHeaderExtensionsToNegotiate?: () => Extension[]
    setHeaderExtensionsToNegotiate?: (list: Extension[]) => void
  }
  if (codec === 'vp8' || !able.getHeaderExtensionsToNegotiate || !able.setHeaderExtensionsToNegotiate) return
  const list = able.getHeaderExtensionsToNegotiate()
  const one = list.find(({ uri }) => uri.includes('dependency-descriptor'))
  if (!one || one.direction === 'sendrecv') return
  one.direction = 'sendrecv'
  for (const other of list) if (other.uri.endsWith(':sdes:mid')) other.direction = 'sendrecv' // a list without it is refused, even when an answer had none
  able.setHeaderExtensionsToNegotiate(list)
}

export class Peer {
  readonly pc: RTCPeerConnection
  readonly audioSlots: SlotTransceiver[] = []
  readonly videoSlots: SlotTransceiver[] = []
  private readonly senders = new Map<Source, RTCRtpTransceiver>()
  private readonly roles = new Map<RTCRtpTransceiver, Role>()
  private codec: RoomCodec = 'vp8'
  private sent: RoomCodec = 'vp8'
  /** What the room had before: cameras go on in it for a while. */
  private readonly former = new Set<RoomCodec>()

  constructor() {
    this.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' })
  }

  /** Relays, known before the offer; gathering begins with it. */
  useIceServers(iceServers: RTCIceServer[]): void {
    if (iceServers.length > 0) this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers })
  }

  addAudioSlots(count: number): void {
    for (let i = 0; i < count; i++) this.audioSlots.push(this.slot('audio', [isRed, isOpus]))
  }

  /** Grows to `count`; never shrinks, since a section cannot be taken back. */
  growVideoSlots(count: number): boolean {
    const before = this.videoSlots.length
    while (this.videoSlots.length < count) this.videoSlots.push(this.slot('video', this.playable()))
    // browsers keep one pair per stream in lip sync: the large picture and its voice
    if (before === 0 && this.videoSlots[0] && this.audioSlots[0]) {
      this.videoSlots[0].stream.addTrack(this.audioSlots[0].transceiver.receiver.track)
      this.audioSlots[0].stream = this.videoSlots[0].stream
    }
    return this.videoSlots.length > before
  }

  /** The room's codec: what slots take, and a camera that is added, from the next offer on. True when that is new. */
  setCodec(codec: RoomCodec): boolean {
    if (codec === this.codec) return false
    this.former.add(this.codec)
    this.codec = codec
    for (const { transceiver } of this.videoSlots) {
      narrow(transceiver, 'video', this.playable())
      describe(transceiver, codec)
    }
    return true
  }

  /** What the camera is sent in. */
  get cameraCodec(): RoomCodec {
    return this.sent
  }

  /** The camera goes over to the room's codec with the next offer; false when it is sent in it already, or cannot be. */
  moveCamera(): boolean {
    const codec = sendableCodec(this.codec)
    const camera = this.senders.get('camera')
    if (!camera || codec === this.sent) return false
    this.sent = codec
    narrow(camera, 'video', [WANTED[codec], isRtx])
    describe(camera, codec)
    return true
  }

  /** VP8 is what everybody falls back to, H.264 what devices send. */
  private playable(): Wanted[] {
    return [...new Set([WANTED[this.codec], ...[...this.former].map((codec) => WANTED[codec]), isVp8, isH264, isRtx])]
  }

  sender(source: Source): RTCRtpTransceiver | undefined {
    return this.senders.get(source)
  }

  addMic(track: MediaStreamTrack, stream: MediaStream): void {
    const transceiver = this.pc.addTransceiver(track, { direction: 'sendonly', streams: [stream] })
    narrow(transceiver, 'audio', [isRed, isOpus])
    this.keep(transceiver, 'mic')
  }

  addCamera(track: MediaStreamTrack, stream: MediaStream, quality: OwnQuality): void {
    const { width = 0, height = 0 } = track.getSettings()
    this.sent = sendableCodec(this.codec)
    const encodings = cameraEncodings(this.sent, quality, width, height)
    const transceiver = this.pc.addTransceiver(track, {
      direction: 'sendonly',
      streams: [stream],
      sendEncodings: encodings,
    })
    narrow(transceiver, 'video', [WANTED[this.sent], isRtx])
    this.keep(transceiver, 'camera')
  }

  addScreen(track: MediaStreamTrack, stream: MediaStream): void {
    const transceiver = this.pc.addTransceiver(track, {
      direction: 'sendonly',
      streams: [stream],
      sendEncodings: [{ maxBitrate: 4_000_000, maxFramerate: 15 }],
    })
    narrow(transceiver, 'video', [isVp8, isRtx])
    this.keep(transceiver, 'screen')
  }

  /** Does the slow first work (certificate, codec lists) before anybody waits for it. */
  async warmUp(): Promise<void> {
    await this.pc.createOffer()
  }

  /** Candidates are not waited for: the server answers from where the first check comes. */
  async offer(restart: boolean): Promise<{ offer: string; sections: Record<string, Role> }> {
    if (restart) this.pc.restartIce()
    await this.pc.setLocalDescription(await this.pc.createOffer())
    const sections: Record<string, Role> = {}
    for (const transceiver of this.pc.getTransceivers()) {
      if (transceiver.mid !== null) sections[transceiver.mid] = this.roles.get(transceiver) ?? 'slot'
    }
    return { offer: this.pc.localDescription?.sdp ?? '', sections }
  }

  async answer(sdp: string): Promise<void> {
    await this.pc.setRemoteDescription({ type: 'answer', sdp })
  }

  close(): void {
    this.pc.oniceconnectionstatechange = this.pc.onconnectionstatechange = null
    this.pc.close()
  }

  private slot(kind: 'audio' | 'video', order: Wanted[]): SlotTransceiver {
    const transceiver = this.pc.addTransceiver(kind, { direction: 'recvonly' })
    narrow(transceiver, kind, order)
    if (kind === 'video') describe(transceiver, this.codec)
    this.roles.set(transceiver, 'slot')
    return { transceiver, stream: new MediaStream([transceiver.receiver.track]) }
  }

  private keep(transceiver: RTCRtpTransceiver, source: Source): void {
    this.roles.set(transceiver, source)
    this.senders.set(source, transceiver)
  }
}
