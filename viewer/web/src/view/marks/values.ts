/* Measures as people read them: µm and mm where the slide has a scale, px where it has none. Pure. */
import { countInside, isFrame, measureOf, type Shape } from './shape'

const digits = (value: number, most: number) => String(Number(value.toFixed(most)))

/** `mpp`: µm per pixel, 0 for no scale. */
export function lengthValue(pixels: number, mpp: number): string {
  if (!(mpp > 0)) return `${digits(pixels, pixels < 100 ? 1 : 0)} px`
  const microns = pixels * mpp
  return microns < 1000 ? `${digits(microns, microns < 100 ? 2 : 1)} µm` : `${digits(microns / 1000, 3)} mm`
}

export function areaValue(square: number, mpp: number): string {
  if (!(mpp > 0)) return `${digits(square, 0)} px²`
  const microns = square * mpp * mpp
  if (microns < 1e4) return `${digits(microns, microns < 100 ? 2 : 1)} µm²`
  return `${digits(microns / 1e6, microns < 1e6 ? 4 : 3)} mm²`
}

/** What stands at a mark; '' for one that measures nothing. `counts`: what a frame counts. */
export function valueOf(shape: Shape, mpp: number, counts: Shape[]): string {
  if (isFrame(shape.kind)) return `${countInside(shape, counts)} / 2 mm²`
  if (shape.kind === 'count') return String(shape.points.length)
  const { length, area, degrees } = measureOf(shape)
  if (degrees !== null) return `${digits(degrees, 1)}°`
  if (area !== null) return areaValue(area, mpp)
  return length === null ? '' : lengthValue(length, mpp)
}

/** Around an area, for the list. */
export function aroundOf(shape: Shape, mpp: number): string {
  const { length, area } = measureOf(shape)
  return area === null || length === null || isFrame(shape.kind) ? '' : lengthValue(length, mpp)
}
