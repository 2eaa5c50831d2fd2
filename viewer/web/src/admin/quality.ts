/* What GET /api/v1/rooms and /rooms/{id}/quality tell (docs/protocol.md), and how the page orders and writes it. */

export interface RoomQuality {
  id: string
  request: string
  title: string
  state: 'open' | 'closed'
  opened: number
  closed: number | null
  participants: number
  worst: number
  why: string[]
  up_bps: number
  down_bps: number
}

export interface SourceQuality {
  source: string
  on: boolean
  layers: number
  asked: number
  received: number
  bps: number
  width: number
  height: number
  fps: number
}

export interface SlotQuality {
  slot: number
  state: string
  layer: number
  width: number
  height: number
  bps: number
}

export interface PersonQuality {
  id: string
  user?: string
  name?: string
  title?: string
  hospital?: string
  role: string
  kind: 'person' | 'bot' | 'device'
  joined: number
  left: number | null
  mark: number
  why: string[]
  path: string
  marks: string
  up_bps: number
  down_bps: number
  up_loss: number
  down_loss: number
  rtt_ms: number
  jitter_ms: number
  estimate_bps: number
  wanted_bps: number
  paused: number
  nacks_in: number
  nacks_out: number
  plis_in: number
  plis_out: number
  sources: SourceQuality[]
  slots: SlotQuality[]
}

/** One array per figure, one member per point. */
export interface History {
  step_ms: number
  at: number[]
  why: string[][]
  up_bps?: number[]
  down_bps?: number[]
  estimate_bps?: number[]
  wanted_bps?: number[]
  up_loss?: number[]
  down_loss?: number[]
  rtt_ms?: number[]
  jitter_ms?: number[]
  nacks_in?: number[]
  nacks_out?: number[]
  plis_in?: number[]
  plis_out?: number[]
  sent_height?: number[]
  received_height?: number[]
  layers?: number[]
  paused?: number[]
  mark?: number[]
}

export interface RoomDetail extends RoomQuality {
  now: number
  people: PersonQuality[]
  history?: History
}

export const MARK_COLOURS = ['#9fb0b5', '#cf4436', '#dd9a2b', '#7fbf7f', '#2f9e72']
export const markColour = (mark: number) => MARK_COLOURS[mark] ?? '#c5d0d3'

/** "850 kbit/s", "1.85 Mbit/s" */
export function rateText(bps: number): string {
  if (bps < 1000) return bps > 0 ? '< 1 kbit/s' : '0'
  if (bps < 999_500) return `${Math.round(bps / 1000)} kbit/s`
  return `${(bps / 1e6).toFixed(bps < 9_995_000 ? 2 : 1)} Mbit/s`
}

/** "0", "0.4 %", "12 %" of a share 0…1. */
export function lossText(share: number): string {
  const percent = share * 100
  if (percent < 0.05) return '0'
  return `${percent < 9.95 ? percent.toFixed(1) : Math.round(percent)} %`
}

/** A mark is there for every so many ms. */
const MARK_MS = 10_000
/** How many marks ago somebody left; 0: he is there. */
export const stepsAgo = (left: number | null, now: number) => (left === null ? 0 : Math.max(0, (now - left) / MARK_MS))

/** Who needs help stands first, who left last. */
export function ordered(people: readonly PersonQuality[]): PersonQuality[] {
  return [...people].sort((a, b) => {
    if ((a.left === null) !== (b.left === null)) return a.left === null ? -1 : 1
    if (a.left !== null && b.left !== null) return b.left - a.left
    return a.mark - b.mark || b.why.length - a.why.length || a.joined - b.joined
  })
}

export type Pair = [at: number, value: number | null]

/** A line's points; where somebody was away (no point for longer than a step and a half) the line is broken. */
export function line(history: History, values: readonly number[] | undefined, scale = 1): Pair[] {
  const out: Pair[] = []
  history.at.forEach((at, i) => {
    const before = history.at[i - 1]
    if (before !== undefined && at - before > 1.5 * history.step_ms) out.push([before + history.step_ms, null])
    const value = values?.[i]
    out.push([at, value === undefined ? null : value * scale])
  })
  return out
}
