/*
 * A person's stay in a room: joins, keeps the picture of who is there, and heals by itself.
 *
 *   WebSocket lost     → it comes back by itself (rpc.ts) → room.join with `resume` and an ICE restart
 *   ICE disconnected   → is the WebSocket alive? yes: room.offer with an ICE restart; no: as above
 *   another network    → the same at once, before ICE notices
 *   participant gone   → error 1004 → a new PeerConnection joins anew
 *   two restarts in vain → leaves and joins anew with a new PeerConnection
 */
import { markRaw, reactive, shallowRef } from 'vue'
import { LocalMedia } from './local'
import { onNetworkChange } from './network'
import { Patience, patienceMs, VOICE_LAG_MS } from './patience'
import { AUDIO_SLOTS, Peer } from './peer'
import { Moderation, type Tell } from '../host/moderation'
import {
  CODE,
  type JoinAnswer,
  type Limits,
  type Participant,
  type QualityRow,
  type RoomCodec,
  type RoomFacts,
  type SharedFile,
  type SlotNote,
  type Source,
} from './protocol'
import { cameraEncodings, overCeiling, type OwnQuality } from './quality'
import { Disconnected, Rpc, RpcError } from './rpc'
import { Shower } from '../stage/show'

export type Phase = 'new' | 'joining' | 'waiting' | 'live' | 'reconnecting' | 'ended'
export type EndReason =
  | 'left'
  | 'removed'
  | 'refused'
  | 'locked'
  | 'replaced'
  | 'closed'
  | 'full'
  | 'forbidden'
  | 'not_found'
  | 'unauthorized'
  | 'sdp'
  | 'failed'

const ICE_GRACE_MS = 1200
const ICE_PATIENCE_MS = 8000
const PROBE_MS = 2000
const MAX_RESTARTS = 2
const ROOM_WAIT_MS = 3000
const WATCHED_AGAIN_MS = 5000
const REPEATS_EVERY_MS = 2000
/** Share of packets lost on the way up from which on the camera is sent without temporal layers, and for how long after that. */
const LOSSY = 0.02
const LOSSY_MS = 30000
/** Another codec: within the first everybody gets ready to receive it, after the second cameras go over to it. */
const CODEC_SPREAD_MS = 800
const CODEC_CAMERA_MS = 1500

function wait(receiver: RTCRtpReceiver, ms: number): void {
  if ('jitterBufferTarget' in receiver && (receiver.jitterBufferTarget ?? 0) !== ms)
    receiver.jitterBufferTarget = ms || null
}

function withoutMode(encoding: RTCRtpEncodingParameters & { scalabilityMode?: string }): void {
  delete encoding.scalabilityMode
}

export class RoomSession {
  readonly state = reactive({
    phase: 'new' as Phase,
    endReason: null as EndReason | null,
    endDetail: '',
    me: '',
    self: null as Participant | null,
    people: [] as Participant[],
    speaker: null as string | null,
    quality: {} as Record<string, QualityRow>,
    limits: { video_slots: 4, tier_max: '4k', may_video: true, video_max: 30, voice_max: 200 } as Limits,
    /** Why this person waits before the door. */
    waiting: 'lobby' as 'lobby' | 'removed',
    micPublished: false,
    cameraPublished: false,
    sharing: false,
    /** Counts changes of what slots show. */
    slotVersion: 0,
    since: 0,
  })
  readonly peer = shallowRef(markRaw(new Peer()))
  readonly show: Shower
  readonly rpc: Rpc
  readonly moderation: Moderation
  /** Says something to the person in passing. */
  tellTo(tell: Tell): void {
    this.teller = tell
    for (const one of this.untold.splice(0)) tell(...one)
  }
  /** The latest shared view, for whoever looks later. */
  view: SharedFile | null = null
  /** Tells what view is shared now, and every one to come. */
  followView(follow: (view: SharedFile | null) => void): void {
    this.viewer = follow
    follow(this.view)
  }

