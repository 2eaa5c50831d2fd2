/* What hands do over a document: the wheel and a finger scroll, Ctrl and the wheel or two fingers zoom, a mouse drags. */

export interface Handled {
  /** By so many CSS pixels. */
  scroll(dx: number, dy: number): void
  /** By a factor, about a point from the upper left corner. */
  zoom(factor: number, x: number, y: number): void
}

const LINE_PX = 40
const PAGE_PX = 600
/** A notch of a wheel (120) zooms by a fifth. */
const ZOOM_PER_PX = Math.log(1.2) / 120

/** What a wheel event says, in pixels. Shift and the wheel go sideways, as everywhere. */
export function wheelPixels(event: Pick<WheelEvent, 'deltaX' | 'deltaY' | 'deltaMode' | 'shiftKey'>): {
  dx: number
  dy: number
} {
  const unit = event.deltaMode === 1 ? LINE_PX : event.deltaMode === 2 ? PAGE_PX : 1
  const dx = event.deltaX * unit
  const dy = event.deltaY * unit
  return event.shiftKey && dx === 0 ? { dx: dy, dy: 0 } : { dx, dy }
}

export class Hands {
  enabled = true
  private readonly fingers = new Map<number, { x: number; y: number }>()

  constructor(
    private readonly element: HTMLElement,
    private readonly handled: Handled,
  ) {
    element.style.touchAction = 'none'
    element.addEventListener('wheel', (event) => this.wheel(event), { passive: false })
    element.addEventListener('dblclick', (event) => this.enabled && this.zoom(2, event.clientX, event.clientY))
    element.addEventListener('pointerdown', (event) => this.down(event))
    element.addEventListener('pointermove', (event) => this.move(event))
    for (const end of ['pointerup', 'pointercancel'] as const)
      element.addEventListener(end, (event) => this.fingers.delete(event.pointerId))
  }

  private zoom(factor: number, clientX: number, clientY: number): void {
    const box = this.element.getBoundingClientRect()
    this.handled.zoom(factor, clientX - box.left, clientY - box.top)
  }

  private wheel(event: WheelEvent): void {
    // also when it moves nothing: Ctrl and the wheel would zoom the whole page of the browser
    event.preventDefault()
    if (!this.enabled) return
    const { dx, dy } = wheelPixels(event)
    if (event.ctrlKey || event.metaKey) {
      // a trackpad's pinch says small numbers with Ctrl
      const small = event.deltaMode === 0 && Math.abs(dy) < 50 ? 5 : 1
      this.zoom(Math.exp(-Math.max(-240, Math.min(240, dy * small)) * ZOOM_PER_PX), event.clientX, event.clientY)
    } else this.handled.scroll(dx, dy)
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0) return
    this.element.focus({ preventScroll: true })
    if (!this.enabled) return
    this.element.setPointerCapture(event.pointerId)
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY })
  }

  private move(event: PointerEvent): void {
    const before = this.fingers.get(event.pointerId)
    if (!before || !this.enabled) return
    const now = { x: event.clientX, y: event.clientY }
    this.fingers.set(event.pointerId, now)
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1]
    if (!other) return this.handled.scroll(before.x - now.x, before.y - now.y)
    // two fingers: each moves the middle by half of its way
    const apart = (a: { x: number; y: number }) => Math.max(20, Math.hypot(a.x - other.x, a.y - other.y))
    this.handled.scroll((before.x - now.x) / 2, (before.y - now.y) / 2)
    this.zoom(apart(now) / apart(before), (now.x + other.x) / 2, (now.y + other.y) / 2)
  }
}
