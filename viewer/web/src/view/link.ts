/* The shared view's side of the protocol: who presents what, and whether this person follows. */
import { reactive } from 'vue'
import type { PointerMessage, RegionMessage, SharedFile } from '@/room/call/protocol'
import type { Rpc } from '@/room/call/rpc'

export interface Region {
  cx: number
  cy: number
  w: number
  h: number
  rotation: number
}

/** Who is in the room, as the view has to know it. */
export interface Company {
  /** One's own participant. */
  me(): string
  /** "" for who is not there. */
  nameOf(participant: string): string
  /** Nothing comes from him. */
  isLost(participant: string): boolean
  isAlone(): boolean
  /** One's own line is down. */
  isCut(): boolean
}

/** How this person stands to the view; a key of its words. */
export type Standing = 'nobody' | 'presenting' | 'presenting_alone' | 'cut' | 'follows' | 'free' | 'lost'

/** A little under a frame at 60 Hz, whose clock wavers. */
const SEND_EVERY_MS = 15

export class ViewLink {
  readonly state = reactive({
    shared: null as SharedFile | null,
    following: true,
    /** The presenter's latest region and pointer. */
    region: null as RegionMessage | null,
    pointer: null as PointerMessage | null,
  })
  private seq = 0
  private lastSent = 0
  private waiting: { region: Region; page: number } | null = null
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly rpc: Rpc,
    private readonly company: Company,
  ) {
    rpc.on<RegionMessage>('view.state', (region) => {
      if (!this.presenting) this.state.region = region
    })
    rpc.on<PointerMessage>('view.pointer', (pointer) => {
      if (!this.presenting) this.state.pointer = pointer
    })
  }

  get presenting(): boolean {
    const presenter = this.state.shared?.presenter
    return !!presenter && presenter === this.company.me()
  }

  /** Moves with somebody else's picture, and not by itself. */
  get follows(): boolean {
    return this.state.following && !!this.state.shared?.presenter && !this.presenting
  }

  get presenterName(): string {
    const presenter = this.state.shared?.presenter
    return presenter ? this.company.nameOf(presenter) : ''
  }

  /** The server knows a presenter for a while who has gone already, and is told of one who is just coming. */
  get standing(): Standing {
    const presenter = this.state.shared?.presenter
    const { company } = this
    if (!presenter) return 'nobody'
    if (this.presenting) return company.isCut() ? 'cut' : company.isAlone() ? 'presenting_alone' : 'presenting'
    if (!this.presenterName) return 'nobody'
    if (company.isLost(presenter)) return 'lost'
    return this.state.following ? 'follows' : 'free'
  }

  /** Who presents now and would lose it if this person did. */
  private get other(): string {
    const presenter = this.state.shared?.presenter
    return presenter && !this.presenting ? presenter : ''
  }

  /** Before this person presents: whoever presents now is not interrupted unless `ask`, which is given his name, says yes. */
  async mayPresent(ask: (name: string) => Promise<boolean>): Promise<boolean> {
    // somebody else may have taken it while the question stood there
    for (let asked = ''; this.other && this.other !== asked; ) {
      asked = this.other
      if (!(await ask(this.company.nameOf(asked)))) return false
    }
    return true
  }

  set(shared: SharedFile | null): void {
    const before = this.state.shared
    const other = shared?.file !== before?.file
    this.state.shared = shared
    if (other || shared?.presenter !== before?.presenter) {
      this.state.region = shared?.state ?? (other ? null : this.state.region)
      this.state.pointer = shared?.pointer ?? null
    }
    if (other) this.state.following = true
  }

  /** Shows a file to all, or with null none; `region`: where this person looks at it already. */
  async open(file: string | null, page = 1, region: Region | null = null): Promise<void> {
    const { view } = await this.rpc.call<{ view: SharedFile | null }>(
      'view.open',
      file === null ? { file } : { file, page },
    )
    this.set(view && view.file ? view : null)
    if (region && this.presenting && this.state.shared?.file === file) this.keep(region, page)
  }

  async present(on: boolean): Promise<void> {
    const { view } = await this.rpc.call<{ view: SharedFile | null }>('view.present', { on })
    this.set(view && view.file ? view : null)
    if (!on) this.state.following = true
  }

  /** From looking for oneself to what everybody sees. */
  comeBack(): void {
    this.state.following = true
  }

  /** At most 60 a second, the newest always. */
  sendRegion(region: Region, page: number): void {
    this.waiting = { region, page }
    const wait = this.lastSent + SEND_EVERY_MS - performance.now()
    if (wait <= 0) this.flush()
    else this.timer ??= setTimeout(() => this.flush(), wait)
  }

  private flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const now = this.waiting
    this.waiting = null
    if (!now || !this.presenting) return
    this.lastSent = performance.now()
    this.keep(now.region, now.page)
    this.rpc.notify('view.state', { seq: ++this.seq, ...now.region, page: now.page })
  }

  /** A presenter who looks at something else comes back to where the others are. */
  private keep(region: Region, page: number): void {
    this.state.region = { seq: this.seq, ...region, page }
  }

  sendPointer(pointer: PointerMessage): void {
    if (this.presenting) this.rpc.notify('view.pointer', { x: pointer.x, y: pointer.y, on: pointer.on })
  }
}
