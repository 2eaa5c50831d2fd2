import { expect, test } from 'vitest'
import { angle, cobb, length, scaleOf, statistics, type Pixels } from '@/dicom/measure'

const square = scaleOf([0.5, 0.5])
/** Rows 2 mm apart, columns 1 mm. */
const tall = scaleOf([2, 1])

test('lengths use the distance of rows down and of columns across', () => {
  expect(length({ x: 0, y: 0 }, { x: 3, y: 2 }, tall)).toBe(5)
  expect(length({ x: 10, y: 10 }, { x: 10, y: 110 }, square)).toBe(50)
})

test('a scale at the detector is marked, a useless one is not taken', () => {
  expect(scaleOf(undefined, [0.143, 0.143]).source).toBe('detector')
  expect(scaleOf([0.1, 0.1], [0.143, 0.143]).source).toBe('patient')
  expect(scaleOf([0, 0.1])).toEqual({ across: 1, down: 1, source: 'none' })
  expect(scaleOf([0.1, NaN]).source).toBe('none')
})

test('angles are of the patient, not of the pixels', () => {
  expect(angle({ x: 2, y: 0 }, { x: 0, y: 0 }, { x: 2, y: 1 }, tall)).toBeCloseTo(45, 9)
  expect(angle({ x: -1, y: 0 }, { x: 0, y: 0 }, { x: 1, y: 0 }, square)).toBeCloseTo(180, 9)
  expect(angle({ x: 0, y: 0 }, { x: 0, y: 0 }, { x: 1, y: 0 }, square)).toBeUndefined()
})

test('a Cobb angle does not ask which end was drawn first', () => {
  const flat = [
    { x: 0, y: 0 },
    { x: 10, y: 0 },
  ] as const
  const risen = [
    { x: 0, y: 20 },
    { x: 10, y: 10 },
  ] as const
  expect(cobb(flat, risen, square)).toBeCloseTo(45, 9)
  expect(cobb(flat, [risen[1], risen[0]], square)).toBeCloseTo(45, 9)
})

const ramp: Pixels = {
  stored: Uint16Array.from({ length: 100 }, (_, at) => 1000 + (at % 10)),
  columns: 10,
  rows: 10,
  slope: 2,
  intercept: -1024,
}

test('a rectangle has the statistics of its pixels after rescaling', () => {
  const found = statistics(
    ramp,
    'rectangle',
    [
      { x: 4, y: 5 },
      { x: 2, y: 2 },
    ],
    tall,
  )!
  expect(found).toMatchObject({ count: 12, mean: 982, least: 980, most: 984, area: 24 })
  expect(found.deviation).toBeCloseTo(Math.sqrt(8 / 3), 9)
})

test('an ellipse leaves its corners out; what hangs over the edge is not counted', () => {
  expect(
    statistics(
      ramp,
      'ellipse',
      [
        { x: 2, y: 2 },
        { x: 6, y: 6 },
      ],
      square,
    )!.count,
  ).toBe(13)
  expect(
    statistics(
      ramp,
      'rectangle',
      [
        { x: -5, y: -5 },
        { x: 0, y: 1 },
      ],
      square,
    )!.count,
  ).toBe(2)
  expect(
    statistics(
      ramp,
      'rectangle',
      [
        { x: 20, y: 20 },
        { x: 30, y: 30 },
      ],
      square,
    ),
  ).toBeUndefined()
})
