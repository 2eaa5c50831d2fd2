import { expect, test } from 'vitest'
import { Seen, seenOf, stepOf } from '@/view/lens/seen'

const screen = (cx: number, cy: number, w: number, h: number, rotation = 0) => ({ cx, cy, w, h, rotation })

test('what is on screen enlarged counts once, by its share of the slide', () => {
  const seen = new Seen(9600, 4800)
  expect(seen.percent).toBe(0)
  expect(seen.look(screen(1200, 1200, 2400, 2400), 2)).toBe(true)
  expect(seen.percent).toBeCloseTo(12.5, 5)
  expect(seen.look(screen(1200, 1200, 2400, 2400), 2)).toBe(false)
  expect(seen.percent).toBeCloseTo(12.5, 5)
  seen.look(screen(4800, 2400, 20000, 20000), 1)
  expect(seen.percent).toBe(100)
  // and what was seen larger stays darker
  expect([seen.at(3, 3), seen.at(60, 30)]).toEqual([2, 1])
})

test('an overview is no look', () => {
  const seen = new Seen(1000, 1000)
  expect(seen.look(screen(500, 500, 2000, 2000), 0)).toBe(false)
  expect(seen.percent).toBe(0)
})

test('turned by 45 degrees only what the screen shows counts, not the square around it', () => {
  const seen = new Seen(9600, 9600)
  seen.look(screen(4800, 4800, 4000, 2000, 45), 1)
  expect(seen.percent).toBeCloseTo((4000 * 2000 * 100) / 9600 ** 2, 0)
  const column = (x: number) => Math.floor(x / 100)
  // turned clockwise, what is right on screen lies up and right on the slide
  expect(seen.at(column(4800 + 1300), column(4800 - 1300))).toBe(1)
  expect(seen.at(column(4800 + 1300), column(4800 + 1300))).toBe(0)
})

test('a look far enlarged, at less than a cell, counts too', () => {
  const seen = new Seen(96000, 96000)
  expect(seen.look(screen(500, 500, 300, 200), 4)).toBe(true)
  expect(seen.at(0, 0)).toBe(4)
})

test('steps by magnification, or by pixels where no scale is known', () => {
  expect([1, 4, 5, 9.9, 20, 40, 60].map((x) => stepOf(x, 1))).toEqual([0, 0, 1, 2, 3, 4, 4])
  expect([16, 8, 4, 2, 1, 0.5].map((scale) => stepOf(null, scale))).toEqual([0, 1, 2, 3, 4, 4])
})

test('it is remembered for each file', () => {
  const first = seenOf('a', { width: 100, height: 100 })
  first.look(screen(50, 50, 200, 200), 1)
  expect(seenOf('b', { width: 100, height: 100 }).percent).toBe(0)
  expect(seenOf('a', { width: 100, height: 100 }).percent).toBe(100)
})
