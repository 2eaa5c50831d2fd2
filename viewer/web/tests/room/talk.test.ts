import { expect, test } from 'vitest'
import { PushToTalk } from '@/room/talk'

function muted(there = true) {
  const mic = { on: false, set: (on: boolean) => void (mic.on = on), isMuted: () => there && !mic.on }
  return { mic, key: new PushToTalk(mic) }
}

test('who is muted is heard for as long as the key is held, and no longer', () => {
  const { mic, key } = muted()
  expect(key.hold()).toBe(true)
  expect([mic.on, key.state.talking]).toEqual([true, true])
  expect(key.hold()).toBe(true)
  key.release()
  expect([mic.on, key.state.talking]).toEqual([false, false])
})

test('who is heard anyway keeps his microphone, and the key its other meaning', () => {
  const { mic, key } = muted()
  mic.on = true
  expect(key.hold()).toBe(false)
  key.release()
  expect(mic.on).toBe(true)
})

test('what was switched off meanwhile stays off', () => {
  const { mic, key } = muted()
  key.hold()
  mic.on = false
  key.release()
  expect([mic.on, key.state.talking]).toEqual([false, false])
})

test('without a microphone nothing is held', () => expect(muted(false).key.hold()).toBe(false))
