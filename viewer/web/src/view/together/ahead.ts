/* Where the presenter is heading, from where he has been: what a follower's next tiles are. Pure. */
import type { Region } from '../link'

/** What was seen so long ago says nothing about the movement. */
const MEMORY_MS = 350
/** So far ahead. */
const AHEAD_MS = 400
/** Less than so much of the region's size is standing still. */
const STILL = 0.02
/** Nobody's hand zooms by more within that time. */
const ZOOM_MOST = 2

interface Seen {
  at: number
  region: Region
}

export class Heading {
  private seen: Seen[] = []

  /** The region that is shown now; gives where it will be, or null when it stands still or jumped. */
  note(region: Region, now: number): Region | null {
    this.seen = this.seen.filter(({ at }) => now - at < MEMORY_MS)
    this.seen.push({ at: now, region })
    const first = this.seen[0] as Seen
    const took = now - first.at
    if (this.seen.length < 3 || took <= 0) return null
    const zoom = region.w / first.region.w
    const moved = Math.hypot((region.cx - first.region.cx) / region.w, (region.cy - first.region.cy) / region.h)
    // a jump (a click into the map) is over: it heads nowhere
    if (moved > 1.5 || !(zoom > 0) || (moved < STILL && Math.abs(zoom - 1) < STILL)) return null
    const share = AHEAD_MS / took
    const scale = Math.min(ZOOM_MOST, Math.max(1 / ZOOM_MOST, zoom ** share))
    return {
      ...region,
      cx: region.cx + (region.cx - first.region.cx) * share,
      cy: region.cy + (region.cy - first.region.cy) * share,
      w: region.w * scale,
      h: region.h * scale,
    }
  }

  forget(): void {
    this.seen = []
  }
}
