/* The shared view's side of the protocol: who presents what, and whether this person follows. */
import { reactive } from 'vue'
import type { PointerMessage, RegionMessage, SharedFile } from '@/room/protocol'
import type { Rpc } from '@/room/rpc'

export interface Region {
  cx: number
  cy: number
  w: number
  h: number
  rotation: number
}

export class ViewLink {
  readonly state = reactive({
    shared: null as SharedFile | null,
    following: true,
    /** The presenter's latest region and pointer. */
    region: null as RegionMessage | null,
    pointer: null as PointerMessage | null,
  })
  private seq = 0

  constructor(
    private readonly rpc: Rpc,
    private readonly me: () => string,
    private readonly nameOf: (participant: string) => string,
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
    return !!presenter && presenter === this.me()
  }

  get presenterName(): string {
    const presenter = this.state.shared?.presenter
    return presenter ? this.nameOf(presenter) : ''
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

  async open(file: string | null, page = 1): Promise<void> {
    const { view } = await this.rpc.call<{ view: SharedFile | null }>('view.open', file === null ? { file } : { file, page })
    this.set(view && view.file ? view : null)
  }

  async present(on: boolean): Promise<void> {
    const { view } = await this.rpc.call<{ view: SharedFile | null }>('view.present', { on })
    this.set(view && view.file ? view : null)
    if (!on) this.state.following = true
  }

  sendRegion(region: Region, page: number): void {
    if (this.presenting) this.rpc.notify('view.state', { seq: ++this.seq, ...region, page })
  }

  sendPointer(pointer: PointerMessage): void {
    if (this.presenting) this.rpc.notify('view.pointer', { x: pointer.x, y: pointer.y, on: pointer.on })
  }
}
