/* What this person sends: microphone, camera, screen; its layers, by what is watched, lost, allowed; the room's codec. */
import type { Tell } from '../host/moderation'
import type { LocalMedia } from './local'
import type { Peer } from './peer'
import { CODE, type JoinAnswer, type Limits, type RoomCodec, type Source } from './protocol'
import { cameraEncodings, overCeiling, type OwnQuality } from './quality'
import { RpcError } from './rpc'
import type { RoomState } from './state'

const WATCHED_AGAIN_MS = 5000
/** Share of packets lost on the way up from which on the camera is sent without temporal layers, and for how long after that. */
const LOSSY = 0.02
const LOSSY_MS = 30000
/** Another codec: within the first everybody gets ready to receive it, after the second cameras go over to it. */
const CODEC_SPREAD_MS = 800
const CODEC_CAMERA_MS = 1500

function withoutMode(encoding: RTCRtpEncodingParameters & { scalabilityMode?: string }): void {
  delete encoding.scalabilityMode
}

/** What it needs of the call that it is part of. */
export interface PublishingPort {
  /** The PeerConnection of now: another one may take its place. */
  peer(): Peer
  call<T>(method: string, params: object): Promise<T>
  renegotiate(restart: boolean): Promise<void>
  tell: Tell
}

/** The largest of a camera's layers may rest: what `room.layers` says. */
export interface Watched {
  rids: boolean[]
  /** Every receiver can take one stream's spatial layers apart. */
  spatial: boolean
  /** So many of the largest of those layers nobody watches. */
  unwatched: number
}

export class Publishing {
  /** What cameras of the room are asked to send. */
  codec: RoomCodec = 'vp8'

  /** Which of the camera's layers somebody watches, as the server said last. */
  private watched: boolean[] = []
  private watchedTold: boolean[] = []
  private spatial = true
  private unwatched = 0
  private senderWork: Promise<void> = Promise.resolve()
  private watchedTimer: ReturnType<typeof setTimeout> | undefined
  private codecTimer: ReturnType<typeof setTimeout> | undefined
  private micWork: Promise<void> = Promise.resolve()
  /** The microphone went away and no other could be had: whether it was on. */
  private micMissing: { on: boolean } | null = null
  private lossyAt = -Infinity
  private lossy = false

  constructor(
    private readonly local: LocalMedia,
    private readonly state: RoomState,
    private readonly port: PublishingPort,
  ) {
    local.onMicEnded = () => void this.oneMic(() => this.micLost())
    local.onDevices = () => void this.oneMic(() => this.micAgain())
    local.onCameraEnded = () => {
      void this.setCamera(false)
      this.port.tell('camera_lost', {}, true)
    }
    local.onScreenEnded = () => void this.stopScreen()
  }

  /** Another PeerConnection: nothing is known of what is watched. */
  startAfresh(): void {
    this.watched = this.watchedTold = []
    this.spatial = true
    this.unwatched = 0
  }

  end(): void {
    clearTimeout(this.watchedTimer)
    clearTimeout(this.codecTimer)
  }

  takeWatched({ rids, spatial, unwatched }: Watched): void {
    clearTimeout(this.watchedTimer)
    this.watched = this.watchedTold = rids
    this.spatial = spatial
    this.unwatched = unwatched
    void this.fitLayers()
  }

  /** The server takes a published source to be on. A microphone that came while the call was being mended is sent from now on. */
  tellWhatIsOff(): void {
    const { state, local } = this
    if (local.tracks.mic && !state.micPublished) void this.oneMic(() => this.sendMic(local.tracks.mic))
    if (state.micPublished && !local.state.micOn) this.tellSource('mic', false)
    if (state.cameraPublished && !local.tracks.camera) this.tellSource('camera', false)
    if (this.port.peer().sender('screen') && !local.tracks.screen) this.tellSource('screen', false)
  }

  setMic(on: boolean): void {
    this.local.setMicOn(on)
    if (this.state.micPublished) this.tellSource('mic', on)
  }

  /** Mutes and unmutes. Who has no microphone, or has lost his, tries to have one, and is told why it cannot be. */
  async toggleMic(): Promise<void> {
    const { local } = this
    if (local.tracks.mic) return this.setMic(!local.state.micOn)
    local.setMicOn(true)
    await this.openMic(local.state.micId)
    if (!local.tracks.mic) local.setMicOn(false)
    else if (this.state.self?.sources.mic === false) this.tellSource('mic', true)
  }

  openMic(id: string | null): Promise<void> {
    return this.oneMic(async () => {
      const track = await this.local.openMic(id)
      if (track) this.micMissing = null
      this.tellProblem('mic')
      await this.sendMic(track)
    })
  }

  /** Of a device that the person asked for: why there is none. */
  private tellProblem(device: 'mic' | 'camera'): void {
    const problem = this.local.state[`${device}Problem`]
    if (problem) this.port.tell(`${device}_problem`, { problem }, true)
  }

