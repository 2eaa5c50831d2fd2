import { expect, test } from 'vitest'
import { grey, suvFactor, type Uptake } from '@/dicom/values'

test('a window’s ends are black and white, as PS3.3 C.11.2.1.2 has them', () => {
  const soft = { center: 40, width: 400 }
  expect(grey(-160, soft)).toBe(0)
  expect(grey(239, soft)).toBe(1)
  expect(grey(39.5, soft)).toBeCloseTo(0.5, 10)
  expect(grey(239, soft, true)).toBe(0)
})

test('a window of one value parts black from white', () => {
  expect(grey(99, { center: 100, width: 1 })).toBe(0)
  expect(grey(100, { center: 100, width: 1 })).toBe(1)
})

const fdg: Uptake = {
  units: 'BQML',
  decayCorrection: 'START',
  weightKg: 70,
  doseBq: 350e6,
  halfLifeSeconds: 6586.2,
  secondsSinceInjection: 6586.2,
}

test('uptake is of what is left of the dose when the series starts', () => {
  expect(suvFactor(fdg)! * 2500).toBeCloseTo(1, 9)
  expect(suvFactor({ ...fdg, decayCorrection: 'ADMIN' })! * 5000).toBeCloseTo(1, 9)
})

test.each([
  { units: 'CNTS' },
  { decayCorrection: 'NONE' },
  { weightKg: 0 },
  { doseBq: 0 },
  { secondsSinceInjection: -1 },
])('no uptake where %o', (change) => {
  expect(suvFactor({ ...fdg, ...change })).toBeUndefined()
})
