/* What hosts do in a room and what it does to this person. Rules are the server's (docs/protocol.md, Hosts); this keeps the picture of them. */
import { reactive } from 'vue'
import {
  CODE,
  type Knock,
  type Limits,
  type Participant,
  type RoomCodec,
  type RoomSettings,
  type Source,
  type Tier,
} from '../call/protocol'
import { RpcError } from '../call/rpc'

/** What the person is told in passing: a key of room.tell and what belongs into the text. */
export type Tell = (key: string, params?: Record<string, string | number>, warning?: boolean) => void

export interface ModerationPort {
  call<T>(method: string, params: object): Promise<T>
  on<T>(method: string, handler: (params: T) => void): void
  me(): string
  person(id: string): Participant | undefined
  everybody(): Participant[]
  /** A host switched a source of this person off. */
  switchedOff(source: Source): void
  limits(limits: Limits): void
  codec(codec: RoomCodec): void
  tell: Tell
}

/** Raised hands first, in the order of raising; then as they came. */
export function byHands(people: readonly Participant[]): Participant[] {
  const raised = people.filter((person) => person.hand !== null && person.hand !== undefined)
  return [
    ...raised.sort((a, b) => (a.hand ?? 0) - (b.hand ?? 0)),
    ...people.filter((person) => !raised.includes(person)),
  ]
}

export type Act = 'mute' | 'ask_mic' | 'camera_off' | 'ask_camera' | 'lower_hand' | 'remove'

/** What a host can do with somebody just now. */
export function actsOn(person: Participant, me: string): Act[] {
  if (person.id === me) return []
  const acts: Act[] = []
  const human = person.kind === 'person'
  if (person.sources.mic) acts.push('mute')
  else if (human) acts.push('ask_mic')
  if (person.sources.camera) acts.push('camera_off')
  else if (human) acts.push('ask_camera')
  if (person.hand) acts.push('lower_hand')
  if (!person.host) acts.push('remove')
  return acts
}

export class Moderation {
  readonly state = reactive({
    settings: { locked: false, lobby: false, unmute: 'all', tier_max: '4k', codec: 'vp8' } as RoomSettings,
    knocks: [] as Knock[],
    /** A host asks this person to switch something on. */
    asked: null as { by: string; source: Source } | null,
  })

  constructor(private readonly port: ModerationPort) {
    const { state } = this
    const person = (id: string) => port.person(id)
    port.on<{ hosts: string[] }>('room.hosts', ({ hosts }) => {
      for (const one of port.everybody()) {
        const host = hosts.includes(one.id)
        if (one.id === port.me() && host && !one.host) port.tell('now_host')
        one.host = host
      }
      if (!person(port.me())?.host) state.knocks = []
    })
    port.on<{ participant: string; at: number | null; by: string }>('room.hand', ({ participant, at, by }) => {
      const who = person(participant)
      if (!who) return
      who.hand = at
      if (at === null && participant === port.me() && by !== participant)
        port.tell('hand_lowered', { name: this.nameOf(by) })
      if (at !== null && participant !== port.me() && person(port.me())?.host)
        port.tell('hand_raised', { name: who.name })
    })
    port.on<{ participant: string; on: boolean }>('room.video', ({ participant, on }) => {
      const who = person(participant)
      if (who) who.video = on
    })
    port.on<{ participant: string; tier_max: Tier }>('room.limit', ({ participant, tier_max }) => {
      const who = person(participant)
      if (who) who.tier_max = tier_max
    })
    port.on<Limits>('room.limits', (limits) => port.limits(limits))
    port.on<RoomSettings & { by: string | null }>('room.settings', ({ by, ...settings }) => this.changed(settings, by))
    port.on<{ knocks: Knock[] }>('room.knock', ({ knocks }) => void (state.knocks = knocks))
    port.on<{ by: string; source: Source }>('room.asked', (asked) => void (state.asked = asked))
  }

  entered(settings: RoomSettings, knocks: Knock[]): void {
    this.state.settings = settings
    this.state.knocks = knocks
  }

  nameOf(id: string | null): string {
    return (id && this.port.person(id)?.name) || ''
  }

  /** room.source with `by`: a host did it. */
  switchedOff(source: Source, by: string): void {
    if (this.state.asked?.source === source) this.state.asked = null
    this.port.switchedOff(source)
    this.port.tell(source === 'mic' ? 'muted_by' : 'picture_off_by', { name: this.nameOf(by) }, true)
  }

  /** Raises one's own hand or puts it down. */
  hand(on: boolean): Promise<void> {
    return this.act('room.hand', { on })
  }

  do(act: Act, person: Participant): Promise<void> {
    const participant = person.id
    switch (act) {
      case 'mute':
        return this.act('room.mute', { participant, source: 'mic', on: false })
      case 'camera_off':
        return this.act('room.mute', { participant, source: 'camera', on: false })
      case 'ask_mic':
        return this.ask(person, 'mic')
      case 'ask_camera':
        return this.ask(person, 'camera')
      case 'lower_hand':
        return this.act('room.hand', { participant, on: false })
      case 'remove':
        return this.act('room.remove', { participant })
    }
  }

  async muteAll(): Promise<void> {
    await this.act('room.mute', { participant: null, source: 'mic', on: false })
    this.port.tell('muted_all')
  }

  limit(person: Participant, tier_max: Tier): Promise<void> {
    return this.act('room.limit', { participant: person.id, tier_max })
  }

  set(change: Partial<RoomSettings>): Promise<void> {
    return this.act('room.settings', change)
  }

  admit(knock: Knock, on: boolean): Promise<void> {
    return this.act('room.admit', { participant: knock.participant, on })
  }

  private async ask(person: Participant, source: Source): Promise<void> {
    await this.act('room.ask', { participant: person.id, source })
    this.port.tell('asked', { name: person.name })
  }

  /** Says by itself what went wrong; a busy server is asked once more. */
  private async act(method: string, params: object, again = true): Promise<void> {
    try {
      await this.port.call(method, params)
    } catch (error) {
      const busy = error instanceof RpcError && error.code === CODE.busy
      if (busy && again) {
        await new Promise((resolve) => setTimeout(resolve, error.data.retry_ms ?? 1000))
        return this.act(method, params, false)
      }
      this.port.tell(
        error instanceof RpcError && error.code === CODE.forbidden
          ? 'not_host'
          : error instanceof RpcError && error.code === CODE.notFound
            ? 'gone'
            : 'failed',
        {},
        true,
      )
      throw error
    }
  }

  private changed(settings: RoomSettings, by: string | null): void {
    const before = this.state.settings
    this.state.settings = settings
    const name = this.nameOf(by)
    if (before.codec !== settings.codec) this.port.codec(settings.codec)
    if (by === this.port.me()) return
    if (before.locked !== settings.locked) this.port.tell(settings.locked ? 'locked' : 'unlocked', { name })
    if (before.unmute !== settings.unmute)
      this.port.tell(settings.unmute === 'host' ? 'unmute_host' : 'unmute_all', { name })
  }
}
