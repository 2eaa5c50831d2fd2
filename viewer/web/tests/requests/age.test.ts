import { expect, it } from 'vitest'
import { ageText } from '@/requests/age'

const t = (key: string, { n }: { n: number }) => `${key} ${n}`

it('a newborn has days, a small child months, everybody else years', () => {
  expect(ageText(t, 0, 0)).toBe('request.age_days 0')
  expect(ageText(t, 0, 27)).toBe('request.age_days 27')
  expect(ageText(t, 0, 61)).toBe('request.age_months 2')
  expect(ageText(t, 1, 730)).toBe('request.age_months 23')
  expect(ageText(t, 65, null)).toBe('request.age 65')
  expect(ageText(t, null, null)).toBe('')
})