  /** One after the other: a device that goes is often told of twice. */
  private oneMic(work: () => Promise<void>): Promise<void> {
    return (this.micWork = this.micWork.then(work).catch(() => undefined))
  }

  /** Before the room is entered there is nobody to send to: publishTracks takes what is there then. */
  private async sendMic(track: MediaStreamTrack | null): Promise<void> {
    const sender = this.port.peer().sender('mic')
    if (sender) return sender.sender.replaceTrack(track)
    if (!track || this.state.phase !== 'live') return
    this.port.peer().addMic(track, this.local.stream)
    this.state.micPublished = true
    await this.port.renegotiate(false)
    if (!this.local.state.micOn) this.tellSource('mic', false) // the server takes it to be on
  }

  /** The one in use has gone: the system's own instead, or it shows as off until there is one again. */
  private async micLost(): Promise<void> {
    const { local, state } = this
    const track = await local.openMic(null, true)
    await this.sendMic(track)
    if (!track) this.micMissing = { on: local.state.micOn }
    if (state.phase === 'new') return // the device check shows it
    if (track) return this.port.tell('mic_replaced', { device: track.label })
    if (local.state.micOn) this.setMic(false)
    if (local.state.micProblem === 'denied') this.tellProblem('mic')
    else this.port.tell('mic_lost', {}, true)
  }

  private async micAgain(): Promise<void> {
    const { local } = this
    const missing = this.micMissing
    if (!missing || local.state.mics.length === 0 || local.state.micProblem === 'denied') return
    const track = await local.openMic(undefined, true)
    if (!track) return
    this.micMissing = null
    await this.sendMic(track)
    if (this.state.phase === 'new') return
    if (missing.on && !local.state.micOn) this.setMic(true)
    this.port.tell('mic_back', { device: track.label })
  }

  async setCamera(on: boolean, id: string | null = this.local.state.cameraId): Promise<void> {
    this.local.state.cameraOn = on
    if (!on) {
      this.local.closeCamera()
      await this.port.peer().sender('camera')?.sender.replaceTrack(null)
      return this.tellSource('camera', false)
    }
    if (!(await this.takePlace())) return void (this.local.state.cameraOn = false)
    const track = await this.local.openCamera(id)
    this.tellProblem('camera')
    if (!track) {
      this.local.state.cameraOn = false
      if (this.state.phase === 'live' && !this.state.sharing)
        void this.port.call('room.video', { on: false }).catch(() => undefined)
      return
    }
    const sender = this.port.peer().sender('camera')
    if (sender) {
      await sender.sender.replaceTrack(track)
      await this.fitLayers()
      return this.tellSource('camera', true)
    }
    this.port.peer().addCamera(track, this.local.stream, this.local.effective)
    this.state.cameraPublished = true
    await this.port.renegotiate(false)
    this.fitModes()
  }

  async setQuality(quality: OwnQuality): Promise<void> {
    await this.local.setQuality(quality)
    await this.fitLayers()
  }

  /** The camera's layers, by its present size and what the others watch. */
  fitLayers(): Promise<void> {
    const { width = 0, height = 0 } = this.local.tracks.camera?.getSettings() ?? {}
    const fitting = cameraEncodings(
      this.port.peer().cameraCodec,
      this.local.effective,
      width,
      height,
      this.spatial,
      this.unwatched,
      this.lossy,
    )
    const over = overCeiling(width, height, this.state.limits.tier_max) // a camera that cannot do less
    return this.changeSender('camera', (encoding, i) => {
      const { active, scaleResolutionDownBy = 1, ...rest } = fitting[i] ?? encoding
      withoutMode(encoding)
      Object.assign(encoding, rest, {
        scaleResolutionDownBy: scaleResolutionDownBy * over,
        active: (active ?? true) && (this.watched[i] ?? true),
      })
    })
  }

  async startScreen(): Promise<void> {
    const track = await this.local.openScreen()
    if (!track) return
    if (!(await this.takePlace())) return this.local.closeScreen()
    this.state.sharing = true
    const sender = this.port.peer().sender('screen')
    if (sender) {
      await sender.sender.replaceTrack(track)
      await this.fitScreen()
      return this.tellSource('screen', true)
    }
    this.port.peer().addScreen(track, new MediaStream([track]))
    await this.fitScreen()
    await this.port.renegotiate(false)
  }

  async stopScreen(): Promise<void> {
    this.local.closeScreen()
    this.state.sharing = false
    await this.port.peer().sender('screen')?.sender.replaceTrack(null)
    this.tellSource('screen', false)
  }

  publishTracks(peer: Peer): void {
    const { mic, camera, screen } = this.local.tracks
    if (mic) peer.addMic(mic, this.local.stream)
    if (camera) peer.addCamera(camera, this.local.stream, this.local.effective)
    if (screen) peer.addScreen(screen, new MediaStream([screen]))
    this.state.micPublished = mic !== null
    this.state.cameraPublished = camera !== null
  }

  noteLoss(loss: number): void {
    const now = performance.now()
    if (loss >= LOSSY) this.lossyAt = now
    const lossy = now - this.lossyAt < LOSSY_MS
    if (lossy === this.lossy) return
    this.lossy = lossy
    void this.fitLayers()
  }

