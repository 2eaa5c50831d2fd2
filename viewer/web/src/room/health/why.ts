/* What is wrong with a connection, and which of it is worth a line: reasons from the server (docs/protocol.md) and from this browser's own statistics. */
import type { Tier } from '../call/protocol'
import { OWN_QUALITIES, PICTURES } from '../call/quality'

/** From the most to the least useful to know. */
export const REASONS = [
  'lost',
  'up_slow',
  'cpu',
  'mic_silent',
  'camera_silent',
  'sends_less',
  'up_loss',
  'down_slow',
  'down_loss',
  'tcp',
  'delay',
  'jitter',
  'relay',
] as const
export type Reason = (typeof REASONS)[number]

/** One's own sending, as one reading of getStats says. */
export interface Reading {
  /** RTCOutboundRtpStreamStats.qualityLimitationReason of the camera; null: this browser does not say. */
  limited: 'none' | 'cpu' | 'bandwidth' | 'other' | null
  /** Heights of the largest layer that is really sent, and of the largest that is switched on; 0: none. */
  sent: number
  meant: number
  path: 'udp' | 'tcp' | 'relay' | null
  /** The microphone is on, but the device gives no sound (MediaStreamTrack.muted). */
  micMuted: boolean
}

/** What this browser knows by itself. */
export function ownReasons(r: Reading): Reason[] {
  const list: Reason[] = []
  if (r.limited === 'bandwidth' && r.meant > 0 && r.sent < 0.8 * r.meant) list.push('up_slow')
  if (r.limited === 'cpu') list.push('cpu')
  if (r.limited === null && r.sent > 0 && r.sent < 0.8 * r.meant) list.push('sends_less')
  if (r.micMuted) list.push('mic_silent')
  if (r.path === 'tcp' || r.path === 'relay') list.push(r.path)
  return list
}

/** What the server cannot see by itself: told by room.health. */
export const TOLD: readonly Reason[] = ['up_slow', 'cpu', 'sends_less', 'mic_silent', 'relay']

/** Both together, most useful first; what says less than another is left out. */
export function together(own: readonly Reason[], server: readonly string[]): Reason[] {
  const all = new Set<string>([...own, ...server])
  if (all.has('lost')) return ['lost']
  if (all.has('up_slow') || all.has('cpu')) all.delete('sends_less')
  return REASONS.filter((reason) => all.has(reason))
}

const GIVE_MS = 3000
const TAKE_MS = 6000

/** Reasons that come and go become ones that stay: given after 3 s without a break, taken back after 6 s without them. */
export class Steady {
  private readonly since = new Map<Reason, number>()
  private readonly last = new Map<Reason, number>()
  private readonly given = new Set<Reason>()

  update(reasons: readonly Reason[], now: number): Reason[] {
    for (const reason of reasons) {
      if (!this.since.has(reason)) this.since.set(reason, now)
      this.last.set(reason, now)
      if (now - (this.since.get(reason) ?? now) >= GIVE_MS) this.given.add(reason)
    }
    for (const reason of REASONS) {
      if (reasons.includes(reason)) continue
      this.since.delete(reason)
      if (now - (this.last.get(reason) ?? -Infinity) >= TAKE_MS) this.given.delete(reason)
    }
    return REASONS.filter((reason) => this.given.has(reason))
  }
}

/** Whoever sends or hears badly should know, even while the rest is well. */
const ALWAYS: readonly Reason[] = ['lost', 'up_slow', 'cpu', 'mic_silent', 'camera_silent']

/** The reason that one's own line shows; null: none. `mark` as in room.quality. */
export function lineReason(
  reasons: readonly Reason[],
  mark: number | null,
  dismissed: ReadonlySet<Reason>,
): Reason | null {
  const poor = mark !== null && mark <= 2
  return (
    reasons.find((reason) => !dismissed.has(reason) && (ALWAYS.includes(reason) || (poor && reason !== 'relay'))) ??
    null
  )
}

/** What a tile says of somebody: nothing comes from him, or no picture although his camera is on. */
export function standsStill(server: readonly string[], picture: boolean): 'lost' | 'frozen' | null {
  if (server.includes('lost')) return 'lost'
  return picture && server.includes('camera_silent') ? 'frozen' : null
}

/** What a picture of that height is called. */
export function tierOfHeight(height: number): Tier {
  return OWN_QUALITIES.find((quality) => height <= PICTURES[quality].height) ?? '4k'
}
