import { expect, test } from 'vitest'
import { isHit, roundLine } from '@/view/marks/hit'
import { countInside, frameAt, holds, measureOf, pointMoved, thinned, type Kind, type Point } from '@/view/marks/shape'
import { areaValue, lengthValue, valueOf } from '@/view/marks/values'

const at = (...pairs: [number, number][]): Point[] => pairs.map(([x, y]) => ({ x, y }))

test('measures as the server does', () => {
  const cases: [Kind, Point[], number | null, number | null, number | null][] = [
    ['distance', at([100, 100], [103, 104]), 5, null, null],
    ['polyline', at([0, 0], [3, 4], [3, 10]), 11, null, null],
    ['area', at([1e5, 1e5], [1e5 + 10, 1e5], [1e5 + 10, 1e5 + 20], [1e5, 1e5 + 20]), 60, 200, null],
    ['rectangle', at([0, 0], [30, 40], [22, 46], [-8, 6]), 120, 500, null],
    ['ellipse', at([0, 0], [40, 0], [40, 20], [0, 20]), 96.8845, 628.319, null],
    ['angle', at([10, 0], [0, 0], [-5, 5]), null, null, 135],
    ['arrow', at([0, 0], [3, 4]), null, null, null],
  ]
  for (const [kind, points, length, area, degrees] of cases) {
    const found = measureOf({ kind, points })
    for (const [value, wanted] of [
      [found.length, length],
      [found.area, area],
      [found.degrees, degrees],
    ])
      if (wanted === null) expect(value, kind).toBeNull()
      else expect(Math.abs((value ?? 0) / wanted - 1), kind).toBeLessThan(1e-4)
  }
})

test('a frame has 2 mm² whatever its form, and counts what lies in it', () => {
  for (const kind of ['frame_square', 'frame_circle'] as const) {
    const points = frameAt(kind, { x: 5000, y: 5000 }, 0.25) ?? []
    expect(((measureOf({ kind, points }).area ?? 0) * 0.25 ** 2) / 1e6).toBeCloseTo(2, 6)
    const half = points[1].x - 5000
    const counts = [
      { kind: 'count' as const, points: at([5000, 5000], [5000 + half * 0.9, 5000 + half * 0.9], [0, 0]) },
    ]
    expect(countInside({ kind, points }, counts)).toBe(kind === 'frame_square' ? 2 : 1)
    expect(valueOf({ kind, points }, 0.25, counts)).toBe(kind === 'frame_square' ? '2 / 2 mm²' : '1 / 2 mm²')
  }
  expect(frameAt('frame_square', { x: 0, y: 0 }, 0)).toBeNull()
})

test('values in µm, mm and mm², and in px without a scale', () => {
  expect([10, 200, 8000].map((px) => lengthValue(px, 0.25))).toEqual(['2.5 µm', '50 µm', '2 mm'])
  expect([100, 1e5, 16e6].map((px) => areaValue(px, 0.25))).toEqual(['6.25 µm²', '6250 µm²', '1 mm²'])
  expect([lengthValue(12.34, 0), areaValue(99.6, 0)]).toEqual(['12.3 px', '100 px²'])
})

test('a corner that is moved leaves the opposite one and the directions of the sides', () => {
  const points = at([0, 0], [10, 0], [10, 20], [0, 20])
  expect(pointMoved({ kind: 'rectangle', points }, 2, { x: 30, y: 40 })).toEqual(at([0, 0], [30, 0], [30, 40], [0, 40]))
  expect(pointMoved({ kind: 'ellipse', points }, 1, { x: 30, y: -5 })).toEqual(at([0, -5], [30, -5], [30, 20], [0, 20]))
  expect(pointMoved({ kind: 'frame_square', points }, 1, { x: 30, y: -5 })).toEqual(points)
  expect(pointMoved({ kind: 'distance', points: at([0, 0], [5, 5]) }, 0, { x: 1, y: 2 })).toEqual(at([1, 2], [5, 5]))
})

test('what is under a finger', () => {
  const area = { kind: 'area' as const, points: at([0, 0], [100, 0], [0, 100]) }
  expect([holds(area, { x: 20, y: 20 }), holds(area, { x: 80, y: 80 })]).toEqual([true, false])
  expect(isHit(area, { x: 50, y: 54 }, 6, false)).toBe(true)
  expect(isHit(area, { x: 20, y: 20 }, 6, false)).toBe(false)
  expect(isHit(area, { x: 20, y: 20 }, 6, true)).toBe(true)
  const round = { kind: 'ellipse' as const, points: at([0, 0], [100, 0], [100, 100], [0, 100]) }
  expect(isHit(round, { x: 1, y: 50 }, 6, false)).toBe(true)
  expect(isHit(round, { x: 3, y: 3 }, 6, true)).toBe(false)
  expect(roundLine(round.points, 4)[0]).toEqual({ x: 100, y: 50 })
})

test('a line that a hand drew keeps its corners and loses the rest', () => {
  const line = Array.from({ length: 101 }, (_none, i) => ({ x: i, y: i <= 50 ? 0 : i - 50 }))
  expect(thinned(line, 0.5)).toEqual(at([0, 0], [50, 0], [100, 50]))
})
