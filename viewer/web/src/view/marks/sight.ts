/* Marks on the screen: the one transform of all outlines, and what keeps its size whatever the magnification. Pure. */
import type { Mark } from './book'
import { roundLine } from './hit'
import { boxOf, isArea, isBox, isFrame, isRound, type Kind, type Point, type Shape } from './shape'
import { valueOf } from './values'

type ToScreen = (at: Point) => Point

const FAR = 1000
const ROUND = 128
/** More numbers than these on screen are a blur. */
const MOST_NUMBERS = 400

/** From the picture's pixels to the screen's: turned and mirrored as the picture is. */
export function matrixOf(toScreen: ToScreen): string {
  const [o, x, y] = [toScreen({ x: 0, y: 0 }), toScreen({ x: FAR, y: 0 }), toScreen({ x: 0, y: FAR })]
  const values = [x.x - o.x, x.y - o.y, y.x - o.x, y.y - o.y].map((value) => value / FAR)
  return `matrix(${[...values, o.x, o.y].join(' ')})`
}

/** The line of a shape; of things that are counted, a dot each. */
export function lineOf({ kind, points }: Shape): string {
  if (points.length === 0 || kind === 'text') return ''
  const line = isRound(kind) && points.length === 4 ? roundLine(points, ROUND) : points
  if (kind === 'count') return line.map(({ x, y }) => `M${x} ${y}h0`).join('')
  const path = line.map(({ x, y }, i) => `${i ? 'L' : 'M'}${x} ${y}`).join('')
  return isArea(kind) ? `${path}Z` : path
}

const HEAD = 13
/** The head of an arrow, in pixels of the screen. */
export function headOf([from, to]: Point[], toScreen: ToScreen): string {
  const [a, b] = [toScreen(from), toScreen(to)]
  const angle = Math.atan2(b.y - a.y, b.x - a.x)
  const side = (turn: number) => `${b.x - HEAD * Math.cos(angle + turn)} ${b.y - HEAD * Math.sin(angle + turn)}`
  return `M${side(0.45)}L${b.x} ${b.y}L${side(-0.45)}`
}

export interface Label {
  key: string
  text: string
  x: number
  y: number
  anchor: 'middle' | 'start'
}

/** Where a mark's words stand on screen. */
function placeOf(kind: Kind, points: Point[], toScreen: ToScreen): { at: Point; anchor: Label['anchor'] } {
  if (kind === 'text') return { at: toScreen(points[0]), anchor: 'start' }
  if (kind === 'arrow' || kind === 'count') {
    const at = toScreen(points[0])
    return { at: { x: at.x + 10, y: at.y - 10 }, anchor: 'start' }
  }
  if (kind === 'angle') {
    const at = toScreen(points[1])
    return { at: { x: at.x, y: at.y + 18 }, anchor: 'middle' }
  }
  const { left, top, right, bottom } = boxOf(points)
  const corners = isBox(kind)
    ? points
    : [
        { x: left, y: top },
        { x: right, y: top },
        { x: right, y: bottom },
        { x: left, y: bottom },
      ]
  const box = boxOf(corners.map(toScreen))
  return { at: { x: (box.left + box.right) / 2, y: box.bottom + 16 }, anchor: 'middle' }
}

/** What stands at a mark: its value, then its words. */
export function wordsOf(mark: Mark, mpp: number, counts: Shape[]): string {
  const value = valueOf(mark, mpp, counts)
  if (mark.kind === 'count') return mark.text ? `${mark.text}: ${value}` : value
  return [value, mark.text].filter(Boolean).join('  ')
}

const EDGE = 200
const isNear = ({ x, y }: Point, width: number, height: number) =>
  x > -EDGE && y > -EDGE && x < width + EDGE && y < height + EDGE

export function labelsOf(
  marks: Mark[],
  toScreen: ToScreen,
  mpp: number,
  size: { width: number; height: number },
): Label[] {
  const counts = marks.filter(({ kind }) => kind === 'count')
  return marks.flatMap((mark) => {
    if (mark.points.length === 0) return []
    const { at, anchor } = placeOf(mark.kind, mark.points, toScreen)
    const text = isNear(at, size.width, size.height) ? wordsOf(mark, mpp, isFrame(mark.kind) ? counts : []) : ''
    return text ? [{ key: mark.key, text, x: at.x, y: at.y, anchor }] : []
  })
}

/** The numbers of counted things that are on screen. */
export function numbersOf(
  marks: Mark[],
  toScreen: ToScreen,
  size: { width: number; height: number },
): { key: string; text: string; x: number; y: number; colour: string }[] {
  const found: { key: string; text: string; x: number; y: number; colour: string }[] = []
  for (const { key, points, colour } of marks.filter(({ kind }) => kind === 'count')) {
    points.forEach((point, i) => {
      if (found.length > MOST_NUMBERS) return
      const { x, y } = toScreen(point)
      if (x > 0 && y > 0 && x < size.width && y < size.height)
        found.push({ key: `${key}-${i}`, text: String(i + 1), x: x + 7, y: y + 14, colour })
    })
  }
  return found.length > MOST_NUMBERS ? [] : found
}
