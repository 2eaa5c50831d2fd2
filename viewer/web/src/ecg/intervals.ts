/* What calipers say. Seconds, microvolts and degrees. Pure arithmetic. */
import type { Lead } from './record'

/** Beats a minute. */
export const rateOf = (rr: number): number => 60 / rr

export interface Corrected {
  readonly bazett: number
  readonly fridericia: number
  readonly framingham: number
  readonly hodges: number
}

/** QT for a rate of 60: four formulas, since they disagree away from it. All in seconds. */
export function correctedQt(qt: number, rr: number): Corrected {
  return {
    bazett: qt / Math.sqrt(rr),
    fridericia: qt / Math.cbrt(rr),
    framingham: qt + 0.154 * (1 - rr),
    hodges: qt + 0.00175 * (rateOf(rr) - 60),
  }
}

/**
 * The electrical axis from net areas (or heights) of QRS in I and aVF, degrees from -180 to 180. aVF is an augmented lead, 2/√3 of it is as long as I.
 * Undefined where both are nothing.
 */
export function axisOf(one: number, avf: number): number | undefined {
  if (!Number.isFinite(one) || !Number.isFinite(avf) || (one === 0 && avf === 0)) return undefined
  return (Math.atan2((2 / Math.sqrt(3)) * avf, one) * 180) / Math.PI
}

/** Microvolt seconds between two seconds, above the level at the first. */
export function areaOf({ samples, base }: Lead, rate: number, from: number, to: number): number {
  const first = Math.max(0, Math.round(from * rate) - base)
  const last = Math.min(samples.length - 1, Math.round(to * rate) - base)
  let sum = 0
  for (let i = first; i <= last; i++) if (!Number.isNaN(samples[i])) sum += samples[i] - samples[first]
  return sum / rate
}
