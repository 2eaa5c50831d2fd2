/* A person's stay in a room: joins, keeps the picture of who is there. What is sent is publishing.ts, how it heals healing.ts. */
import { markRaw, shallowRef } from 'vue'
import { Ending, type EndingReason } from './ending'
import { Healing } from './healing'
import { LocalMedia } from './local'
import { Patience, patienceMs, VOICE_LAG_MS } from './patience'
import { AUDIO_SLOTS, Peer } from './peer'
import { Chat } from '../chat/chat'
import { Moderation, type Tell } from '../host/moderation'
import {
  CODE,
  type JoinAnswer,
  type Limits,
  type Participant,
  type QualityRow,
  type RoomFacts,
  type SharedFile,
  type SlotNote,
  type Source,
} from './protocol'
import { Publishing, type Watched } from './publishing'
import { Disconnected, Rpc, RpcError } from './rpc'
import { roomState, type EndReason, type Phase } from './state'
import { Shower } from '../stage/show'

const ROOM_WAIT_MS = 3000
const REPEATS_EVERY_MS = 2000

function wait(receiver: RTCRtpReceiver, ms: number): void {
  if ('jitterBufferTarget' in receiver && (receiver.jitterBufferTarget ?? 0) !== ms)
    receiver.jitterBufferTarget = ms || null
}

