/*
 * What is done to a slide's colours on their way to the screen: its profile's table, then gamma, contrast and brightness. Pure; `shader.ts` says the
 * same to a GPU.
 */

/**
 * From the scanner's colours to sRGB: three half precision floats for blue, green, red (varying fastest) at `side` steps each. What a screen cannot
 * show lies beyond 0 and 1, and is cut off when it was looked up.
 */
export interface ColourTable {
  side: number
  halves: Uint16Array
}

/** Of 255. */
function numbersOf(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (bits) => {
    const exponent = (bits >> 10) & 31
    const mantissa = bits & 1023
    const value = exponent ? (1024 + mantissa) * 2 ** (exponent - 25) : mantissa * 2 ** -24
    return (bits & 0x8000 ? -value : value) * 255
  })
}

/** As hands set it; 0, 1 and 1 change nothing. */
export interface Tuning {
  /** Added, of full white. */
  brightness: number
  /** About the middle grey. */
  contrast: number
  /** Above 1 the dark parts come up. */
  gamma: number
  /** The profile is used, where the slide has one. */
  corrected: boolean
}

export const UNTOUCHED: Readonly<Tuning> = { brightness: 0, contrast: 1, gamma: 1, corrected: true }

export const LIMITS = {
  brightness: { from: -0.5, to: 0.5, step: 0.01 },
  contrast: { from: 0.5, to: 2, step: 0.01 },
  gamma: { from: 0.4, to: 2.5, step: 0.01 },
} as const

/** Colours stay as they are stored. */
export function changesNothing(tuning: Tuning, table: ColourTable | null): boolean {
  const { brightness, contrast, gamma, corrected } = tuning
  return brightness === 0 && contrast === 1 && gamma === 1 && !(corrected && table)
}

/** What becomes of each byte after the table. */
export function curveOf({ brightness, contrast, gamma }: Tuning): Uint8ClampedArray {
  const curve = new Uint8ClampedArray(256)
  for (let i = 0; i < 256; i++) curve[i] = (((i / 255) ** (1 / gamma) - 0.5) * contrast + 0.5 + brightness) * 255
  return curve
}

/** Changes RGBA pixels in place: trilinear in the table, as a GPU does it, then the curve. */
export function recolour(pixels: Uint8ClampedArray, tuning: Tuning, table: ColourTable | null): void {
  const curve = curveOf(tuning)
  if (table && tuning.corrected) throughTable(pixels, table, curve)
  else for (let i = 0; i < pixels.length; i += 4) for (let c = 0; c < 3; c++) pixels[i + c] = curve[pixels[i + c]!]!
}

/** Of the table that was used last: there is one for all tiles of a picture. */
let unpacked: { halves: Uint16Array; numbers: Float32Array } | null = null

function throughTable(pixels: Uint8ClampedArray, { side, halves }: ColourTable, curve: Uint8ClampedArray): void {
  if (unpacked?.halves !== halves) unpacked = { halves, numbers: numbersOf(halves) }
  const { numbers } = unpacked
  // where each byte lies between two steps, in 256ths
  const place = Array.from({ length: 256 }, (_, i) => (i * (side - 1)) / 255)
  const low = Uint8Array.from(place, (at) => Math.min(side - 2, Math.floor(at)))
  const part = Float32Array.from(place, (at, i) => at - low[i]!)
  const down = 3 * side
  const deep = down * side
  for (let i = 0; i < pixels.length; i += 4) {
    const red = pixels[i]!
    const green = pixels[i + 1]!
    const blue = pixels[i + 2]!
    const at = 3 * low[red]! + down * low[green]! + deep * low[blue]!
    const r = part[red]!
    const g = part[green]!
    const b = part[blue]!
    for (let c = 0; c < 3; c++) {
      const k = at + c
      const near = mix(row(numbers, k, r), row(numbers, k + down, r), g)
      const far = mix(row(numbers, k + deep, r), row(numbers, k + deep + down, r), g)
      pixels[i + c] = curve[Math.max(0, Math.min(255, Math.round(mix(near, far, b))))]!
    }
  }
}

const mix = (from: number, to: number, part: number): number => from + (to - from) * part
const row = (from: Float32Array, at: number, part: number): number => mix(from[at]!, from[at + 3]!, part)
