import { expect, test } from 'vitest'
import { wheelPixels } from '@/view/hands'
import { DOCUMENT_KEYS, readingOf } from '@/view/keys'

const key = (name: string, more = {}) =>
  readingOf({ key: name, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more })

test('keys read as everywhere', () => {
  expect([key('PageDown'), key('PageUp'), key(' ', { shiftKey: true })]).toEqual([
    { do: 'screens', by: 1 },
    { do: 'screens', by: -1 },
    { do: 'screens', by: -1 },
  ])
  expect([key('Home'), key('End')]).toEqual([{ do: 'first' }, { do: 'last' }])
  expect([key('f', { ctrlKey: true }), key('F', { metaKey: true })]).toEqual([{ do: 'find' }, { do: 'find' }])
  // the browser's own
  expect([key('f'), key('PageDown', { ctrlKey: true }), key('Home', { altKey: true }), key('p')]).toEqual([
    null,
    null,
    null,
    null,
  ])
})

test('a wheel that counts lines or pages scrolls as far; with Shift it goes sideways', () => {
  const wheel = { deltaX: 0, deltaY: 3, deltaMode: 0, shiftKey: false }
  expect(wheelPixels(wheel)).toEqual({ dx: 0, dy: 3 })
  expect(wheelPixels({ ...wheel, deltaMode: 1 })).toEqual({ dx: 0, dy: 120 })
  expect(wheelPixels({ ...wheel, deltaMode: 2 }).dy).toBeGreaterThan(500)
  expect(wheelPixels({ ...wheel, shiftKey: true })).toEqual({ dx: 3, dy: 0 })
})

test('every key that is listed for documents does something', () => {
  for (const { act, keys } of DOCUMENT_KEYS)
    for (const name of keys) expect(name === 'Ctrl+F' ? act : key(name), name).toBeTruthy()
})
