/* How an image lies on screen. Pure. */
import type { Point, Scale } from './measure'
import type { Turn } from './space'

export interface Look extends Turn {
  /** Times the size at which the whole image fits. */
  readonly zoom: number
  /** Of the image's middle against the screen's, in screen pixels. */
  readonly x: number
  readonly y: number
}

export const WHOLE: Look = { zoom: 1, x: 0, y: 0, rotation: 0, mirror: false }

interface Frame {
  readonly columns: number
  readonly rows: number
  readonly scale: Scale
}

/** [a, b, c, d, e, f] as a canvas takes it: places of the image (the middle of its first pixel is 0, 0) to places of a screen of `width` × `height`. */
export type Matrix = readonly [number, number, number, number, number, number]

export function matrixOf(frame: Frame, look: Look, width: number, height: number): Matrix {
  // pixels that are not square are shown as they are in the patient
  const tall = frame.scale.source === 'none' ? 1 : frame.scale.down / frame.scale.across
  const lies = look.rotation % 180 !== 0
  const [across, down] = lies ? [frame.rows * tall, frame.columns] : [frame.columns, frame.rows * tall]
  const size = Math.min(width / across, height / down) * look.zoom
  const turn = (look.rotation * Math.PI) / 180
  const side = look.mirror ? -1 : 1
  const [a, b] = [side * size * Math.cos(turn), size * Math.sin(turn)]
  const [c, d] = [-side * size * tall * Math.sin(turn), size * tall * Math.cos(turn)]
  const [middleX, middleY] = [(frame.columns - 1) / 2, (frame.rows - 1) / 2]
  return [a, b, c, d, width / 2 + look.x - a * middleX - c * middleY, height / 2 + look.y - b * middleX - d * middleY]
}

export const onScreen = ([a, b, c, d, e, f]: Matrix, { x, y }: Point): Point => ({
  x: a * x + c * y + e,
  y: b * x + d * y + f,
})

export function onImage([a, b, c, d, e, f]: Matrix, { x, y }: Point): Point {
  const whole = a * d - b * c
  return { x: (d * (x - e) - c * (y - f)) / whole, y: (a * (y - f) - b * (x - e)) / whole }
}

/** Zoomed by `by`, with what lies at `at` of a screen staying there. */
export function zoomed(look: Look, by: number, at: Point, width: number, height: number): Look {
  const zoom = Math.min(40, Math.max(0.2, look.zoom * by))
  const grows = zoom / look.zoom
  const [fromX, fromY] = [at.x - width / 2, at.y - height / 2]
  return { ...look, zoom, x: fromX - (fromX - look.x) * grows, y: fromY - (fromY - look.y) * grows }
}

/** Millimetres of a screen pixel along the screen's width; 0 without a scale. */
export function perPixel(frame: Frame, matrix: Matrix): number {
  if (frame.scale.source === 'none') return 0
  const [one, other] = [onImage(matrix, { x: 0, y: 0 }), onImage(matrix, { x: 1, y: 0 })]
  return Math.hypot((other.x - one.x) * frame.scale.across, (other.y - one.y) * frame.scale.down)
}
