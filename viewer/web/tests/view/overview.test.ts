import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Overview } from '@/view/overview'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

test('looks until the overview is there, then has failed tiles asked for again', async () => {
  const states = ['preparing', 'preparing', 'ready']
  let again = 0
  let looked = 0
  const overview = new Overview(() => again++)
  overview.follow(async () => states[looked++] ?? 'ready')
  await vi.advanceTimersByTimeAsync(1)
  expect([overview.coming.value, again]).toEqual([true, 0])
  await vi.advanceTimersByTimeAsync(20000)
  expect([overview.coming.value, again, looked]).toEqual([false, 1, 3])
})

test('a slide that has it is looked at once; a lost network is no news', async () => {
  let again = 0
  const ready = new Overview(() => again++)
  ready.follow(async () => 'ready')
  await vi.advanceTimersByTimeAsync(20000)
  expect([ready.coming.value, again]).toEqual([false, 0])

  let looked = 0
  const lost = new Overview(() => again++)
  lost.follow(async () => {
    if (++looked === 2) throw new Error('network')
    return looked < 4 ? 'preparing' : 'ready'
  })
  await vi.advanceTimersByTimeAsync(6000)
  expect([lost.coming.value, looked]).toEqual([true, 2])
  await vi.advanceTimersByTimeAsync(20000)
  expect([lost.coming.value, again, looked]).toEqual([false, 1, 4])
})

test('another file ends it', async () => {
  let again = 0
  const overview = new Overview(() => again++)
  overview.follow(async () => 'preparing')
  await vi.advanceTimersByTimeAsync(1)
  overview.stop()
  await vi.advanceTimersByTimeAsync(20000)
  expect([overview.coming.value, again]).toEqual([false, 0])
})
