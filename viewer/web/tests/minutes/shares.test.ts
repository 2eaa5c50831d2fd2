import { expect, it } from 'vitest'
import { tenths } from '@/minutes/shares'

const sum = (texts: string[]) => texts.reduce((all, text) => all + Math.round(parseFloat(text) * 10), 0)

it('shares add up to a hundred percent', () => {
  expect(tenths([141, 18, 13])).toEqual(['82.0 %', '10.5 %', '7.5 %'])
  for (const values of [[1, 1, 1], [2, 2, 2, 1], [0, 7, 13], [1], Array.from({ length: 37 }, (_, i) => i * i + 1)])
    expect(sum(tenths(values))).toBe(1000)
})

it('of nothing there are no shares', () => {
  expect(tenths([0, 0])).toEqual(['—', '—'])
  expect(tenths([])).toEqual([])
})