  private viewer: ((view: SharedFile | null) => void) | null = null
  private teller: Tell | null = null
  /** Said before anybody could show it. */
  private readonly untold: Parameters<Tell>[] = []
  private codec: RoomCodec = 'vp8'
  private resume: string | null = null
  private iceServers: RTCIceServer[] = []
  private roomKnown: Promise<void> = Promise.resolve()
  /** Which of the camera's layers somebody watches, as the server said last. */
  private watched: boolean[] = []
  private watchedTold: boolean[] = []
  /** Every receiver can take one stream's spatial layers apart. */
  private spatial = true
  /** So many of the largest of those layers nobody watches. */
  private unwatched = 0
  private negotiation: Promise<void> = Promise.resolve()
  private senderWork: Promise<void> = Promise.resolve()
  private iceTimer: ReturnType<typeof setTimeout> | undefined
  private waitTimer: ReturnType<typeof setTimeout> | undefined
  private watchedTimer: ReturnType<typeof setTimeout> | undefined
  private repeatsTimer: ReturnType<typeof setInterval> | undefined
  private codecTimer: ReturnType<typeof setTimeout> | undefined
  private readonly patience: Patience[] = []
  private lossyAt = -Infinity
  private lossy = false
  private wasConnected = false
  private healing = false
  private restarts = 0
  private readonly networkWatch: () => void

  constructor(
    private readonly room: string,
    private readonly device: 'desktop' | 'phone',
    readonly local: LocalMedia,
    private videoSlots: number,
  ) {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    this.rpc = new Rpc(`${scheme}://${location.host}/ws`)
    this.show = new Shower({
      mid: (slot) => this.peer.value.videoSlots[slot]?.transceiver.mid ?? null,
      call: async (slots, tier_max) => void (await this.rpc.call('room.show', { slots, tier_max })),
      changed: () => void this.state.slotVersion++,
      now: () => performance.now(),
    })
    this.moderation = new Moderation({
      call: (method, params) => this.rpc.call(method, params),
      on: (method, handler) => this.rpc.on(method, handler),
      me: () => this.state.me,
      person: (id) => this.person(id),
      everybody: () => [...(this.state.self ? [this.state.self] : []), ...this.state.people],
      switchedOff: (source) => this.switchedOff(source),
      limits: (limits) => this.takeLimits(limits),
      codec: (codec) => this.takeCodec(codec),
      tell: (key, params, warning) => this.tell(key, params, warning),
    })
    this.prepare(this.peer.value)
    this.listen()
    this.networkWatch = onNetworkChange(() => void this.networkChanged())
    local.onCameraEnded = () => void this.setCamera(false)
    local.onScreenEnded = () => void this.stopScreen()
  }

  /** While the person looks at the device check, the slow part is done already. */
  async warmUp(): Promise<void> {
    await this.peer.value.warmUp().catch(() => undefined)
  }

  enter(): void {
    this.state.phase = 'joining'
    this.rpc.onopen = () => void this.join()
    this.rpc.onlost = () => this.lost()
    void this.roomKnown.then(() => {
      if (this.state.phase !== 'joining') return
      this.publishTracks(this.peer.value)
      this.rpc.connect()
    })
  }

  async leave(): Promise<void> {
    if (this.rpc.isOpen) await this.rpc.call('room.leave', {}, 1500).catch(() => undefined)
    this.end('left')
  }

  /** The page goes away: no time to wait for an answer. */
  leaveNow(): void {
    this.rpc.notify('room.leave', {})
    this.end('left')
  }

  setMic(on: boolean): void {
    this.local.setMicOn(on)
    if (this.state.micPublished) this.tellSource('mic', on)
  }

  async openMic(id: string | null): Promise<void> {
    const track = await this.local.openMic(id)
    const sender = this.peer.value.sender('mic')
    if (sender) await sender.sender.replaceTrack(track)
    else if (track) {
      this.peer.value.addMic(track, this.local.stream)
      this.state.micPublished = true
      await this.renegotiate(false)
    }
  }

