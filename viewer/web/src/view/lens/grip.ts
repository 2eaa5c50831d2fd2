/*
 * What hands do on a picture. OpenSeadragon moves and zooms; what it does not do right when the picture is mirrored, or not at all, is done here: two
 * fingers, a double click, turning by Shift. Keys are `lens/keys.ts`.
 */
import type OpenSeadragon from 'openseadragon'
import { wheelPixels } from '../hands'
import { around, TwoFingers, type Pinch, type Spot, type Two } from './gesture'

export interface Held {
  /** A double click makes the picture larger. */
  readonly enlarges: boolean
  size(): { width: number; height: number }
  toSlide(x: number, y: number): Spot
  turn(degrees: number, about?: Spot): void
  zoomBy(factor: number, about?: Spot, atOnce?: boolean): void
  bring(place: Spot, at: Spot): void
  /** Towards the next focal plane. */
  focus(by: number): void
}

/** A notch of a wheel (120) turns by so many degrees. */
const NOTCH_DEGREES = 5
/** A wheel's notch is more, a pad says parts of it. */
const NOTCH_PIXELS = 40
const DOUBLE_CLICK_ZOOM = 2

interface Finger {
  id: number
  contactTime: number
  currentPos: Spot
  lastPos: Spot
}

export class Grip {
  private two = new TwoFingers()
  private whose = ''
  /** Of the wheel, towards the next plane. */
  private turned = 0
  private before: Two = [
    { x: 0, y: 0 },
    { x: 0, y: 0 },
  ]

  /** `moved`: a person moves the picture; told before it does. */
  constructor(
    viewer: OpenSeadragon.Viewer,
    private readonly held: Held,
    moved: () => void,
  ) {
    viewer.addHandler('canvas-key', (event) => (event.preventDefaultAction = true))
    viewer.addHandler('canvas-drag', (event) => {
      moved()
      if (!event.shift || event.pointerType === 'touch') return
      event.preventDefaultAction = true
      this.drag(event.position, event.delta)
    })
    viewer.addHandler('canvas-scroll', (event) => {
      moved()
      const wheel = event.originalEvent as WheelEvent
      if (!event.shift && !wheel.altKey) return
      event.preventDefaultAction = true
      if (wheel.altKey) this.focus(wheel)
      else this.wheel(wheel)
    })
    viewer.addHandler('canvas-double-click', (event) => {
      event.preventDefaultAction = true
      if (!held.enlarges) return
      moved()
      held.zoomBy(event.shift ? 1 / DOUBLE_CLICK_ZOOM : DOUBLE_CLICK_ZOOM, event.position)
    })
    viewer.addHandler('canvas-pinch', (event) => {
      event.preventDefaultPanAction = event.preventDefaultZoomAction = event.preventDefaultRotateAction = true
      moved()
      this.pinch(event.gesturePoints as unknown as Finger[], event.center)
    })
  }

  /** Round the middle of the screen. */
  private drag(now: Spot, delta: Spot): void {
    const { width, height } = this.held.size()
    const before = { x: now.x - delta.x, y: now.y - delta.y }
    this.held.turn(around({ x: width / 2, y: height / 2 }, before, now))
  }

  private wheel(event: WheelEvent): void {
    const { dx, dy } = wheelPixels(event)
    this.held.turn(((dx || dy) / 120) * NOTCH_DEGREES)
  }

  /** Notch by notch, also where a pad says parts of them. */
  private focus(event: WheelEvent): void {
    const { dx, dy } = wheelPixels(event)
    this.turned += Math.max(-NOTCH_PIXELS, Math.min(NOTCH_PIXELS, dx || dy))
    const notches = Math.trunc(this.turned / NOTCH_PIXELS)
    if (!notches) return
    this.turned -= notches * NOTCH_PIXELS
    this.held.focus(-notches)
  }

  private pinch(fingers: Finger[], middle: Spot): void {
    const [one, other] = fingers
    if (!one || !other) return
    // OpenSeadragon says where fingers are on the page, and where their middle is in the element
    const page = { x: (one.currentPos.x + other.currentPos.x) / 2, y: (one.currentPos.y + other.currentPos.y) / 2 }
    const here = ({ x, y }: Spot): Spot => ({ x: x - page.x + middle.x, y: y - page.y + middle.y })
    const now: Two = [here(one.currentPos), here(other.currentPos)]
    const whose = fingers.map((finger) => `${finger.id}@${finger.contactTime}`).join()
    if (whose !== this.whose) {
      this.two = new TwoFingers()
      this.before = [here(one.lastPos), here(other.lastPos)]
    }
    this.whose = whose
    // one event for each finger that moved, and each says of both where they were before their own last move
    this.apply(this.two.move(this.before, now))
    this.before = now
  }

  private apply({ from, to, factor, degrees }: Pinch): void {
    const place = this.held.toSlide(from.x, from.y)
    this.held.zoomBy(factor, from, true)
    if (degrees) this.held.turn(degrees, from)
    this.held.bring(place, to)
  }
}
