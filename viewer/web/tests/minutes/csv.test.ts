import { expect, test } from 'vitest'
import { csvLine } from '@/minutes/csv'

test('cells are quoted where needed and never run as formulas', () => {
  expect(csvLine(['a', 1, 'b,c', 'say "x"', 'two\nlines'])).toBe('a,1,"b,c","say ""x""","two\nlines"')
  expect(csvLine(['=1+1', '+2', '-3', '@x', -4])).toBe("'=1+1,'+2,'-3,'@x,-4")
})
