/* The shared view's side of the protocol: who presents what, and whether this person follows. */
import { reactive } from 'vue'
import type { ArrangementMessage, NowMessage, RegionMessage, SharedFile } from '@/room/call/protocol'
import type { Rpc } from '@/room/call/rpc'
import { Board } from './together/board'

export interface Region {
  cx: number
  cy: number
  w: number
  h: number
  /** Degrees clockwise. */
  rotation: number
  /** After that the left and the right of the screen change places; absent means no. */
  mirror?: boolean
  /** Focal plane; absent means 0. */
  z?: number
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
  /** Whom the view can be handed to. */
  others(): { id: string; name: string }[]
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
    /** The presenter's latest region. */
    region: null as RegionMessage | null,
  })
  /** What people point at and draw. */
  readonly board: Board
  /** An earlier load of this page had smaller ones. */
  private seq = Date.now()
  private lastSent = 0
  /** Who presents was changed last by this person. */
  byMyself = false
  private waiting: { region: Region; page: number; beside?: ArrangementMessage } | null = null
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly rpc: Rpc,
    private readonly company: Company,
  ) {
    this.board = new Board(rpc, () => company.me())
    rpc.on<NowMessage>('view.now', ({ state, pointers }) => {
      const before = this.state.region
      const other = state && (state.seq !== before?.seq || state.presenter !== before.presenter)
      if (other && !this.presenting) this.state.region = state
      this.board.takePointers(pointers)
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

  /** `byMyself`: this person did it, and need not be told. */
  set(shared: SharedFile | null, byMyself = false): void {
    this.byMyself = byMyself
    const before = this.state.shared
    const other = shared?.file !== before?.file
    this.state.shared = shared
    if (other || shared?.presenter !== before?.presenter) {
      this.state.region = shared?.state ?? (other ? null : this.state.region)
    }
    this.board.take(shared?.pointers ?? [], shared?.strokes ?? [])
    if (other) this.state.following = true
  }

  /** Shows a file to all, or with null none; `region`: where this person looks at it already. */
  async open(file: string | null, page = 1, region: Region | null = null): Promise<void> {
    const { view } = await this.rpc.call<{ view: SharedFile | null }>(
      'view.open',
      file === null ? { file } : { file, page },
    )
    this.set(view && view.file ? view : null, true)
    if (region && this.presenting && this.state.shared?.file === file) this.keep(region, page)
  }

  async present(on: boolean): Promise<void> {
    const { view } = await this.rpc.call<{ view: SharedFile | null }>('view.present', { on })
    this.set(view && view.file ? view : null, true)
    if (!on) this.state.following = true
  }

  get me(): string {
    return this.company.me()
  }

  readonly nameOf = (participant: string): string => this.company.nameOf(participant)

  get others(): { id: string; name: string }[] {
    return this.company.others()
  }

  async handOver(to: string): Promise<void> {
    const { view } = await this.rpc.call<{ view: SharedFile | null }>('view.present', { on: true, to })
    this.set(view && view.file ? view : null, true)
    this.state.following = true
  }

  /** From looking for oneself to what everybody sees. */
  comeBack(): void {
    this.state.following = true
  }

  /** At most 60 a second, the newest always. */
  sendRegion(region: Region, page: number, beside?: ArrangementMessage): void {
    this.waiting = { region, page, beside }
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
    this.keep(now.region, now.page, now.beside)
    const { region, page, beside } = now
    this.rpc.notify('view.state', { seq: ++this.seq, ...region, page, ...(beside && { beside }) })
  }

  /** A presenter who looks at something else comes back to where the others are. */
  private keep(region: Region, page: number, beside?: ArrangementMessage): void {
    this.state.region = { seq: this.seq, ...region, page, ...(beside && { beside }) }
  }
}