  async setCamera(on: boolean, id: string | null = this.local.state.cameraId): Promise<void> {
    this.local.state.cameraOn = on
    if (!on) {
      this.local.closeCamera()
      await this.peer.value.sender('camera')?.sender.replaceTrack(null)
      return this.tellSource('camera', false)
    }
    if (!(await this.takePlace())) return void (this.local.state.cameraOn = false)
    const track = await this.local.openCamera(id)
    if (!track) {
      this.local.state.cameraOn = false
      if (this.state.phase === 'live' && !this.state.sharing)
        void this.rpc.call('room.video', { on: false }).catch(() => undefined)
      return
    }
    const sender = this.peer.value.sender('camera')
    if (sender) {
      await sender.sender.replaceTrack(track)
      await this.fitLayers()
      return this.tellSource('camera', true)
    }
    this.peer.value.addCamera(track, this.local.stream, this.local.effective)
    this.state.cameraPublished = true
    await this.renegotiate(false)
    this.fitModes()
  }

  async setQuality(quality: OwnQuality): Promise<void> {
    await this.local.setQuality(quality)
    await this.fitLayers()
  }

  /** The camera's layers, by its present size and what the others watch. */
  private fitLayers(): Promise<void> {
    const { width = 0, height = 0 } = this.local.tracks.camera?.getSettings() ?? {}
    const fitting = cameraEncodings(
      this.peer.value.cameraCodec,
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
    const sender = this.peer.value.sender('screen')
    if (sender) {
      await sender.sender.replaceTrack(track)
      await this.fitScreen()
      return this.tellSource('screen', true)
    }
    this.peer.value.addScreen(track, new MediaStream([track]))
    await this.fitScreen()
    await this.renegotiate(false)
  }

  async stopScreen(): Promise<void> {
    this.local.closeScreen()
    this.state.sharing = false
    await this.peer.value.sender('screen')?.sender.replaceTrack(null)
    this.tellSource('screen', false)
  }

  /** More pictures are to be seen than there are slots. */
  async growSlots(count: number): Promise<void> {
    const wanted = Math.min(count, this.state.limits.video_slots)
    if (wanted <= this.videoSlots || this.state.phase !== 'live') return
    this.videoSlots = wanted
    if (!this.peer.value.growVideoSlots(wanted)) return
    this.show.resize(wanted)
    await this.renegotiate(false)
    this.state.slotVersion++
  }

  get slotCount(): number {
    return this.peer.value.videoSlots.filter((slot) => slot.transceiver.mid !== null).length
  }

  /** Relays and codec are needed before the offer; who enters quickly waits for them, but not for ever. */
  useRoom(known: Promise<RoomFacts>): void {
    const taken = known.then(({ ice_servers, codec }) => {
      this.iceServers = ice_servers
      this.codec = codec
      if (this.state.phase === 'live') return
      this.peer.value.useIceServers(ice_servers)
      this.peer.value.setCodec(codec)
    })
    this.roomKnown = Promise.race([
      taken.catch(() => undefined),
      new Promise<void>((resolve) => setTimeout(resolve, ROOM_WAIT_MS)),
    ])
  }

  private prepare(peer: Peer): void {
    peer.useIceServers(this.iceServers)
    peer.setCodec(this.codec)
    peer.addAudioSlots(AUDIO_SLOTS)
    peer.growVideoSlots(this.videoSlots)
    this.show.resize(this.videoSlots)
    peer.pc.oniceconnectionstatechange = peer.pc.onconnectionstatechange = () => this.connectionChanged(peer)
    this.wasConnected = false
  }

  private publishTracks(peer: Peer): void {
    const { mic, camera, screen } = this.local.tracks
    if (mic) peer.addMic(mic, this.local.stream)
    if (camera) peer.addCamera(camera, this.local.stream, this.local.effective)
    if (screen) peer.addScreen(screen, new MediaStream([screen]))
    this.state.micPublished = mic !== null
    this.state.cameraPublished = camera !== null
  }

  private freshPeer(): void {
    clearTimeout(this.iceTimer)
    this.peer.value.close()
    const peer = markRaw(new Peer())
    this.peer.value = peer
    this.resume = null
    this.watched = this.watchedTold = []
    this.spatial = true
    this.unwatched = 0
    this.prepare(peer)
    this.publishTracks(peer)
    this.show.restart()
  }

  private listen(): void {
    const { rpc, state } = this
    rpc.on<Participant>('room.joined', (person) => this.put(person))
    rpc.on<{ participant: string; cause: string; by?: string }>('room.left', ({ participant, cause, by }) => {
      if (participant === state.me && cause === 'removed')
        return this.end('removed', this.moderation.nameOf(by ?? null))
      state.people = state.people.filter((person) => person.id !== participant)
      if (state.speaker === participant) state.speaker = null
    })
    rpc.on<{ participant: string; source: Source; on: boolean | null; by?: string }>(
      'room.source',
      ({ participant, source, on, by }) => {
        const person = this.person(participant)
        if (!person) return
        if (by && participant === state.me && on === false) this.moderation.switchedOff(source, by)
        if (on === null) delete person.sources[source]
        else person.sources[source] = on
      },
    )
    rpc.on<SlotNote>('room.slot', (note) => this.show.announce(note))
    rpc.on<{ participant: string | null }>(
      'room.speaker',
      ({ participant }) => void (state.speaker = participant || null),
    )
    rpc.on<{ source: Source; rids: boolean[]; spatial: boolean; unwatched: number }>(
      'room.layers',
      ({ source, rids, spatial, unwatched }) => {
        if (source !== 'camera') return
        clearTimeout(this.watchedTimer)
        this.watched = this.watchedTold = rids
        this.spatial = spatial
        this.unwatched = unwatched
        void this.fitLayers()
      },
    )
    rpc.on<{ participants: QualityRow[] }>('room.quality', ({ participants }) => {
      for (const row of participants) state.quality[row.id] = row
    })
    rpc.on<{ participant: string; on: boolean }>('room.video', ({ participant, on }) => {
      const person = this.person(participant)
      if (person) person.video = on
      if (participant === state.me) state.limits.may_video = on
    })
    rpc.on('room.admitted', () => this.admitted())
    rpc.on('room.refused', () => this.state.phase === 'waiting' && this.end('refused'))
    rpc.on('room.replaced', () => this.end('replaced'))
    rpc.on<{ reason: string }>('room.closed', ({ reason }) => this.end('closed', reason))
    rpc.on<SharedFile | null>('view.opened', (view) => this.takeView(view))
  }

  /** Every picture, and the voice that is in sync with the large one, waits as long as lost packets take to come again. */
  private waitForRepeats(): void {
    const { quality, me } = this.state
    this.noteLoss(quality[me]?.up_loss ?? 0)
    const { videoSlots, audioSlots } = this.peer.value
    videoSlots.forEach(({ transceiver }, slot) => {
      const sender = this.show.claim(slot)?.asked?.participant
      const patience = (this.patience[slot] ??= new Patience())
      const ms = patience.take(sender ? patienceMs(quality[sender], quality[me]) : 0, performance.now())
      const voice = slot === 0 ? audioSlots[0] : undefined
      wait(transceiver.receiver, ms)
      if (voice) wait(voice.transceiver.receiver, Math.max(0, ms - VOICE_LAG_MS))
    })
  }

  private noteLoss(loss: number): void {
    const now = performance.now()
    if (loss >= LOSSY) this.lossyAt = now
    const lossy = now - this.lossyAt < LOSSY_MS
    if (lossy === this.lossy) return
    this.lossy = lossy
    void this.fitLayers()
  }

  private takeView(view: SharedFile | null): void {
    this.view = view && view.file ? view : null
    this.viewer?.(this.view)
  }

  private put(person: Participant): void {
    if (person.id === this.state.me) return
    const at = this.state.people.findIndex((p) => p.id === person.id)
    if (at < 0) this.state.people.push(person)
    else this.state.people[at] = person
  }

  /** One offer at a time. */
  private exclusive(work: () => Promise<void>): Promise<void> {
    const next = this.negotiation.then(work)
    this.negotiation = next.catch(() => undefined)
    return next
  }

  private join(): Promise<void> {
    return this.exclusive(() => this.joinOnce()).catch((error: unknown) => {
      if (error instanceof Disconnected) this.rpc.drop()
      else this.end('failed', error instanceof Error ? error.message : '')
    })
  }

  private async joinOnce(): Promise<void> {
    if (this.state.phase === 'ended') return
    const peer = this.peer.value
    const restart = this.resume !== null && this.wasConnected
    if (restart) peer.useIceServers(this.iceServers)
    const { offer, sections } = await peer.offer(restart)
    const params = {
      room: this.room,
      device: this.device,
      offer,
      sections,
      ...(this.resume ? { resume: this.resume } : {}),
    }
    let answer: JoinAnswer
    try {
      answer = await this.rpc.call<JoinAnswer>('room.join', params)
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      return this.joinRefused(error)
    }
    await peer.answer(answer.answer)
    this.joined(answer)
  }

  private async joinRefused(error: RpcError): Promise<void> {
    if (this.resume && (error.code === CODE.notFound || error.code === CODE.conflict || error.code === CODE.badSdp)) {
      this.freshPeer()
      return this.joinOnce()
    }
    if (error.code === CODE.door) return this.keptOut(error)
    if (error.code === CODE.busy) {
      await new Promise((resolve) => setTimeout(resolve, error.data.retry_ms ?? 1000))
      return this.joinOnce()
    }
    const reasons: Record<number, EndReason> = {
      [CODE.unauthorized]: 'unauthorized',
      [CODE.forbidden]: 'forbidden',
      [CODE.notFound]: 'not_found',
      [CODE.full]: 'full',
      [CODE.badSdp]: 'sdp',
    }
    this.end(reasons[error.code] ?? 'failed', error.data.detail ?? error.message)
  }

  private joined(answer: JoinAnswer): void {
    const { state, local } = this
    const again = state.me === answer.participant
    state.me = answer.participant
    this.iceServers = answer.ice_servers // fresh credentials, for the next restart: a change now would force one
    state.self = answer.self
    state.people = answer.participants.filter((person) => person.id !== answer.participant)
    state.speaker = answer.speaker || null
    state.limits = answer.limits
    local.state.ceiling = answer.limits.tier_max
    this.moderation.entered(answer.settings, answer.knocks)
    this.takeCodec(answer.settings.codec)
    this.fitModes()
    this.resume = answer.resume
    if (!again) state.since ||= Date.now()
    state.phase = 'live'
    this.repeatsTimer ??= setInterval(() => this.waitForRepeats(), REPEATS_EVERY_MS)
    void this.obey(answer)
    if (state.micPublished && !local.state.micOn) this.tellSource('mic', false)
    if (state.cameraPublished && !local.tracks.camera) this.tellSource('camera', false)
    if (this.peer.value.sender('screen') && !local.tracks.screen) this.tellSource('screen', false)
    this.takeView(answer.view)
    this.show.setReady(true)
    this.watchConnection()
  }

  private async renegotiate(restart: boolean): Promise<void> {
    await this.exclusive(async () => {
      if (!this.rpc.isOpen) return
      const peer = this.peer.value
      if (restart) peer.useIceServers(this.iceServers)
      const { offer, sections } = await peer.offer(restart)
      const { answer } = await this.rpc.call<{ answer: string }>('room.offer', { offer, sections })
      await peer.answer(answer)
    }).catch((error: unknown) => {
      if (error instanceof RpcError && error.code === CODE.notFound) return this.rejoin()
      if (error instanceof RpcError && error.code === CODE.busy)
        return new Promise<void>((resolve) => setTimeout(resolve, error.data.retry_ms ?? 1000)).then(() =>
          this.renegotiate(restart),
        )
      if (error instanceof Disconnected) this.rpc.drop()
      else console.warn('offer refused', error)
      return undefined
    })
  }

  private rejoin(): Promise<void> {
    if (this.state.phase === 'ended') return Promise.resolve()
    this.state.phase = 'reconnecting'
    this.show.setReady(false)
    this.freshPeer()
    return this.join()
  }

  private async startOver(): Promise<void> {
    this.restarts = 0
    await this.rpc.call('room.leave', {}, 1500).catch(() => undefined)
    await this.rejoin()
  }

  private lost(): void {
    if (this.state.phase === 'ended') return
    this.state.phase = this.state.me ? 'reconnecting' : 'joining'
    this.show.setReady(false)
  }

  private connectionChanged(peer: Peer): void {
    if (peer !== this.peer.value || this.state.phase === 'ended') return
    const { iceConnectionState: ice, connectionState: whole } = peer.pc
    if (whole === 'connected') {
      clearTimeout(this.iceTimer)
      this.wasConnected = true
      this.restarts = 0
      if (this.state.phase === 'reconnecting' && this.rpc.isOpen) this.state.phase = 'live'
    } else if (ice === 'failed' || whole === 'failed') void this.heal()
    else if (ice === 'disconnected') {
      clearTimeout(this.iceTimer)
      this.iceTimer = setTimeout(() => void this.heal(), ICE_GRACE_MS)
      void this.rpc.probe(PROBE_MS) // a change of network took both: no need to find that out one after the other
    }
  }

  /** After an answer the media must come; if it does not, try again. */
  private watchConnection(): void {
    clearTimeout(this.iceTimer)
    this.iceTimer = setTimeout(() => {
      if (this.peer.value.pc.connectionState !== 'connected') void this.heal()
    }, ICE_PATIENCE_MS)
  }

  /** The connection may live on for a while where it is; the restart finds the better way meanwhile. */
  private async networkChanged(): Promise<void> {
    if (this.healing || this.state.phase !== 'live' || !this.wasConnected) return
    if (!(await this.rpc.probe(PROBE_MS))) return // a new connection joins again, with a restart
    if ((this.state.phase as Phase) !== 'live') return
    await this.renegotiate(true)
    this.watchConnection()
  }

  private async heal(): Promise<void> {
    if (this.healing || this.state.phase === 'ended') return
    this.healing = true
    const peer = this.peer.value
    try {
      this.state.phase = 'reconnecting'
      if (!(await this.rpc.probe(PROBE_MS))) return // a new connection joins again
      if (peer !== this.peer.value) return // that has happened already
      // an ICE restart that did not help, twice: this PeerConnection is beyond repair
      const { connectionState, iceConnectionState } = peer.pc
      const dtlsDead = connectionState === 'failed' && iceConnectionState !== 'failed'
      if (dtlsDead || ++this.restarts > MAX_RESTARTS) await this.startOver()
      else await this.renegotiate(true)
      this.watchConnection()
    } finally {
      this.healing = false
      // a connection that never broke tells of no change
      const mended =
        this.peer.value.pc.connectionState === 'connected' && this.peer.value.pc.iceConnectionState !== 'disconnected'
      if (mended && this.rpc.isOpen && (this.state.phase as Phase) === 'reconnecting') this.state.phase = 'live'
    }
  }

  private tellSource(source: Source, on: boolean): void {
    if (this.state.self) this.state.self.sources[source] = on
    void this.rpc.call('room.source', { source, on }).catch((error: unknown) => {
      if (!on || !(error instanceof RpcError) || (error.code !== CODE.forbidden && error.code !== CODE.full)) return
      this.switchedOff(source)
      this.refusedToSend(error)
    })
  }

  private tell(...what: Parameters<Tell>): void {
    if (this.teller) this.teller(...what)
    else this.untold.push(what)
  }

  private refusedToSend(error: RpcError): void {
    if (error.code === CODE.full) this.tell('video_full', { n: this.state.limits.video_max }, true)
    else this.tell('host_decides', {}, true)
  }

  private person(id: string): Participant | undefined {
    return (id === this.state.me ? this.state.self : this.state.people.find((p) => p.id === id)) ?? undefined
  }

  /** The server has this source off already. */
  private switchedOff(source: Source): void {
    const { state, local } = this
    if (state.self && state.self.sources[source] !== undefined) state.self.sources[source] = false
    if (source === 'mic') return local.setMicOn(false)
    if (source === 'camera') {
      local.state.cameraOn = false
      local.closeCamera()
    } else if (source === 'screen') {
      local.closeScreen()
      state.sharing = false
    }
    void this.peer.value.sender(source)?.sender.replaceTrack(null)
  }

  /** Before a picture is sent: a listener takes one of the places with video. */
  private async takePlace(): Promise<boolean> {
    if (this.state.phase !== 'live' || this.state.limits.may_video) return true
    try {
      const { limits } = await this.rpc.call<{ limits: Limits }>('room.video', { on: true })
      this.state.limits = limits
      return true
    } catch (error) {
      if (error instanceof RpcError) this.refusedToSend(error)
      return false
    }
  }

  /** What the room let this person send when it was entered may be less than what is switched on. */
  private async obey(answer: JoinAnswer): Promise<void> {
    const { local, state } = this
    const { mic, camera } = answer.self.sources
    if (mic === false && state.micPublished && local.state.micOn) {
      if (answer.settings.unmute === 'host' && !answer.self.host) {
        local.setMicOn(false)
        this.tell('host_decides', {}, true)
      } else this.tellSource('mic', true)
    }
    if (camera === false && local.tracks.camera) {
      if (answer.limits.may_video) this.tellSource('camera', true)
      else {
        this.switchedOff('camera')
        this.tell('video_full', { n: answer.limits.video_max }, true)
      }
    }
    if (answer.limits.tier_max !== '4k') await this.lower()
  }

  private takeLimits(limits: Limits): void {
    const { state, local } = this
    const before = state.limits.tier_max
    state.limits = limits
    if (before === limits.tier_max) return
    local.state.ceiling = limits.tier_max
    this.tell(limits.tier_max === '4k' ? 'ceiling_off' : 'ceiling', { tier: limits.tier_max })
    void this.lower()
  }

  /**
   * The room has another codec. Everybody is in the call already: first their slots learn it, not all at one time, then the cameras go over to it, so that
   * nobody is sent what he has not agreed to.
   */
  private takeCodec(codec: RoomCodec): void {
    clearTimeout(this.codecTimer)
    this.codec = codec
    const spread = Math.random() * CODEC_SPREAD_MS
    const camera = () => void this.moveCamera()
    const slots = () => {
      if (this.peer.value.setCodec(codec)) void this.renegotiate(false)
      this.codecTimer = setTimeout(camera, CODEC_CAMERA_MS - spread)
    }
    this.codecTimer = setTimeout(slots, spread)
  }

  /** Chromium forgets modes and resting layers when it first negotiates a camera. */
  private fitModes(): void {
    if (this.peer.value.cameraCodec === 'vp9' || this.peer.value.cameraCodec === 'av1') void this.fitLayers()
  }

  private async moveCamera(): Promise<void> {
    if (!this.peer.value.moveCamera()) return
    this.unwatched = 0 // the server begins anew, too
    await this.changeSender('camera', withoutMode) // of the codec before
    await this.renegotiate(false)
    await this.fitLayers()
  }

  /** Sends nothing above the ceiling. Layers that nobody could watch because they were too large are sent again, smaller. */
  private async lower(): Promise<void> {
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

  /** The door is closed to this person: locked, or wait until a host opens. */
  private keptOut(error: RpcError): void {
    if (error.data.reason !== 'lobby' && error.data.reason !== 'removed') return this.end('locked')
    this.state.waiting = error.data.reason
    this.state.phase = 'waiting'
    clearTimeout(this.waitTimer)
    if (error.data.retry_ms) this.waitTimer = setTimeout(() => this.admitted(), error.data.retry_ms + 200)
  }

  private admitted(): void {
    clearTimeout(this.waitTimer)
    if (this.state.phase !== 'waiting') return
    this.state.phase = 'joining'
    void this.join()
  }

  /** Changes of a sender's parameters must not overlap. */
  private changeSender(
    source: Source,
    change: (encoding: RTCRtpEncodingParameters, index: number) => void,
  ): Promise<void> {
    this.senderWork = this.senderWork
      .then(async () => {
        const sender = this.peer.value.sender(source)?.sender
        if (!sender) return
        const parameters = sender.getParameters()
        parameters.encodings?.forEach(change)
        await sender.setParameters(parameters)
      })
      .catch(() => undefined)
    return this.senderWork
  }

  private end(reason: EndReason, detail = ''): void {
    if (this.state.phase === 'ended') return
    this.state.phase = 'ended'
    this.state.endReason = reason
    this.networkWatch()
    this.state.endDetail = detail
    clearTimeout(this.iceTimer)
    clearTimeout(this.waitTimer)
    clearTimeout(this.watchedTimer)
    clearInterval(this.repeatsTimer)
    clearTimeout(this.codecTimer)
    this.show.setReady(false)
    this.rpc.close()
    this.peer.value.close()
    this.local.close()
  }
}
