/* What is drawn on a picture and what it measures, in pixels of the picture at full size. Pure; consult/mark/shape.c measures the same way. */
export interface Point {
  x: number
  y: number
}

export const KINDS = [
  'distance',
  'polyline',
  'area',
  'rectangle',
  'ellipse',
  'angle',
  'arrow',
  'text',
  'count',
  'frame_square',
  'frame_circle',
] as const
export type Kind = (typeof KINDS)[number]

export interface Shape {
  kind: Kind
  points: Point[]
}

export const MOST_POINTS = 10_000
export const MOST_CHARACTERS = 500
/** Of a mitosis counting frame. */
export const FRAME_MM2 = 2

/** How many points a kind has: exactly so many, or from `least` on. */
export const LEAST: Record<Kind, number> = {
  distance: 2,
  polyline: 2,
  area: 3,
  rectangle: 4,
  ellipse: 4,
  angle: 3,
  arrow: 2,
  text: 1,
  count: 1,
  frame_square: 4,
  frame_circle: 4,
}
export const isFree = (kind: Kind): boolean => kind === 'polyline' || kind === 'area' || kind === 'count'
export const isFrame = (kind: Kind): boolean => kind === 'frame_square' || kind === 'frame_circle'
export const isRound = (kind: Kind): boolean => kind === 'ellipse' || kind === 'frame_circle'
/** Has four corners that stay a parallelogram. */
export const isBox = (kind: Kind): boolean => kind === 'rectangle' || kind === 'ellipse' || isFrame(kind)
export const isArea = (kind: Kind): boolean => kind === 'area' || isBox(kind)

export const between = (a: Point, b: Point): number => Math.hypot(b.x - a.x, b.y - a.y)

function along(points: Point[], closed: boolean): number {
  let sum = 0
  for (let i = 1; i < points.length; i++) sum += between(points[i - 1], points[i])
  return closed && points.length > 1 ? sum + between(points[points.length - 1], points[0]) : sum
}

/** Relative to the first point: no digits are lost far from the corner of a large slide. */
function twice(points: Point[]): number {
  const [first] = points
  let sum = 0
  for (let i = 1; i + 1 < points.length; i++) {
    const [a, b] = [points[i], points[i + 1]]
    sum += (a.x - first.x) * (b.y - first.y) - (b.x - first.x) * (a.y - first.y)
  }
  return sum
}

/** Around an ellipse (Ramanujan's second). */
function around([a, b, c]: Point[]): number {
  const [wide, high] = [between(a, b) / 2, between(b, c) / 2]
  const h = wide + high > 0 ? ((wide - high) / (wide + high)) ** 2 : 0
  return Math.PI * (wide + high) * (1 + (3 * h) / (10 + Math.sqrt(4 - 3 * h)))
}

export function angleOf([a, at, b]: Point[]): number {
  const [ax, ay, bx, by] = [a.x - at.x, a.y - at.y, b.x - at.x, b.y - at.y]
  return Math.abs((Math.atan2(ax * by - ay * bx, ax * bx + ay * by) * 180) / Math.PI)
}

/** In pixels, square pixels and degrees; null: it has none. */
export interface Measure {
  length: number | null
  area: number | null
  degrees: number | null
}

export function measureOf({ kind, points }: Shape): Measure {
  const none = { length: null, area: null, degrees: null }
  if (kind === 'distance' || kind === 'polyline') return { ...none, length: along(points, false) }
  if (kind === 'angle') return { ...none, degrees: points.length === 3 ? angleOf(points) : null }
  if (!isArea(kind)) return none
  const area = (Math.abs(twice(points)) / 2) * (isRound(kind) ? Math.PI / 4 : 1)
  return { ...none, area, length: isRound(kind) ? around(points) : along(points, true) }
}

export const middle = (points: Point[]): Point => {
  const box = boxOf(points)
  return { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 }
}

export interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

export function boxOf(points: Point[]): Box {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity }
  for (const { x, y } of points) {
    box.left = Math.min(box.left, x)
    box.top = Math.min(box.top, y)
    box.right = Math.max(box.right, x)
    box.bottom = Math.max(box.bottom, y)
  }
  return box
}

/** Where a place lies in a parallelogram: both are -1…1 inside it; null for one that is flat. */
function within([a, b, c]: Point[], at: Point): { u: number; v: number } | null {
  const [ux, uy, vx, vy] = [(b.x - a.x) / 2, (b.y - a.y) / 2, (c.x - b.x) / 2, (c.y - b.y) / 2]
  const det = ux * vy - uy * vx
  if (det === 0) return null
  const [dx, dy] = [at.x - (a.x + c.x) / 2, at.y - (a.y + c.y) / 2]
  return { u: (dx * vy - dy * vx) / det, v: (dy * ux - dx * uy) / det }
}

