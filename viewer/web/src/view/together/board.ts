/* What people point at and draw on the shared picture, as the server tells it, and one's own hand. */
import { reactive, shallowReactive } from 'vue'
import type { PointerMessage, StrokeMessage } from '@/room/call/protocol'
import { RpcError, type Rpc } from '@/room/call/rpc'

/** After its last point a stroke that fades is gone (docs/protocol.md). */
export const FADES_MS = 6000
/** Of one call, and of one stroke. */
const CALL_POINTS = 128
const STROKE_POINTS = 1000
const SEND_EVERY_MS = 50

export interface Stroke {
  participant: string
  hue: number
  page: number
  z: number
  /** `performance.now()` when it is gone. */
  ends: number
  fades: boolean
  /** x, y, x, y… of the picture. */
  points: number[]
}

export interface Pen {
  page: number
  z: number
  fades: boolean
}

/** One's own stroke, and what of it was not sent yet. */
interface Drawing extends Pen {
  number: number
  points: number
  unsent: number[]
}

const keyOf = (participant: string, stroke: number) => `${participant}/${stroke}`

export class Board {
  readonly state = reactive({ pointers: [] as PointerMessage[] })
  readonly strokes = shallowReactive(new Map<string, Stroke>())
  private onFull: () => void = () => undefined
  private drawing: Drawing | null = null
  /** Strokes of an earlier load of this page have smaller numbers. */
  private number = Date.now()
  private hue = 0
  private sender: ReturnType<typeof setTimeout> | undefined
  /** When the next one that fades is gone. */
  private sweeps = Infinity
  private sweeper: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly rpc: Rpc,
    private readonly me: () => string,
  ) {
    rpc.on<{ strokes: StrokeMessage[] }>('view.drawn', ({ strokes }) => {
      for (const stroke of strokes) this.takeStroke(stroke)
    })
    rpc.on<{ participant: string | null }>('view.cleared', ({ participant }) => this.forget(participant))
  }

  /** Calls when what was drawn is not taken: there is too much of it already. */
  tellFull(onFull: () => void): void {
    this.onFull = onFull
  }

  /** All of it, as the server has it. */
  take(pointers: PointerMessage[], strokes: StrokeMessage[]): void {
    this.takePointers(pointers)
    this.drawing = null
    this.strokes.clear()
    for (const stroke of strokes) this.put(stroke)
  }

  takePointers(pointers: PointerMessage[]): void {
    const own = pointers.find(({ participant }) => participant === this.me())
    if (own) this.takeHue(own.hue)
    this.state.pointers = pointers.filter((one) => one !== own)
  }

  private takeStroke(message: StrokeMessage): void {
    // one's own stands there already, and may be longer by now
    if (message.participant === this.me()) return this.takeHue(message.hue)
    this.put(message)
  }

  private put({ participant, stroke, hue, page, z, fades, age_ms, from, points }: StrokeMessage): void {
    const key = keyOf(participant, stroke)
    const before = this.strokes.get(key)?.points ?? []
    if (before.length < 2 * from) return
    const ends = fades ? performance.now() + FADES_MS - age_ms : Infinity
    const all = [...before.slice(0, 2 * from), ...points]
    this.strokes.set(key, { participant, hue, page, z, fades, ends, points: all })
    if (fades) this.sweepAt(ends)
  }

  private takeHue(hue: number): void {
    if (hue === this.hue) return
    this.hue = hue
    for (const [key, stroke] of this.strokes)
      if (stroke.participant === this.me()) this.strokes.set(key, { ...stroke, hue })
  }

  get ownHue(): number {
    return this.hue
  }

  private forget(participant: string | null): void {
    for (const [key, stroke] of this.strokes)
      if (!participant || stroke.participant === participant) this.strokes.delete(key)
  }

  private sweepAt(when: number): void {
    if (when >= this.sweeps) return
    this.sweeps = when
    clearTimeout(this.sweeper)
    this.sweeper = setTimeout(() => this.sweep(), Math.max(0, when - performance.now()) + 20)
  }

  private sweep(): void {
    this.sweeps = Infinity
    const now = performance.now()
    for (const [key, { ends }] of this.strokes) {
      if (ends <= now) this.strokes.delete(key)
      else this.sweepAt(ends)
    }
  }

  /* One's own hand. */

  point(x: number, y: number, page: number, laser: boolean): void {
    this.rpc.notify('view.pointer', { x, y, page, laser, on: true })
  }

  pointNoMore(): void {
    this.rpc.notify('view.pointer', { x: 0, y: 0, on: false })
  }

  begin(pen: Pen): void {
    this.end()
    this.drawing = { ...pen, number: ++this.number, points: 0, unsent: [] }
  }

  draw(x: number, y: number): void {
    const { drawing } = this
    if (!drawing) return
    const key = keyOf(this.me(), drawing.number)
    const { page, z, fades } = drawing
    const points = [...(this.strokes.get(key)?.points ?? []), x, y]
    const ends = fades ? performance.now() + FADES_MS : Infinity
    this.strokes.set(key, { participant: this.me(), hue: this.hue, page, z, fades, ends, points })
    if (fades) this.sweepAt(ends)
    drawing.unsent.push(x, y)
    this.sender ??= setTimeout(() => this.send(), SEND_EVERY_MS)
    if (++drawing.points < STROKE_POINTS) return
    // a long one goes on as another
    this.begin(drawing)
    this.draw(x, y)
  }

  end(): void {
    this.send()
    this.drawing = null
  }

  /** One's own strokes, or everybody's. */
  clear(all: boolean): void {
    this.end()
    this.forget(all ? null : this.me())
    void this.rpc.call('view.clear', { all }).catch(() => undefined)
  }

  private send(): void {
    clearTimeout(this.sender)
    this.sender = undefined
    const { drawing } = this
    while (drawing?.unsent.length) {
      const points = drawing.unsent.splice(0, 2 * CALL_POINTS)
      const { number, page, z, fades } = drawing
      this.rpc.call('view.draw', { stroke: number, page, z, fades, points }).catch((error: unknown) => {
        // nobody else sees it: neither does who drew it
        this.strokes.delete(keyOf(this.me(), number))
        if (this.drawing?.number === number) this.drawing = null
        if (error instanceof RpcError) this.onFull()
      })
    }
  }
}
