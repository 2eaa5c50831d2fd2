/*
 * How long to wait for lost packets before a picture is shown. Browsers show the next whole picture as soon as they can and forget one whose repeated
 * packets come later; on a network that loses packets that is every tenth picture. Whoever waits as long as three repeats take sees nearly all of them.
 * Loss on the speaker's way up and on one's own way down counts alike; the longer of both is waited for, and
 * once more where both lose.
 */
import type { QualityRow } from './protocol'

type Link = Pick<QualityRow, 'up_loss' | 'down_loss' | 'rtt_ms'>

const LOSS = 0.01
/** The gap is noticed with the next picture. */
const NOTICE_MS = 70
const REPEATS = 3
/** Per repeat, besides the round trip. */
const TURN_MS = 20
const UNKNOWN_RTT_MS = 100
const MOST_MS = 500
const STEP_MS = 40
/** A loss is remembered for so long, since waiting longer and shorter by turns is heard and seen. */
const MEMORY_MS = 15000

function repairMs(loss: number, rttMs: number): number {
  return loss < LOSS ? 0 : NOTICE_MS + REPEATS * ((rttMs || UNKNOWN_RTT_MS) + TURN_MS)
}

/** Milliseconds that a picture from `sender` should wait at `me`; 0: as short as the browser likes. */
export function patienceMs(sender: Link | undefined, me: Link | undefined): number {
  const up = sender ? repairMs(sender.up_loss, sender.rtt_ms) : 0
  const down = me ? repairMs(me.down_loss, me.rtt_ms) : 0
  // what was lost on the way up and came again may be lost on the way down
  const both = up && down ? (me?.rtt_ms || UNKNOWN_RTT_MS) + TURN_MS : 0
  return Math.min(MOST_MS, Math.ceil((Math.max(up, down) + both) / STEP_MS) * STEP_MS)
}

/**
 * How much shorter the voice's wait begins than the picture's: its device makes it wait so long besides (`node tests/e2e/impair.mjs` prints playout_ms).
 * From there a browser keeps both in sync by itself, by some ms a second.
 */
export const VOICE_LAG_MS = 30

/** Keeps the longest of what was wanted lately. */
export class Patience {
  private readonly wanted: { at: number; ms: number }[] = []

  /** What to set, given what is wanted now. */
  take(ms: number, now: number): number {
    this.wanted.push({ at: now, ms })
    while (this.wanted[0] && this.wanted[0].at < now - MEMORY_MS) this.wanted.shift()
    return Math.max(...this.wanted.map((entry) => entry.ms))
  }
}
