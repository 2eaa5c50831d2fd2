import { expect, test } from 'vitest'
import type { FileInfo } from '@/api/types'
import { besides, slidesOf } from '@/view/lens/tray'

const file = (id: string, name: string, more: Partial<FileInfo> = {}) =>
  ({ id, name, kind: 'slide', state: 'ready', ...more }) as FileInfo

test('slides in the order in which a person counts them, and nothing else', () => {
  const files = [
    file('1', 'A10 HE.svs'),
    file('2', 'A2 HE.svs'),
    file('3', 'b.pdf', { kind: 'document' }),
    file('4', 'A1 HE.svs'),
  ]
  expect(slidesOf(files).map((one) => one.id)).toEqual(['4', '2', '1'])
})

test('the next and the one before, over what cannot be opened, and none past the ends', () => {
  const slides = [file('a', 'A1'), file('b', 'A2', { state: 'failed' }), file('c', 'A3')]
  expect(besides(slides, 'a', 1)?.id).toBe('c')
  expect(besides(slides, 'c', -1)?.id).toBe('a')
  expect([besides(slides, 'c', 1), besides(slides, 'a', -1), besides(slides, 'x', 1)]).toEqual([null, null, null])
})
