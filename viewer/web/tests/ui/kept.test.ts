import { expect, test, vi } from 'vitest'
import { watchHands } from '@/ui/alive'
import { forgetKept, keep, keptFor, takeKept } from '@/ui/kept'

test('what was typed waits for the same person, once', () => {
  keptFor('a')
  keep('a', 'form', 'text')
  keptFor('a')
  expect(takeKept('a', 'form')).toBe('text')
  expect(takeKept('a', 'form')).toBeUndefined()
})

test('nobody else gets it, and a logout leaves nothing', () => {
  keptFor('a')
  keep('a', 'form', 'text')
  keptFor('b')
  keptFor('a')
  expect(takeKept('a', 'form')).toBeUndefined()
  keep('a', 'form', 'text')
  forgetKept()
  keptFor('a')
  expect(takeKept('a', 'form')).toBeUndefined()
})

test('signs of hands are real ones, and a mouse that rests under a page that moves gives none', () => {
  const sign = vi.fn()
  const page = new EventTarget()
  const stop = watchHands(page, sign)
  const happen = (name: string, more: Record<string, unknown> = {}) => {
    const event = new Event(name)
    for (const [key, value] of Object.entries({ isTrusted: true, ...more }))
      Object.defineProperty(event, key, { value })
    page.dispatchEvent(event)
  }
  for (const name of ['keydown', 'input', 'pointerdown', 'wheel', 'touchmove']) happen(name)
  expect(sign).toHaveBeenCalledTimes(5)
  happen('keydown', { isTrusted: false }) // a script's
  for (const name of ['focus', 'scroll', 'mousemove', 'visibilitychange']) happen(name)
  for (let i = 0; i < 9; i++) happen('pointermove', { screenX: 300, screenY: 200 })
  expect(sign).toHaveBeenCalledTimes(5)
  happen('pointermove', { screenX: 302, screenY: 203 })
  expect(sign).toHaveBeenCalledTimes(6)
  stop()
  happen('keydown')
  expect(sign).toHaveBeenCalledTimes(6)
})
