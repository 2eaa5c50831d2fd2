/* What two fingers, or one that goes round, do to a picture. Pure arithmetic; CSS pixels of the element. */

export interface Spot {
  x: number
  y: number
}

/** Fingers that come nearer than this do not say an angle or a distance. */
const LEAST_APART = 20
/** Two fingers that only zoom waver: a picture turns once they have turned by so many degrees. */
const BEGIN_DEGREES = 8

const turnBetween = (before: number, now: number) => ((((now - before) % 360) + 540) % 360) - 180
const angle = (from: Spot, to: Spot) => (Math.atan2(to.y - from.y, to.x - from.x) * 180) / Math.PI
const between = (a: Spot, b: Spot): Spot => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 })

/** How far a hand went round a middle, in degrees clockwise, -180 to 180. */
export function around(middle: Spot, before: Spot, now: Spot): number {
  return turnBetween(angle(middle, before), angle(middle, now))
}

export type Two = readonly [Spot, Spot]

export interface Pinch {
  /** What lay under the one lies then under the other. */
  from: Spot
  to: Spot
  factor: number
  /** Clockwise. */
  degrees: number
}

/** Two fingers on a picture, from when the second came. */
export class TwoFingers {
  private turned = 0
  private turning = false

  move(before: Two, now: Two): Pinch {
    const apart = ([a, b]: Two) => Math.max(LEAST_APART, Math.hypot(a.x - b.x, a.y - b.y))
    let degrees = turnBetween(angle(...before), angle(...now))
    if (!this.turning) {
      this.turned += degrees
      this.turning = Math.abs(this.turned) >= BEGIN_DEGREES
      degrees = 0
    }
    return { from: between(...before), to: between(...now), factor: apart(now) / apart(before), degrees }
  }
}
