/*
 * A mark while it is being drawn: clicks and taps place points, a mouse or pen may also drag. Pure: places are the picture's, `corners` makes
 * a box of two places that stands upright on a turned screen.
 */
import { isBox, isFrame, LEAST, MOST_POINTS, type Kind, type Point } from './shape'

/** What a mouse draws by dragging; a finger's drag moves the picture. */
export const DRAGGED: readonly Kind[] = ['distance', 'arrow', 'rectangle', 'ellipse', 'area']

export class Drawing {
  readonly placed: Point[] = []
  /** Where the hand is: the end of the line that is not placed yet. */
  private hand: Point | null = null

  constructor(
    readonly kind: Kind,
    private readonly corners: (a: Point, b: Point) => Point[],
  ) {}

  /** True: that was the last one. */
  place(at: Point): boolean {
    if (this.placed.length >= MOST_POINTS) return true
    this.placed.push(at)
    this.hand = null
    return this.isFull
  }

  hover(at: Point | null): void {
    this.hand = at
  }

  /** The last point goes; false when there was none. */
  back(): boolean {
    return this.placed.pop() !== undefined
  }

  /** All that it can have. */
  get isFull(): boolean {
    if (isBox(this.kind) && !isFrame(this.kind)) return this.placed.length >= 2
    if (this.kind === 'polyline' || this.kind === 'area') return false
    return this.placed.length >= LEAST[this.kind]
  }

  /** It may end here. */
  get isEnough(): boolean {
    if (isBox(this.kind)) return this.placed.length >= 2
    return this.placed.length >= LEAST[this.kind]
  }

  /** As it is seen, the hand's point included; empty: nothing yet. */
  get points(): Point[] {
    const points = this.hand && !this.isFull ? [...this.placed, this.hand] : [...this.placed]
    if (!isBox(this.kind)) return points
    return points.length > 1 ? this.corners(points[0], points[1]) : []
  }

  /** As it is kept. */
  get done(): Point[] {
    return isBox(this.kind) ? this.corners(this.placed[0], this.placed[1]) : [...this.placed]
  }
}