  tellSource(source: Source, on: boolean): void {
    if (this.state.self) this.state.self.sources[source] = on
    void this.port.call('room.source', { source, on }).catch((error: unknown) => {
      if (!on || !(error instanceof RpcError) || (error.code !== CODE.forbidden && error.code !== CODE.full)) return
      this.switchedOff(source)
      this.refusedToSend(error)
    })
  }

  private refusedToSend(error: RpcError): void {
    if (error.code === CODE.full) this.port.tell('video_full', { n: this.state.limits.video_max }, true)
    else this.port.tell('host_decides', {}, true)
  }

  /** The server has this source off already. */
  switchedOff(source: Source): void {
    const { state, local } = this
    if (state.self && state.self.sources[source] !== undefined) state.self.sources[source] = false
    if (source === 'mic') {
      if (this.micMissing) this.micMissing.on = false
      return local.setMicOn(false)
    }
    if (source === 'camera') {
      local.state.cameraOn = false
      local.closeCamera()
    } else if (source === 'screen') {
      local.closeScreen()
      state.sharing = false
    }
    void this.port.peer().sender(source)?.sender.replaceTrack(null)
  }

  /** Before a picture is sent: a listener takes one of the places with video. */
  private async takePlace(): Promise<boolean> {
    if (this.state.phase !== 'live' || this.state.limits.may_video) return true
    try {
      const { limits } = await this.port.call<{ limits: Limits }>('room.video', { on: true })
      this.state.limits = limits
      return true
    } catch (error) {
      if (error instanceof RpcError) this.refusedToSend(error)
      return false
    }
  }

  /** What the room let this person send when it was entered may be less than what is switched on. */
  async obey({ self, settings, limits }: Pick<JoinAnswer, 'self' | 'settings' | 'limits'>): Promise<void> {
    const { local, state } = this
    const { mic, camera } = self.sources
    if (mic === false && state.micPublished && local.state.micOn) {
      if (settings.unmute === 'host' && !self.host) {
        local.setMicOn(false)
        this.port.tell('host_decides', {}, true)
      } else this.tellSource('mic', true)
    }
    if (camera === false && local.tracks.camera) {
      if (limits.may_video) this.tellSource('camera', true)
      else {
        this.switchedOff('camera')
        this.port.tell('video_full', { n: limits.video_max }, true)
      }
    }
    if (limits.tier_max !== '4k') await this.lower()
  }

  /**
   * The room has another codec. Everybody is in the call already: first their slots learn it, not all at one time, then the cameras go over to it, so that
   * nobody is sent what he has not agreed to.
   */
  takeCodec(codec: RoomCodec): void {
    clearTimeout(this.codecTimer)
    this.codec = codec
    const spread = Math.random() * CODEC_SPREAD_MS
    const camera = () => void this.moveCamera()
    const slots = () => {
      if (this.port.peer().setCodec(codec)) void this.port.renegotiate(false)
      this.codecTimer = setTimeout(camera, CODEC_CAMERA_MS - spread)
    }
    this.codecTimer = setTimeout(slots, spread)
  }

  /** Chromium forgets modes and resting layers when it first negotiates a camera. */
  fitModes(): void {
    if (this.port.peer().cameraCodec === 'vp9' || this.port.peer().cameraCodec === 'av1') void this.fitLayers()
  }

  private async moveCamera(): Promise<void> {
    if (!this.port.peer().moveCamera()) return
    this.unwatched = 0 // the server begins anew, too
    await this.changeSender('camera', withoutMode) // of the codec before
    await this.port.renegotiate(false)
    await this.fitLayers()
  }

  /** Sends nothing above the ceiling. Layers that nobody could watch because they were too large are sent again, smaller. */
  async lower(): Promise<void> {
    this.watched = []
    clearTimeout(this.watchedTimer)
    this.watchedTimer = setTimeout(() => {
      this.watched = this.watchedTold
      void this.fitLayers()
    }, WATCHED_AGAIN_MS)
    await this.local.applyQuality()
    await this.fitLayers()
    await this.fitScreen()
  }

  private fitScreen(): Promise<void> {
    const { width = 0, height = 0 } = this.local.tracks.screen?.getSettings() ?? {}
    const scaleResolutionDownBy = overCeiling(width, height, this.state.limits.tier_max)
    return this.changeSender('screen', (encoding) => Object.assign(encoding, { scaleResolutionDownBy }))
  }

  /** Changes of a sender's parameters must not overlap. */
  private changeSender(
    source: Source,
    change: (encoding: RTCRtpEncodingParameters, index: number) => void,
  ): Promise<void> {
    this.senderWork = this.senderWork
      .then(async () => {
        const sender = this.port.peer().sender(source)?.sender
        if (!sender) return
        const parameters = sender.getParameters()
        parameters.encodings?.forEach(change)
        await sender.setParameters(parameters)
      })
      .catch(() => undefined)
    return this.senderWork
  }
}
