import { effectScope } from 'vue'
import { afterEach, expect, test, vi } from 'vitest'
import { roomMessages } from '@/room/messages'
import { deviceOf, useScreen } from '@/room/screen'

afterEach(() => vi.unstubAllGlobals())

test('what the screen is follows the window until its user goes', () => {
  const list = Object.assign(new EventTarget(), { matches: true })
  vi.stubGlobal('window', { matchMedia: () => list })
  const turn = (matches: boolean) => {
    list.matches = matches
    list.dispatchEvent(new Event('change'))
  }
  const scope = effectScope()
  const small = scope.run(() => useScreen('(max-width: 600px)'))
  expect(small?.value).toBe(true)
  turn(false)
  expect(small?.value).toBe(false)
  scope.stop()
  turn(true)
  expect(small?.value).toBe(false)
})

test('a machine that is too busy is called what it is', () => {
  const coarse = (on: boolean) => () => on
  expect([deviceOf(true, coarse(true)), deviceOf(false, coarse(true)), deviceOf(false, coarse(false))]).toEqual([
    'phone',
    'tablet',
    'computer',
  ])
  for (const { why } of [roomMessages.zh.room, roomMessages.en.room])
    expect([why.own.cpu, why.own.sends_less].every((text) => text.includes('{device}'))).toBe(true)
})
