/* The trail of a laser: where it was a moment ago. Pure but for being told the time. */

/** So long a place stays in the trail. */
export const TRAIL_MS = 900

export interface Piece {
  from: { x: number; y: number }
  to: { x: number; y: number }
  /** 1: just now, towards 0. */
  fresh: number
}

interface Place {
  x: number
  y: number
  at: number
}

export class Trail {
  private places: Place[] = []

  /** Where it is now; the same place again says nothing new. */
  add(x: number, y: number, now: number): void {
    const last = this.places.at(-1)
    if (last?.x === x && last.y === y) return
    this.places.push({ x, y, at: now })
  }

  /** The pen was lifted: what follows begins elsewhere. */
  cut(): void {
    this.places = []
  }

  /** The pieces that are still seen, the oldest first. */
  pieces(now: number): Piece[] {
    this.places = this.places.filter(({ at }) => now - at < TRAIL_MS)
    return this.places
      .slice(1)
      .map((to, i) => ({ from: this.places[i] as Place, to, fresh: 1 - (now - to.at) / TRAIL_MS }))
  }
}
