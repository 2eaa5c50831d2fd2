import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ref } from 'vue'
import { onceBack } from '@/room/call/back'
import { Disconnected, RpcError } from '@/room/call/rpc'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

test('with a connection it is done at once, and a refusal is the answer', async () => {
  const wait = vi.fn()
  await onceBack(
    () => true,
    async () => undefined,
    wait,
  )
  const refused = new RpcError(1009, 'conflict')
  await expect(
    onceBack(
      () => true,
      () => Promise.reject(refused),
      wait,
    ),
  ).rejects.toBe(refused)
  expect(wait).not.toHaveBeenCalled()
})

test('without one it is said that it waits, and done as soon as the connection is back', async () => {
  const there = ref(false)
  const act = vi.fn(async () => undefined)
  const wait = vi.fn()
  const done = onceBack(() => there.value, act, wait)
  expect(wait).toHaveBeenCalledOnce()
  await vi.advanceTimersByTimeAsync(5000)
  expect(act).not.toHaveBeenCalled()
  there.value = true
  await done
  expect(act).toHaveBeenCalledOnce()
})

test('a connection that was gone already, unknown to the page, is waited for as well', async () => {
  const there = ref(true)
  const act = vi
    .fn(async () => undefined)
    .mockImplementationOnce(async () => {
      there.value = false
      throw new Disconnected()
    })
  const wait = vi.fn()
  const done = onceBack(() => there.value, act, wait)
  await vi.advanceTimersByTimeAsync(100)
  expect(wait).toHaveBeenCalledOnce()
  there.value = true
  await done
  expect(act).toHaveBeenCalledTimes(2)
})

test('one that stays away is said in the end', async () => {
  const act = () => Promise.reject(new Disconnected())
  const done = onceBack(
    () => false,
    act,
    () => undefined,
  )
  const failed = expect(done).rejects.toBeInstanceOf(Disconnected)
  await vi.advanceTimersByTimeAsync(31_000)
  await failed
})
