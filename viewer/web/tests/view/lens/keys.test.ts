import { expect, test } from 'vitest'
import { SHORTCUTS } from '@/room/shortcuts'
import { OBJECTIVES, SLIDE_KEYS, lookingOf } from '@/view/lens/keys'

const key = (name: string, more = {}) =>
  lookingOf({ key: name, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, isComposing: false, ...more })

test('the digits are objectives, from 1 to 40 times', () => {
  expect(OBJECTIVES.map((_, i) => key(String(i + 1)))).toEqual(
    [1, 2, 4, 5, 10, 20, 40].map((x) => ({ do: 'objective', x })),
  )
  expect([key('8'), key('9')]).toEqual([null, null])
  expect(key('0')).toEqual({ do: 'whole' })
})

test('r turns right, R left, and the arrows move as seen, farther with Shift', () => {
  expect([key('r'), key('R', { shiftKey: true })]).toEqual([
    { do: 'turn', by: 90 },
    { do: 'turn', by: -90 },
  ])
  expect(key('ArrowLeft')).toEqual({ do: 'pan', dx: -60, dy: 0 })
  expect(key('ArrowDown', { shiftKey: true })).toEqual({ do: 'pan', dx: 0, dy: 300 })
})

test("the browser's own keys stay its own, and so does writing Chinese", () => {
  expect([key('r', { ctrlKey: true }), key('1', { altKey: true }), key('f', { metaKey: true })]).toEqual([
    null,
    null,
    null,
  ])
  expect(key('f', { isComposing: true })).toBeNull()
})

test("every key that is listed does something, and none is the room's", () => {
  const rooms = SHORTCUTS.flatMap((one) => [...one.keys] as string[])
  for (const { keys } of SLIDE_KEYS)
    for (const name of keys) {
      if (name === '…') continue
      expect(key(name === 'Shift+R' ? 'R' : name), name).toBeTruthy()
      // Page Up and Page Down are the room's while nothing is looked at
      if (!name.startsWith('Page')) expect(rooms).not.toContain(name)
    }
})
