import { expect, test } from 'vitest'
import { passwordWeakness } from '@/account/password'

test.each([
  ['Ab1!5678', 'short'],
  ['1234567890!', 'letter'],
  ['abcdefghij!', 'digit'],
  ['abcdefghi1', 'symbol'],
  ['xx-Doctor07-9', 'username'],
  ['春风-tide-4821', null],
])('%s is %s', (password, weakness) => {
  expect(passwordWeakness(password, 'doctor07')).toBe(weakness)
})