export function holds({ kind, points }: Shape, at: Point): boolean {
  if (isBox(kind)) {
    const place = within(points, at)
    if (!place) return false
    return isRound(kind) ? place.u ** 2 + place.v ** 2 <= 1 : Math.abs(place.u) <= 1 && Math.abs(place.v) <= 1
  }
  if (kind !== 'area') return false
  let inside = false
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const [a, b] = [points[i], points[j]]
    if (a.y > at.y !== b.y > at.y && at.x < a.x + ((at.y - a.y) / (b.y - a.y)) * (b.x - a.x)) inside = !inside
  }
  return inside
}

export const countInside = (frame: Shape, counts: Shape[]): number =>
  counts.reduce((sum, { points }) => sum + points.filter((at) => holds(frame, at)).length, 0)

export const moved = (points: Point[], dx: number, dy: number): Point[] =>
  points.map(({ x, y }) => ({ x: x + dx, y: y + dy }))

/** A corner goes to `to`, the one opposite stays, and its sides keep their directions. */
function cornerMoved(points: Point[], index: number, to: Point): Point[] {
  const [a, b, c] = points
  const still = points[(index + 2) % 4]
  const wide = between(a, b) || 1
  const high = between(b, c) || 1
  const [u, v] = [
    { x: (b.x - a.x) / wide, y: (b.y - a.y) / wide },
    { x: (c.x - b.x) / high, y: (c.y - b.y) / high },
  ]
  const det = u.x * v.y - u.y * v.x || 1
  const [dx, dy] = [to.x - still.x, to.y - still.y]
  const [du, dv] = [(dx * v.y - dy * v.x) / det, (dy * u.x - dx * u.y) / det]
  const beside = { x: still.x + u.x * du, y: still.y + u.y * du }
  const other = { x: still.x + v.x * dv, y: still.y + v.y * dv }
  const result = [...points]
  result[index] = to
  // the sides from an even corner to the next go along u
  result[(index + 1) % 4] = index % 2 === 0 ? other : beside
  result[(index + 3) % 4] = index % 2 === 0 ? beside : other
  return result
}

export function pointMoved({ kind, points }: Shape, index: number, to: Point): Point[] {
  if (isFrame(kind)) return points
  if (isBox(kind)) return cornerMoved(points, index, to)
  return points.map((point, i) => (i === index ? to : point))
}

/** Corners of a counting frame around a place; null where the slide has no scale. */
export function frameAt(kind: Kind, at: Point, mpp: number): Point[] | null {
  if (!(mpp > 0)) return null
  const square = FRAME_MM2 * 1e6
  const half = (kind === 'frame_circle' ? Math.sqrt(square / Math.PI) : Math.sqrt(square) / 2) / mpp
  return [
    { x: at.x - half, y: at.y - half },
    { x: at.x + half, y: at.y - half },
    { x: at.x + half, y: at.y + half },
    { x: at.x - half, y: at.y + half },
  ]
}

/** As the server keeps it. */
export const rounded = (points: Point[]): Point[] =>
  points.map(({ x, y }) => ({ x: Math.round(x * 100) / 100, y: Math.round(y * 100) / 100 }))

/** Leaves out what a hand's line does not need: points nearer than `within` to the line between its neighbours (Ramer, Douglas and Peucker). */
export function thinned(points: Point[], within: number): Point[] {
  if (points.length < 3) return points
  const keep = new Array<boolean>(points.length).fill(false)
  keep[0] = keep[points.length - 1] = true
  const open: [number, number][] = [[0, points.length - 1]]
  for (let part = open.pop(); part; part = open.pop()) {
    const [from, to] = part
    let [farthest, at] = [within, -1]
    for (let i = from + 1; i < to; i++) {
      const distance = toSegment(points[i], points[from], points[to])
      if (distance > farthest) [farthest, at] = [distance, i]
    }
    if (at < 0) continue
    keep[at] = true
    open.push([from, at], [at, to])
  }
  return points.filter((_point, i) => keep[i])
}

export function toSegment(at: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y]
  const square = dx * dx + dy * dy
  const t = square > 0 ? Math.max(0, Math.min(1, ((at.x - a.x) * dx + (at.y - a.y) * dy) / square)) : 0
  return Math.hypot(at.x - a.x - t * dx, at.y - a.y - t * dy)
}
