import { expect, test } from 'vitest'
import { around, TwoFingers, type Two } from '@/view/lens/gesture'

const fingers = (degrees: number, apart: number, x = 200, y = 150): Two => {
  const a = (degrees * Math.PI) / 180
  const half = { x: (apart / 2) * Math.cos(a), y: (apart / 2) * Math.sin(a) }
  return [
    { x: x - half.x, y: y - half.y },
    { x: x + half.x, y: y + half.y },
  ]
}

test('a hand that goes round the middle clockwise', () => {
  const middle = { x: 100, y: 100 }
  expect(around(middle, { x: 200, y: 100 }, { x: 100, y: 200 })).toBeCloseTo(90)
  expect(around(middle, { x: 0, y: 99 }, { x: 0, y: 101 })).toBeCloseTo(-1.146, 2)
})

test('two fingers that spread zoom about their middle and turn nothing, though they waver', () => {
  const two = new TwoFingers()
  const first = two.move(fingers(0, 100), fingers(3, 200, 210, 150))
  expect(first.factor).toBeCloseTo(2)
  expect(first.degrees).toBe(0)
  expect(first.from).toEqual({ x: 200, y: 150 })
  expect(first.to.x).toBeCloseTo(210)
  expect(two.move(fingers(3, 200), fingers(-4, 200)).degrees).toBe(0)
})

test('two fingers that turn do so from where they have shown that they mean it', () => {
  const two = new TwoFingers()
  let sum = 0
  for (let at = 0; at < 60; at += 5) sum += two.move(fingers(at, 150), fingers(at + 5, 150)).degrees
  expect(sum).toBeCloseTo(50)
})

test('also across the half turn, where angles jump', () => {
  const two = new TwoFingers()
  two.move(fingers(160, 100), fingers(170, 100))
  expect(two.move(fingers(175, 100), fingers(185, 100)).degrees).toBeCloseTo(10)
})

test('fingers nearly on one spot do not throw the picture', () => {
  expect(new TwoFingers().move(fingers(0, 1), fingers(0, 19)).factor).toBe(1)
})
