/* Where the beats are: for the overlay, and a caliper's first place. Nothing here is a finding. Pure arithmetic. */
import { filtered } from './filters'
import type { Lead } from './record'

const REFRACTORY_S = 0.25
const WINDOW_S = 0.12

/* Steepness, smoothed over the width of a QRS. */
function energy(samples: Float32Array, rate: number): Float32Array {
  const smooth = filtered(samples, rate, { baseline: true, mains: true, muscle: true })
  const n = smooth.length
  const wide = Math.max(1, Math.round(WINDOW_S * rate))
  const out = new Float32Array(n)
  const slope = (i: number) => {
    const d = i > 0 && i < n - 1 ? smooth[i + 1] - smooth[i - 1] : 0
    return Number.isNaN(d) ? 0 : d * d
  }
  let sum = 0
  for (let i = 0; i < n + (wide >> 1); i++) {
    if (i < n) sum += slope(i)
    if (i >= wide) sum -= slope(i - wide)
    const middle = i - (wide >> 1)
    if (middle >= 0) out[middle] = Math.max(0, sum)
  }
  return out
}

/* Of the highest of each two seconds the middle one: neither one spike nor a pause says how high a beat is. */
function typical(values: Float32Array, rate: number): number {
  const step = Math.max(1, Math.round(2 * rate))
  const tops: number[] = []
  for (let from = 0; from < values.length; from += step) {
    let top = 0
    for (let i = from; i < Math.min(values.length, from + step); i++) top = Math.max(top, values[i])
    tops.push(top)
  }
  tops.sort((a, b) => a - b)
  return tops[tops.length >> 1] ?? 0
}

/* From the middle of what is steep to its highest or lowest sample: the R, or the S where that is deeper. */
function summit(samples: Float32Array, rate: number, middle: number): number {
  const reach = Math.round(0.06 * rate)
  const from = Math.max(0, middle - reach)
  const to = Math.min(samples.length - 1, middle + reach)
  const level = (samples[from] + samples[to]) / 2
  let top = middle
  for (let i = from; i <= to; i++) if (Math.abs(samples[i] - level) > Math.abs(samples[top] - level)) top = i
  return top
}

/** The seconds of the beats, each at the summit of its QRS. */
export function beatsOf({ samples, base }: Lead, rate: number): number[] {
  if (samples.length < rate) return []
  const power = energy(samples, rate)
  const least = 0.25 * typical(power, rate)
  const beats: number[] = []
  if (!(least > 0)) return beats
  const apart = Math.round(REFRACTORY_S * rate)
  for (let i = 0; i < power.length; i++) {
    if (power[i] < least) continue
    let top = i
    const end = Math.min(power.length, i + apart)
    for (let j = i; j < end; j++) if (power[j] > power[top]) top = j
    beats.push((base + summit(samples, rate, top)) / rate)
    i = top + apart - 1
  }
  return beats
}

/** The middle of the intervals between beats, seconds; undefined with fewer than two beats. */
export function usualInterval(beats: readonly number[]): number | undefined {
  const intervals = beats
    .slice(1)
    .map((at, i) => at - beats[i])
    .sort((a, b) => a - b)
  return intervals.length ? intervals[intervals.length >> 1] : undefined
}
