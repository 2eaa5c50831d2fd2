import { expect, test } from 'vitest'
import { micronsOf } from '@/view/lens/optics'

test('a length as people write it', () => {
  expect([micronsOf('1', 'mm'), micronsOf('0,5', 'mm'), micronsOf(' 250 ', 'µm'), micronsOf('.5', 'µm')]).toEqual([
    1000, 500, 250, 0.5,
  ])
  for (const text of ['', '0', '-1', '1 mm', '1.2.3', 'abc', '1e3']) expect(micronsOf(text, 'mm'), text).toBeNull()
})
