import { describe, expect, it } from 'vitest'
import { fromMessage, toMessage, withoutPane, withPane, ALONE } from '@/view/beside/arrangement'
import {
  apply,
  fromPoints,
  fromSights,
  inverse,
  onMiddle,
  regionThere,
  turnedOver,
  type Similar,
} from '@/view/beside/similar'
import { toScreen } from '@/view/geometry'

const HERE = { region: { cx: 1000, cy: 2000, w: 800, h: 600, rotation: 30 }, scale: 2 }
const POINTS = [
  { x: 1000, y: 2000 },
  { x: 1240, y: 1810 },
  { x: 700, y: 2333 },
]
const LIES: Similar[] = [
  { a: 1, b: 0, x: 10, y: -20, over: false },
  { a: 0.4, b: 1.1, x: -300, y: 512, over: false },
  { a: -1.7, b: 0.3, x: 4000, y: 100, over: true },
]

describe('how a slide lies on another', () => {
  it.each(LIES)('there and back is where it was: %o', (one) => {
    for (const point of POINTS) {
      const back = apply(inverse(one), apply(one, point))
      expect(back.x).toBeCloseTo(point.x)
      expect(back.y).toBeCloseTo(point.y)
    }
  })

  it.each(LIES)('two points say it: %o', (one) => {
    const found = fromPoints([POINTS[0], POINTS[1]], [apply(one, POINTS[0]), apply(one, POINTS[1])], one.over)
    for (const name of ['a', 'b', 'x', 'y'] as const) expect(found?.[name]).toBeCloseTo(one[name])
    expect(fromPoints([POINTS[0], POINTS[0]], [POINTS[0], POINTS[1]], false)).toBeNull()
  })

  it.each(LIES.flatMap((one) => [false, true].map((mirror) => ({ one, mirror }))))(
    'the same tissue is at the same place of both views, turned and mirrored: %o',
    ({ one, mirror }) => {
      const here = { ...HERE, region: { ...HERE.region, mirror } }
      const there = regionThere(one, here, 400)
      for (const point of POINTS) {
        const at = toScreen(point, here.region, here.scale, 400, 300)
        const other = toScreen(apply(one, point), there, there.w / 400, 400, 300)
        expect(other.x).toBeCloseTo(at.x, 6)
        expect(other.y).toBeCloseTo(at.y, 6)
      }
      // and what two views show says how they lie
      const again = fromSights(here, { region: there, scale: there.w / 400 })
      for (const name of ['a', 'b', 'x', 'y'] as const) expect(again[name]).toBeCloseTo(one[name], 6)
      expect(again.over).toBe(one.over)
    },
  )

  it('turned over, what lies in the middle stays there', () => {
    const turned = turnedOver(LIES[1], POINTS[0])
    expect(turned.over).toBe(true)
    expect(apply(turned, POINTS[0]).x).toBeCloseTo(apply(LIES[1], POINTS[0]).x)
    expect(turnedOver(turned, POINTS[0]).x).toBeCloseTo(LIES[1].x)
  })

  it('begins middle on middle at one scale', () => {
    const on = onMiddle({ width: 1000, height: 500, mpp: 0.5 }, { width: 4000, height: 1000, mpp: 0.25 })
    expect(on.a).toBe(2)
    expect(apply(on, { x: 500, y: 250 })).toEqual({ x: 2000, y: 500 })
    expect(onMiddle({ width: 100, height: 100, mpp: 0 }, { width: 300, height: 200, mpp: 0.25 }).a).toBe(3)
  })
})

describe('an arrangement', () => {
  it('has three beside the open one at most, each once, and goes over the line', () => {
    let all = ALONE
    for (const file of ['a', 'b', 'c', 'd', 'b']) all = withPane(all, file, LIES[0])
    expect(all.panes.map(({ file }) => file)).toEqual(['b', 'c', 'd'])
    expect(withoutPane(all, 'c').panes).toHaveLength(2)
    expect(fromMessage(toMessage(all))).toEqual(all)
    expect(fromMessage(undefined)).toEqual(ALONE)
  })
})
