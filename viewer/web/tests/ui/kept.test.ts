import { expect, test, vi } from 'vitest'
import { keepAlive } from '@/ui/alive'
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

test('typing keeps a login alive, at most once a minute; a page alone does not', async () => {
  vi.useFakeTimers()
  const touch = vi.fn(async () => undefined)
  const page = new EventTarget()
  const stop = keepAlive(page, touch)
  const key = (trusted = true) => {
    const event = new Event('keydown')
    Object.defineProperty(event, 'isTrusted', { value: trusted })
    page.dispatchEvent(event)
  }
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(touch).not.toHaveBeenCalled()
  for (let i = 0; i < 150; i++) {
    key()
    await vi.advanceTimersByTimeAsync(1000)
  }
  expect(touch).toHaveBeenCalledTimes(3)
  await vi.advanceTimersByTimeAsync(120_000)
  key(false) // a script's
  expect(touch).toHaveBeenCalledTimes(3)
  stop()
  vi.useRealTimers()
})
