/*
 * How one slide lies on another: turned, enlarged, moved, and perhaps turned over (a section that was mounted the other way round). Points are in full-size pixels
 * of either slide. Pure arithmetic.
 */
import { normalRotation } from '../geometry'
import type { Region } from '../link'

export interface Point {
  readonly x: number
  readonly y: number
}

/** (x', y') = (a·x - b·y + x0, b·x + a·y + y0); `over`: of (-x, y) instead of (x, y). */
export interface Similar {
  readonly a: number
  readonly b: number
  readonly x: number
  readonly y: number
  readonly over: boolean
}

export const SAME: Similar = { a: 1, b: 0, x: 0, y: 0, over: false }

/** How many pixels of the other slide one of this has. */
export const sizeOf = ({ a, b }: Similar): number => Math.hypot(a, b)
/** Degrees clockwise. */
const angleOf = ({ a, b }: Similar): number => (Math.atan2(b, a) * 180) / Math.PI

export function apply({ a, b, x, y, over }: Similar, point: Point): Point {
  const px = over ? -point.x : point.x
  return { x: a * px - b * point.y + x, y: b * px + a * point.y + y }
}

/** From the other slide to this one. */
export function inverse(one: Similar): Similar {
  const square = one.a * one.a + one.b * one.b
  const a = one.a / square
  // what is turned over turns back the same way
  const b = (one.over ? one.b : -one.b) / square
  const turned = apply({ a, b, x: 0, y: 0, over: one.over }, { x: one.x, y: one.y })
  return { a, b, x: -turned.x, y: -turned.y, over: one.over }
}

/** The same, the other slide turned over about what lies on `point` of this one. */
export function turnedOver(one: Similar, point: Point): Similar {
  const other = { ...one, over: !one.over }
  const [before, after] = [apply(one, point), apply(other, point)]
  return { ...other, x: one.x + before.x - after.x, y: one.y + before.y - after.y }
}

/** From two places of this slide and the same two of the other; null where they lie on one spot. */
export function fromPoints(
  here: readonly [Point, Point],
  there: readonly [Point, Point],
  over: boolean,
): Similar | null {
  const side = over ? -1 : 1
  const dx = side * (here[1].x - here[0].x)
  const dy = here[1].y - here[0].y
  const ex = there[1].x - there[0].x
  const ey = there[1].y - there[0].y
  const square = dx * dx + dy * dy
  if (!(square > 0) || !(ex * ex + ey * ey > 0)) return null
  const turned = { a: (ex * dx + ey * dy) / square, b: (ey * dx - ex * dy) / square, x: 0, y: 0, over }
  const from = apply(turned, here[0])
  return { ...turned, x: there[0].x - from.x, y: there[0].y - from.y }
}

/** A view of a slide: where, and picture pixels per pixel of the screen. */
export interface Sight {
  readonly region: Region
  readonly scale: number
}

/** As two views show them now, their middles on each other. */
export function fromSights(here: Sight, there: Sight): Similar {
  const over = !!here.region.mirror !== !!there.region.mirror
  const degrees = over ? -here.region.rotation - there.region.rotation : here.region.rotation - there.region.rotation
  const size = there.scale / here.scale
  const angle = (degrees * Math.PI) / 180
  const turned = { a: size * Math.cos(angle), b: size * Math.sin(angle), x: 0, y: 0, over }
  const from = apply(turned, { x: here.region.cx, y: here.region.cy })
  return { ...turned, x: there.region.cx - from.x, y: there.region.cy - from.y }
}

/** What a view of the other slide shows so that the same tissue is at the same place of the screen; it is `width` pixels wide. */
export function regionThere(one: Similar, here: Sight, width: number): Region {
  const { x, y } = apply(one, { x: here.region.cx, y: here.region.cy })
  const degrees = angleOf(one)
  const rotation = normalRotation(one.over ? -here.region.rotation - degrees : here.region.rotation - degrees)
  const mirror = !!here.region.mirror !== one.over
  // its height is none, so that its width alone says how large it is
  return { cx: x, cy: y, w: sizeOf(one) * here.scale * width, h: 0, rotation, ...(mirror && { mirror }) }
}

/** The middle of one on the middle of the other, at one scale where both say theirs (µm per pixel; 0: not said), else as large on screen. */
export function onMiddle(
  here: { width: number; height: number; mpp: number },
  there: { width: number; height: number; mpp: number },
): Similar {
  const size =
    here.mpp > 0 && there.mpp > 0
      ? here.mpp / there.mpp
      : Math.max(there.width / here.width, there.height / here.height)
  return {
    a: size,
    b: 0,
    x: there.width / 2 - (size * here.width) / 2,
    y: there.height / 2 - (size * here.height) / 2,
    over: false,
  }
}
