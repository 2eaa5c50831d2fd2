import { expect, test } from 'vitest'
import { toScreen } from '@/view/geometry'
import { Heading } from '@/view/together/ahead'
import { matrixOf, pathOf } from '@/view/together/place'
import { Trail, TRAIL_MS } from '@/view/together/trail'

const region = { cx: 12000, cy: 9000, w: 3000, h: 2000, rotation: 33, mirror: true }

test('a layer lies on screen as its picture does, turned and mirrored', () => {
  const put = (x: number, y: number) => toScreen({ x, y }, region, 2.5, 1200, 800)
  const [a, b, c, d, e, f] = (/\(([^)]+)\)/.exec(matrixOf(put))?.[1] ?? '').split(' ').map(Number) as number[]
  for (const [x, y] of [
    [12000, 9000],
    [11000.5, 9500.25],
    [200, 17000],
  ] as const) {
    const wanted = put(x, y)
    expect((a as number) * x + (c as number) * y + (e as number)).toBeCloseTo(wanted.x, 3)
    expect((b as number) * x + (d as number) * y + (f as number)).toBeCloseTo(wanted.y, 3)
  }
  expect(matrixOf(() => null)).toBe('')
})

test('a stroke is a path, a single point a dot', () => {
  expect(pathOf([1, 2, 3, 4])).toBe('M1 2L3 4')
  expect(pathOf([1, 2])).toBe('M1 2L1 2')
  expect(pathOf([])).toBe('')
})

test('a trail fades from its oldest end', () => {
  const trail = new Trail()
  for (const at of [0, 300, 600]) trail.add(at, 0, at)
  trail.add(600, 0, 700)
  const pieces = trail.pieces(700)
  expect(pieces.map(({ from, to }) => [from.x, to.x])).toEqual([
    [0, 300],
    [300, 600],
  ])
  expect((pieces[0]?.fresh ?? 1) < (pieces[1]?.fresh ?? 0)).toBe(true)
  expect(trail.pieces(600 + TRAIL_MS)).toEqual([])
})

test('a moving view heads on, one that stands or jumped does not', () => {
  const heading = new Heading()
  const at = (cx: number, w = 1000) => ({ cx, cy: 500, w, h: (w * 2) / 3, rotation: 0 })
  expect(heading.note(at(1000), 0)).toBeNull()
  expect(heading.note(at(1050), 50)).toBeNull()
  const next = heading.note(at(1100), 100)
  expect(next?.cx).toBeCloseTo(1500)
  expect(next?.w).toBeCloseTo(1000)
  const still = new Heading()
  for (let ms = 0; ms <= 200; ms += 50) expect(still.note(at(1000), ms)).toBeNull()
  const jump = new Heading()
  jump.note(at(1000), 0)
  jump.note(at(1000), 50)
  expect(jump.note(at(9000), 60)).toBeNull()
  const zooms = new Heading()
  zooms.note(at(1000, 1000), 0)
  zooms.note(at(1000, 900), 50)
  const deeper = zooms.note(at(1000, 800), 100)
  expect(deeper?.w).toBeCloseTo(400) // no faster than a hand
})