export class RoomSession {
  readonly state = roomState()
  readonly peer = shallowRef(markRaw(new Peer()))
  readonly show: Shower
  readonly rpc: Rpc
  readonly moderation: Moderation
  readonly publishing: Publishing
  readonly chat: Chat
  /** The consultation is over, and the room soon. */
  readonly ending = new Ending(() => void this.leave('ended'))
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
  private resume: string | null = null
  /** Of a stay of this page that is given up: the server takes it for nobody else. */
  private former: string | null = null
  private elsewhere: 'ask' | 'move' = 'ask'
  private iceServers: RTCIceServer[] = []
  private roomKnown: Promise<void> = Promise.resolve()
  private negotiation: Promise<void> = Promise.resolve()
  private waitTimer: ReturnType<typeof setTimeout> | undefined
  private repeatsTimer: ReturnType<typeof setInterval> | undefined
  private readonly patience: Patience[] = []
  private readonly healing: Healing

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
      switchedOff: (source) => this.publishing.switchedOff(source),
      limits: (limits) => this.takeLimits(limits),
      codec: (codec) => this.publishing.takeCodec(codec),
      tell: (key, params, warning) => this.tell(key, params, warning),
    })
    this.chat = new Chat(
      {
        call: (method, params) => this.rpc.call(method, params),
        on: (method, handler) => this.rpc.on(method, handler),
        me: () => this.state.self?.user ?? '',
        tell: (key, params, warning) => this.tell(key, params, warning),
      },
      `chat.${room}`,
    )
    this.publishing = new Publishing(local, this.state, {
      peer: () => this.peer.value,
      call: (method, params) => this.rpc.call(method, params),
      renegotiate: (restart) => this.renegotiate(restart),
      tell: (key, params, warning) => this.tell(key, params, warning),
    })
    this.healing = new Healing(this.state, {
      peer: () => this.peer.value,
      isOpen: () => this.rpc.isOpen,
      call: (method, params, timeoutMs) => this.rpc.call(method, params, timeoutMs),
      probe: (timeoutMs) => this.rpc.probe(timeoutMs),
      rest: () => this.show.setReady(false),
      freshPeer: () => this.freshPeer(),
      join: () => this.join(),
      renegotiate: (restart) => this.renegotiate(restart),
    })
    this.prepare(this.peer.value)
    this.listen()
  }

  /** While the person looks at the device check, the slow part is done already. */
  async warmUp(): Promise<void> {
    await this.peer.value.warmUp().catch(() => undefined)
  }

  enter(): void {
    this.state.phase = 'joining'
    this.rpc.onopen = () => void this.join()
    this.rpc.onlost = () => {
      this.chat.lost()
      this.healing.lost()
    }
    void this.roomKnown.then(() => {
      if (this.state.phase !== 'joining') return
      this.publishing.publishTracks(this.peer.value)
      this.rpc.connect()
    })
  }

  /** The same account's other device or page ends, this one goes on. */
  moveHere(): void {
    if (this.state.phase !== 'elsewhere') return
    this.elsewhere = 'move'
    this.state.phase = 'joining'
    void this.join()
  }

  async leave(reason: EndReason = 'left'): Promise<void> {
    if (this.rpc.isOpen) await this.rpc.call('room.leave', {}, 1500).catch(() => undefined)
    this.end(reason)
  }

  /** The page goes away: no time to wait for an answer. */
  leaveNow(): void {
    this.rpc.notify('room.leave', {})
    this.end('left')
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
      this.publishing.codec = codec
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
    peer.setCodec(this.publishing.codec)
    peer.addAudioSlots(AUDIO_SLOTS)
    peer.growVideoSlots(this.videoSlots)
    this.show.resize(this.videoSlots)
    peer.pc.oniceconnectionstatechange = peer.pc.onconnectionstatechange = () => this.healing.connectionChanged(peer)
    this.healing.startAfresh()
  }

  private freshPeer(): void {
    this.peer.value.close()
    const peer = markRaw(new Peer())
    this.peer.value = peer
    this.former = this.resume ?? this.former
    this.resume = null
    this.publishing.startAfresh()
    this.prepare(peer)
    this.publishing.publishTracks(peer)
    this.show.restart()
  }

  private listen(): void {
    const { rpc, state } = this
    rpc.on<Participant>('room.joined', (person) => this.put(person))
    rpc.on<{ participant: string; cause: string; by?: string | null }>('room.left', ({ participant, cause, by }) => {
      if (participant === state.me && cause === 'removed')
        return by ? this.end('removed', this.moderation.nameOf(by)) : this.end('unassigned')
      // before its time it is a PeerConnection that was given up
      if (participant === state.me && cause === 'closed' && this.ending.due) return this.end('ended')
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
    rpc.on<{ source: Source } & Watched>('room.layers', ({ source, ...watched }) => {
      if (source === 'camera') this.publishing.takeWatched(watched)
    })
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
    rpc.on<{ seconds: number; reason: EndingReason }>('room.ending', (ending) => this.ending.take(ending))
    rpc.on<{ reason: string }>('room.closed', ({ reason }) => this.end(reason === 'ended' ? 'ended' : 'closed', reason))
    rpc.on<{ lasts_ms: number }>('room.begun', ({ lasts_ms }) => this.takeTime(lasts_ms))
    rpc.on<SharedFile | null>('view.opened', (view) => this.takeView(view))
  }

  /** Every picture, and the voice that is in sync with the large one, waits as long as lost packets take to come again. */
  private waitForRepeats(): void {
    const { quality, me } = this.state
    this.publishing.noteLoss(quality[me]?.up_loss ?? 0)
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

  private takeView(view: SharedFile | null): void {
    this.view = view && view.file ? view : null
    this.viewer?.(this.view)
  }

  private takeTime(lasts_ms: number | null): void {
    this.state.since = lasts_ms === null ? null : performance.now() - lasts_ms
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
    const restart = this.resume !== null && this.healing.wasConnected
    if (restart) peer.useIceServers(this.iceServers)
    const { offer, sections } = await peer.offer(restart)
    const params = {
      room: this.room,
      device: this.device,
      offer,
      sections,
      elsewhere: this.elsewhere,
      ...(this.resume ? { resume: this.resume } : this.former ? { former: this.former } : {}),
    }
    let answer: JoinAnswer
    try {
      answer = await this.rpc.call<JoinAnswer>('room.join', params)
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      return this.joinRefused(error)
    }
    // at once: what is told while the answer is being applied, which can take a second, is newer
    this.takeRoom(answer)
    await peer.answer(answer.answer)
    if ((this.state.phase as Phase) !== 'ended') this.joined(answer)
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
    const over = this.ending.state.reason && (error.code === CODE.notFound || error.code === CODE.conflict)
    this.end(over ? 'ended' : (reasons[error.code] ?? 'failed'), error.data.detail ?? error.message)
  }

  /** The room as it was when the server answered. */
  private takeRoom(answer: JoinAnswer): void {
    const { state, local } = this
    state.me = answer.participant
    this.elsewhere = 'ask'
    this.iceServers = answer.ice_servers // fresh credentials, for the next restart: a change now would force one
    this.resume = answer.resume
    state.self = answer.self
    state.people = answer.participants.filter((person) => person.id !== answer.participant)
    state.speaker = answer.speaker || null
    state.limits = answer.limits
    local.state.ceiling = answer.limits.tier_max
    this.moderation.entered(answer.settings, answer.knocks)
    this.takeTime(answer.lasts_ms)
    this.takeView(answer.view)
  }

  /** The call stands: what is sent and seen in it. */
  private joined(answer: JoinAnswer): void {
    const { state } = this
    const { settings } = this.moderation.state
    this.publishing.takeCodec(settings.codec)
    this.publishing.fitModes()
    state.phase = 'live'
    this.repeatsTimer ??= setInterval(() => this.waitForRepeats(), REPEATS_EVERY_MS)
    void this.publishing.obey({ self: state.self ?? answer.self, settings, limits: state.limits })
    this.publishing.tellWhatIsOff()
    this.show.setReady(true)
    this.healing.watchConnection()
    this.chat.connected()
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
      if (error instanceof RpcError && error.code === CODE.notFound) return this.healing.rejoin()
      if (error instanceof RpcError && error.code === CODE.busy)
        return new Promise<void>((resolve) => setTimeout(resolve, error.data.retry_ms ?? 1000)).then(() =>
          this.renegotiate(restart),
        )
      if (error instanceof Disconnected) this.rpc.drop()
      else console.warn('offer refused', error)
      return undefined
    })
  }

  private tell(...what: Parameters<Tell>): void {
    if (this.teller) this.teller(...what)
    else this.untold.push(what)
  }

  private person(id: string): Participant | undefined {
    return (id === this.state.me ? this.state.self : this.state.people.find((p) => p.id === id)) ?? undefined
  }

  private takeLimits(limits: Limits): void {
    const { state, local } = this
    const before = state.limits.tier_max
    state.limits = limits
    if (before === limits.tier_max) return
    local.state.ceiling = limits.tier_max
    this.tell(limits.tier_max === '4k' ? 'ceiling_off' : 'ceiling', { tier: limits.tier_max })
    void this.publishing.lower()
  }

  /** The door is closed to this person: locked, or wait until a host opens. */
  private keptOut(error: RpcError): void {
    if (error.data.reason === 'elsewhere') return void (this.state.phase = 'elsewhere')
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

  private end(reason: EndReason, detail = ''): void {
    if (this.state.phase === 'ended') return
    this.state.phase = 'ended'
    this.state.endReason = reason
    this.state.endDetail = detail
    this.healing.end()
    this.publishing.end()
    this.chat.end()
    this.ending.close()
    clearTimeout(this.waitTimer)
    clearInterval(this.repeatsTimer)
    this.show.setReady(false)
    this.rpc.close()
    this.peer.value.close()
    this.local.close()
  }
}
