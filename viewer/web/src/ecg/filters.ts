/* Filters that whoever looks at it may switch on. Each runs forwards and then backwards, so that nothing is moved in time. Pure arithmetic. */

export interface Filters {
  /** The line wanders: what is slower than 0.5 Hz goes. */
  readonly baseline: boolean
  /** Mains, 50 Hz. */
  readonly mains: boolean
  /** Muscles: what is faster than 35 Hz goes. */
  readonly muscle: boolean
}

export const NONE: Filters = { baseline: false, mains: false, muscle: false }

/** Of a second-order section, a0 = 1. */
interface Section {
  readonly b: readonly [number, number, number]
  readonly a: readonly [number, number]
}

const sound = (b: [number, number, number], a0: number, a: [number, number]): Section => ({
  b: [b[0] / a0, b[1] / a0, b[2] / a0],
  a: [a[0] / a0, a[1] / a0],
})

/* By the bilinear transform. Twice over it damps by 6 dB at `hertz`; Butterworth: q = 1/√2. */
function lowPass(hertz: number, rate: number, q = Math.SQRT1_2): Section {
  const w = (2 * Math.PI * hertz) / rate
  const alpha = Math.sin(w) / (2 * q)
  const c = Math.cos(w)
  return sound([(1 - c) / 2, 1 - c, (1 - c) / 2], 1 + alpha, [-2 * c, 1 - alpha])
}
function highPass(hertz: number, rate: number, q = Math.SQRT1_2): Section {
  const w = (2 * Math.PI * hertz) / rate
  const alpha = Math.sin(w) / (2 * q)
  const c = Math.cos(w)
  return sound([(1 + c) / 2, -(1 + c), (1 + c) / 2], 1 + alpha, [-2 * c, 1 - alpha])
}
function notch(hertz: number, rate: number, q: number): Section {
  const w = (2 * Math.PI * hertz) / rate
  const alpha = Math.sin(w) / (2 * q)
  const c = Math.cos(w)
  return sound([1, -2 * c, 1], 1 + alpha, [-2 * c, 1 - alpha])
}

/** The sections that `filters` are at a rate; a filter that the rate cannot carry is left out. */
export function sectionsOf(filters: Filters, rate: number): Section[] {
  const sections: Section[] = []
  if (filters.baseline) sections.push(highPass(0.5, rate))
  if (filters.mains && rate > 120) sections.push(notch(50, rate, 10))
  if (filters.muscle && rate > 80) sections.push(lowPass(35, rate))
  return sections
}

/* It begins as if the first value had always been there: no step at the edge. */
function pass(values: Float64Array, { b, a }: Section): void {
  const gain = (b[0] + b[1] + b[2]) / (1 + a[0] + a[1])
  const first = values[0] ?? 0
  const rest = gain * first
  let s2 = b[2] * first - a[1] * rest
  let s1 = b[1] * first - a[0] * rest + s2
  for (let i = 0; i < values.length; i++) {
    const x = values[i]
    const y = b[0] * x + s1
    s1 = b[1] * x - a[0] * y + s2
    s2 = b[2] * x - a[1] * y
    values[i] = y
  }
}

/* Beyond both ends the signal goes on turned about its end, long enough for the slowest filter to settle. */
function widened(samples: Float32Array, pad: number): Float64Array {
  const n = samples.length
  const out = new Float64Array(n + 2 * pad)
  let last = 0
  const value = (i: number) => (Number.isNaN(samples[i]) ? last : (last = samples[i]))
  for (let i = 0; i < n; i++) out[pad + i] = value(i)
  for (let i = 1; i <= pad; i++) {
    out[pad - i] = 2 * out[pad] - out[pad + Math.min(i, n - 1)]
    out[pad + n - 1 + i] = 2 * out[pad + n - 1] - out[pad + Math.max(0, n - 1 - i)]
  }
  return out
}

/** A new array; where the device had no value there is none. */
export function filtered(samples: Float32Array, rate: number, filters: Filters): Float32Array {
  const sections = sectionsOf(filters, rate)
  if (!sections.length || samples.length < 2) return samples
  const pad = Math.min(Math.round(2 * rate), 4 * samples.length)
  const wide = widened(samples, pad)
  for (const section of sections) {
    pass(wide, section)
    wide.reverse()
    pass(wide, section)
    wide.reverse()
  }
  const out = new Float32Array(samples.length)
  for (let i = 0; i < out.length; i++) out[i] = Number.isNaN(samples[i]) ? NaN : wide[pad + i]
  return out
}
