import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LocalMedia } from '@/room/call/local'

/** A track that a device ends: stop() itself tells nobody. */
class Track extends EventTarget {
  enabled = true
  readyState = 'live'
  contentHint = ''
  constructor(private readonly device: string) {
    super()
  }
  getSettings = () => ({ deviceId: this.device })
  getCapabilities = () => ({})
  stop = () => void (this.readyState = 'ended')
  unplug = () => {
    this.stop()
    this.dispatchEvent(new Event('ended'))
  }
}

let devices: string[]
let asked: unknown[]
const media = new EventTarget() as EventTarget & Record<string, unknown>

beforeEach(() => {
  devices = ['headset', 'built in']
  asked = []
  media.enumerateDevices = async () => devices.map((deviceId) => ({ kind: 'audioinput', deviceId, label: deviceId }))
  media.getUserMedia = async ({ audio }: { audio: { deviceId?: { exact: string } } }) => {
    const id = audio.deviceId?.exact
    asked.push(id ?? 'any')
    const found = id ? devices.find((one) => one === id) : devices[0]
    if (!found) throw new DOMException('', 'NotFoundError')
    return { getTracks: () => [new Track(found)] }
  }
  const stored = new Map<string, string>()
  vi.stubGlobal('navigator', { mediaDevices: media })
  vi.stubGlobal('MediaStream', class {})
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  })
})
afterEach(() => vi.unstubAllGlobals())
const remembered = () => (JSON.parse(localStorage.getItem('consilium.devices') ?? '{}') as { mic?: string }).mic

test('tells of the microphone in use that ends, not of one that was put away', async () => {
  const local = new LocalMedia()
  let ended = 0
  local.onMicEnded = () => void ended++
  const first = (await local.openMic('headset')) as unknown as Track
  const second = (await local.openMic('built in')) as unknown as Track
  first.unplug()
  expect([ended, local.tracks.mic]).toEqual([0, second])
  second.unplug()
  expect([ended, local.tracks.mic]).toEqual([1, null])
})

test('a substitute does not become the one to be used next time', async () => {
  const local = new LocalMedia()
  await local.openMic('headset')
  devices = ['built in']
  await local.openMic(null, true)
  expect([local.state.micId, remembered()]).toEqual(['built in', 'headset'])
  await local.openMic('built in')
  expect(remembered()).toBe('built in')
})

test('tells of devices that come and go after its lists know them', async () => {
  const local = new LocalMedia()
  const seen: number[] = []
  local.onDevices = () => void seen.push(local.state.mics.length)
  devices = ['built in']
  media.dispatchEvent(new Event('devicechange'))
  await new Promise((resolve) => setTimeout(resolve, 0))
  local.close()
  media.dispatchEvent(new Event('devicechange'))
  await new Promise((resolve) => setTimeout(resolve, 0))
  expect(seen).toEqual([1])
})
