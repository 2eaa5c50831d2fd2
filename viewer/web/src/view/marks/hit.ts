/* What lies under a finger or the mouse: everything in pixels of the screen. Pure. */
import { between, holds, isBox, isRound, toSegment, type Point, type Shape } from './shape'

/** `reach`: how far from a line a finger still means it. */
export function isHit(shape: Shape, at: Point, reach: number, filled: boolean): boolean {
  const { kind, points } = shape
  if (kind === 'count' || kind === 'text') return points.some((point) => between(point, at) <= reach + 4)
  if (filled && holds(shape, at)) return true
  const line = isRound(kind) ? roundLine(points) : points
  const closed = kind === 'area' || isBox(kind)
  for (let i = closed ? 0 : 1; i < line.length; i++) {
    if (toSegment(at, line[(i || line.length) - 1], line[i]) <= reach) return true
  }
  return false
}

/** The topmost: drawn last. */
export function hitAmong(shapes: Shape[], at: Point, reach: number): number {
  for (let i = shapes.length - 1; i >= 0; i--) if (isHit(shapes[i], at, reach, false)) return i
  return -1
}

/** -1: none. */
export function handleAt(points: Point[], at: Point, reach: number): number {
  let [nearest, found] = [reach, -1]
  points.forEach((point, i) => {
    const distance = between(point, at)
    if (distance <= nearest) [nearest, found] = [distance, i]
  })
  return found
}

const CORNERS = 48
export function roundLine([a, b, c]: Point[], corners = CORNERS): Point[] {
  const at = { x: (a.x + c.x) / 2, y: (a.y + c.y) / 2 }
  const [u, v] = [
    { x: (b.x - a.x) / 2, y: (b.y - a.y) / 2 },
    { x: (c.x - b.x) / 2, y: (c.y - b.y) / 2 },
  ]
  return Array.from({ length: corners }, (_none, i) => {
    const t = (2 * Math.PI * i) / corners
    return { x: at.x + u.x * Math.cos(t) + v.x * Math.sin(t), y: at.y + u.y * Math.cos(t) + v.y * Math.sin(t) }
  })
}
