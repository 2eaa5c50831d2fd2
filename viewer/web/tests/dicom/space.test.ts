import { expect, test } from 'vitest'
import { depth, edges, letters, linked, parallel, step, type Plane } from '@/dicom/space'

const axial = (z: number): Plane => ({ position: [-100, -100, z], rowDirection: [1, 0, 0], columnDirection: [0, 1, 0] })
const sagittal: Plane = { position: [0, -100, 100], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1] }
const stack = (from: number, count: number, gap: number) =>
  Array.from({ length: count }, (_, at) => axial(from + at * gap))

test('an axial image has the patient’s right on the left, the front above', () => {
  expect(edges(axial(0), { rotation: 0, mirror: false })).toEqual({ left: 'R', right: 'L', top: 'A', bottom: 'P' })
})

test('turned a quarter clockwise the front is on the right; mirrored, on the left', () => {
  expect(edges(axial(0), { rotation: 90, mirror: false })).toEqual({ left: 'P', right: 'A', top: 'R', bottom: 'L' })
  expect(edges(axial(0), { rotation: 90, mirror: true })).toEqual({ left: 'A', right: 'P', top: 'R', bottom: 'L' })
})

test('a sagittal image has the head above', () => {
  expect(edges(sagittal, { rotation: 0, mirror: false })).toEqual({ left: 'A', right: 'P', top: 'H', bottom: 'F' })
})

test('an oblique direction has two letters, the stronger first', () => {
  expect(letters([0.6, 0, -0.8])).toBe('FL')
  expect(letters([0.999, 0.04, 0])).toBe('L')
})

test('a prior study with other steps is linked by millimetres', () => {
  const prior = stack(0, 40, 5)
  expect(linked(axial(51), prior)).toBe(10)
  expect(linked(axial(51), prior, 20)).toBe(14)
  expect(linked(axial(51), [...prior].reverse())).toBe(29)
})

test('beyond the end of the prior study, and across directions, nothing is linked', () => {
  const prior = stack(0, 40, 5)
  expect(linked(axial(202), prior)).toBe(39)
  expect(linked(axial(230), prior)).toBeUndefined()
  expect(linked(sagittal, prior)).toBeUndefined()
  expect(linked(axial(0), [])).toBeUndefined()
})

test('steps are the usual ones even where images are missing', () => {
  const whole = stack(0, 9, 2.5)
  expect(step(whole.filter((_, at) => at !== 4))).toBe(2.5)
  expect(depth(axial(7), axial(0))).toBe(7)
  expect(parallel(axial(0), sagittal)).toBe(false)
})
