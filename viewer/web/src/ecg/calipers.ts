/* What somebody measured on the paper. Seconds of the record and microvolts. Pure. */
import { correctedQt, rateOf, type Corrected } from './intervals'
import { across, type Paper, type Sheet, type Spot, type Strip } from './layout'

export const KINDS = ['rr', 'pr', 'qrs', 'qt', 'free'] as const
export type CaliperKind = (typeof KINDS)[number]

export interface Caliper {
  readonly kind: CaliperKind
  readonly lead: string
  readonly from: number
  readonly to: number
  /** Microvolts where it begins and where it ends. */
  readonly first: number
  readonly last: number
}

export const widthOf = (caliper: Caliper): number => Math.abs(caliper.to - caliper.from)

/** Drawn from one spot to another of the same strip. */
export const between = (kind: CaliperKind, from: Spot, to: Spot): Caliper => ({
  kind,
  lead: from.strip.lead,
  from: from.second,
  to: to.second,
  first: from.level,
  last: to.level,
})

/** Each kind but "free" is there once: a second RR replaces the first. */
export function withCaliper(all: readonly Caliper[], one: Caliper): Caliper[] {
  return [...all.filter(({ kind }) => kind === 'free' || kind !== one.kind), one]
}

export interface Readings {
  /** Beats a minute, of the RR. */
  readonly rate?: number
  readonly corrected?: Corrected
}

/** `usual`: the interval between beats where nobody measured an RR. */
export function readingsOf(all: readonly Caliper[], usual: number | undefined): Readings {
  const rr = all.find(({ kind }) => kind === 'rr')
  const qt = all.find(({ kind }) => kind === 'qt')
  const interval = rr ? widthOf(rr) : usual
  if (!interval) return {}
  return { rate: rateOf(interval), corrected: qt && correctedQt(widthOf(qt), interval) }
}

/** Where the RR comes again, on the strips: seconds between `from` and `to`. At most 500. */
export function marchOf(rr: Caliper, from: number, to: number): number[] {
  const width = widthOf(rr)
  const begin = Math.min(rr.from, rr.to)
  if (!(width > 0.1)) return []
  const first = Math.ceil((from - begin) / width - 1e-9)
  const out: number[] = []
  for (let k = first; begin + k * width <= to && out.length < 500; k++) out.push(begin + k * width)
  return out
}

export interface Grip {
  readonly caliper: number
  readonly end: 'from' | 'to'
}

/** The strips on which a caliper stands: the lead may be there twice (in its column, and as the rhythm). */
export const stripsOf = (sheet: Sheet, caliper: Caliper): Strip[] =>
  sheet.strips.filter(
    ({ lead, from, seconds }) =>
      lead === caliper.lead &&
      Math.min(caliper.from, caliper.to) >= from - 1e-6 &&
      Math.max(caliper.from, caliper.to) <= from + seconds + 1e-6,
  )

/** The end of a caliper within `reach` mm of a point. */
export function gripAt(
  sheet: Sheet,
  paper: Paper,
  all: readonly Caliper[],
  x: number,
  y: number,
  reach: number,
): Grip | null {
  let best: Grip | null = null
  let nearest = reach
  all.forEach((caliper, index) => {
    for (const strip of stripsOf(sheet, caliper)) {
      if (Math.abs(y - strip.y) > strip.room) continue
      for (const end of ['from', 'to'] as const) {
        const away = Math.abs(across(strip, paper, caliper[end]) - x)
        if (away <= nearest) {
          nearest = away
          best = { caliper: index, end }
        }
      }
    }
  })
  return best
}
