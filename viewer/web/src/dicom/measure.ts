/* Lengths, angles and statistics on one image. Points are in pixels of the image (column, row); whole numbers are the middles of pixels. Pure arithmetic. */

export interface Point {
  readonly x: number
  readonly y: number
}

/**
 * Where an image's scale comes from (PS3.3 C.7.6.3.1.1, C.8.7.1.1.3, C.8.5.5): in the patient, at the detector (larger than the patient, and marked so), by
 * the calibration of an ultrasound region, or from nowhere: then lengths are in pixels.
 */
export type ScaleSource = 'patient' | 'detector' | 'region' | 'none'

export interface Scale {
  /** Millimetres of a step along a row, and down a column; both 1 where the source is "none". */
  readonly across: number
  readonly down: number
  readonly source: ScaleSource
}

export interface Statistics {
  readonly count: number
  readonly mean: number
  /** Of the population: divided by the count. */
  readonly deviation: number
  readonly least: number
  readonly most: number
  /** Square millimetres of the pixels counted, square pixels without a scale. */
  readonly area: number
}

/** PixelSpacing is rows' distance first, then columns' (PS3.3 10.7.1.3). It is taken before ImagerPixelSpacing, which is marked. */
export function scaleOf(pixelSpacing?: readonly number[], imagerPixelSpacing?: readonly number[]): Scale {
  if (usable(pixelSpacing)) return { across: pixelSpacing[1], down: pixelSpacing[0], source: 'patient' }
  if (usable(imagerPixelSpacing)) {
    return { across: imagerPixelSpacing[1], down: imagerPixelSpacing[0], source: 'detector' }
  }
  return { across: 1, down: 1, source: 'none' }
}

function usable(spacing: readonly number[] | undefined): spacing is readonly [number, number] {
  return spacing?.length === 2 && spacing.every((value) => Number.isFinite(value) && value > 0)
}

export function length(from: Point, to: Point, scale: Scale): number {
  return Math.hypot((to.x - from.x) * scale.across, (to.y - from.y) * scale.down)
}

/** Degrees at `corner`, 0 to 180; undefined where an arm has no length. */
export function angle(from: Point, corner: Point, to: Point, scale: Scale): number | undefined {
  return between(arm(corner, from, scale), arm(corner, to, scale))
}

/** The Cobb angle of two lines, 0 to 90 degrees: which end of a line was drawn first does not matter. */
export function cobb(one: readonly [Point, Point], other: readonly [Point, Point], scale: Scale): number | undefined {
  const degrees = between(arm(one[0], one[1], scale), arm(other[0], other[1], scale))
  return degrees === undefined ? undefined : Math.min(degrees, 180 - degrees)
}

function arm(from: Point, to: Point, scale: Scale): Point {
  return { x: (to.x - from.x) * scale.across, y: (to.y - from.y) * scale.down }
}

function between(one: Point, other: Point): number | undefined {
  if (Math.hypot(one.x, one.y) === 0 || Math.hypot(other.x, other.y) === 0) return undefined
  const turned = Math.atan2(one.x * other.y - one.y * other.x, one.x * other.x + one.y * other.y)
  return (Math.abs(turned) * 180) / Math.PI
}

/** The pixels of an image with their meaning: a value is `stored * slope + intercept`. */
export interface Pixels {
  readonly stored: ArrayLike<number>
  readonly columns: number
  readonly rows: number
  readonly slope: number
  readonly intercept: number
}

/** Statistics of the pixels whose middle lies in the shape between two corners; undefined where there is none. */
export function statistics(
  pixels: Pixels,
  shape: 'rectangle' | 'ellipse',
  corners: readonly [Point, Point],
  scale: Scale,
): Statistics | undefined {
  const [low, high] = bounds(corners)
  const middle = { x: (low.x + high.x) / 2, y: (low.y + high.y) / 2 }
  const radius = { x: (high.x - low.x) / 2, y: (high.y - low.y) / 2 }
  const within = (x: number, y: number) =>
    shape === 'rectangle' || ((x - middle.x) / radius.x) ** 2 + ((y - middle.y) / radius.y) ** 2 <= 1
  // Welford's sums: squares of 16-bit values with a large mean would lose the deviation
  let count = 0
  let mean = 0
  let squares = 0
  let least = Infinity
  let most = -Infinity
  for (let y = Math.max(0, Math.ceil(low.y)); y <= Math.min(pixels.rows - 1, high.y); y++) {
    for (let x = Math.max(0, Math.ceil(low.x)); x <= Math.min(pixels.columns - 1, high.x); x++) {
      if (!within(x, y)) continue
      const value = pixels.stored[y * pixels.columns + x]! * pixels.slope + pixels.intercept
      const off = value - mean
      mean += off / ++count
      squares += off * (value - mean)
      least = Math.min(least, value)
      most = Math.max(most, value)
    }
  }
  if (count === 0) return undefined
  return { count, mean, deviation: Math.sqrt(squares / count), least, most, area: count * scale.across * scale.down }
}

function bounds([one, other]: readonly [Point, Point]): [Point, Point] {
  return [
    { x: Math.min(one.x, other.x), y: Math.min(one.y, other.y) },
    { x: Math.max(one.x, other.x), y: Math.max(one.y, other.y) },
  ]
}
