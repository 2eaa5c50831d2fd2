import { expect, test } from 'vitest'
import { SHORTCUTS, shortcutOf } from '@/room/shortcuts'

const press = (key: string, more: Partial<KeyboardEvent> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  repeat: false,
  isComposing: false,
  ...more,
})
const ALL = { characters: true, reading: false, paging: false }

test('every key of the list does what it says, large letters and Chinese signs too', () => {
  for (const { act, keys } of SHORTCUTS) for (const key of keys) expect(shortcutOf(press(key), ALL)).toBe(act)
  expect(shortcutOf(press('M'), ALL)).toBe('mic')
  expect(shortcutOf(press('？', { shiftKey: true }), ALL)).toBe('help')
  expect(shortcutOf(press('】'), ALL)).toBe('later')
  expect(shortcutOf(press('x'), ALL)).toBe(null)
})

test('no key is two', () => {
  const keys = SHORTCUTS.flatMap((one) => [...one.keys] as string[])
  expect(new Set(keys).size).toBe(keys.length)
})

test('with a modifier, held down or while a word is composed a key is not ours', () => {
  for (const held of ['ctrlKey', 'metaKey', 'altKey', 'shiftKey', 'repeat', 'isComposing'])
    expect(shortcutOf(press('m', { [held]: true }), ALL)).toBe(null)
  expect(shortcutOf(press('?', { shiftKey: true }), ALL)).toBe('help')
})

test('keys that write a character can be switched off, the others stay', () => {
  const off = { characters: false, reading: false, paging: false }
  for (const key of ['m', ' ', '[', '?']) expect(shortcutOf(press(key), off)).toBe(null)
  expect(shortcutOf(press('PageDown'), off)).toBe('later')
  expect(shortcutOf(press('Escape'), off)).toBe('unpin')
})

test('a document keeps Page Up and Page Down', () => {
  const reading = { characters: true, reading: true, paging: false }
  expect(shortcutOf(press('PageDown'), reading)).toBe(null)
  expect(shortcutOf(press(']'), reading)).toBe('later')
})

test('a document that one turns oneself keeps the space bar', () => {
  expect(shortcutOf(press(' '), { characters: true, reading: true, paging: true })).toBe(null)
  expect(shortcutOf(press(' '), { characters: true, reading: true, paging: false })).toBe('talk')
})
