import { expect, test, vi } from 'vitest'
import { watchFrames } from '@/room/stage/frames'

/** A <video> whose frames come when the test says so. */
function fakeVideo() {
  let waiting: ((now: number, metadata: object) => void) | null = null
  const element = {
    addEventListener: vi.fn(),
    removeEventListener: vi.fn(),
    requestVideoFrameCallback(callback: typeof waiting) {
      waiting = callback
      return 1
    },
    cancelVideoFrameCallback() {
      waiting = null
    },
  }
  const frame = (metadata: object) => {
    const callback = waiting
    waiting = null
    callback?.(0, metadata)
    return callback !== null
  }
  return { video: element as unknown as HTMLVideoElement, frame }
}

test('frames are told while somebody looks, and no longer', () => {
  const { video, frame } = fakeVideo()
  const seen: number[] = []
  const watch = watchFrames(
    video,
    () => null,
    (timestamp) => seen.push(timestamp) > 1,
  )
  expect(frame({ rtpTimestamp: 1 })).toBe(false)
  watch.look()
  watch.look()
  expect(frame({ rtpTimestamp: 2 })).toBe(true)
  expect(frame({ rtpTimestamp: 3 })).toBe(true)
  expect(frame({ rtpTimestamp: 4 })).toBe(false)
  expect(seen).toEqual([2, 3])
  watch.look()
  expect(frame({ rtpTimestamp: 5 })).toBe(true)
  watch.end()
  expect(frame({ rtpTimestamp: 6 })).toBe(false)
  expect(seen).toEqual([2, 3, 5])
})

test('without a timestamp in the callback, what was handed over some callbacks ago counts; never from before one looked', () => {
  const { video, frame } = fakeVideo()
  const seen: number[] = []
  let handed = 10
  const receiver = { getSynchronizationSources: () => [{ timestamp: 1, rtpTimestamp: handed++ }] }
  const watch = watchFrames(
    video,
    () => receiver as unknown as RTCRtpReceiver,
    (timestamp) => seen.push(timestamp) > 0,
  )
  watch.look()
  for (let i = 0; i < 3; i++) frame({})
  expect(seen).toEqual([10])
  handed = 100
  watch.look()
  for (let i = 0; i < 3; i++) frame({})
  expect(seen).toEqual([10, 100])
})
