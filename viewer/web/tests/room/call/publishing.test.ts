import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LocalMedia } from '@/room/call/local'
import type { Peer } from '@/room/call/peer'
import { CODE, type JoinAnswer, type Participant } from '@/room/call/protocol'
import { Publishing } from '@/room/call/publishing'
import { RpcError } from '@/room/call/rpc'
import { roomState } from '@/room/call/state'

interface Layer {
  active?: boolean
  scaleResolutionDownBy?: number
}

/** A camera's sender with three layers, and what the browser was told of them. */
class Sender {
  encodings: Layer[] = [{}, {}, {}]
  track: unknown = 'camera'
  replaceTrack = async (track: unknown) => void (this.track = track)
  getParameters = () => ({ encodings: this.encodings.map((one) => ({ ...one })) })
  setParameters = async ({ encodings }: { encodings: Layer[] }) => void (this.encodings = encodings)
}

describe('what a person sends', () => {
  let sender: Sender
  let refuses: RpcError | null
  let calls: [string, object][]
  let told: string[]
  let offers: number
  let slotsChange: boolean
  let cameraMoves: boolean
  let publishing: Publishing
  let local: { state: Record<string, unknown>; tracks: Record<string, unknown> } & Record<string, unknown>
  const state = roomState()

  beforeEach(() => {
    vi.useFakeTimers()
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    sender = new Sender()
    refuses = null
    calls = []
    told = []
    offers = 0
    slotsChange = cameraMoves = true
    Object.assign(state, { phase: 'live', me: 'p1', micPublished: true, cameraPublished: true, sharing: false })
    state.self = { id: 'p1', sources: { mic: true, camera: true }, host: false } as unknown as Participant
    state.limits = { video_slots: 4, tier_max: '4k', may_video: true, video_max: 30, voice_max: 200 }
    local = {
      state: { micOn: true, cameraOn: true, cameraId: null, ceiling: '4k' },
      tracks: { mic: {}, camera: { getSettings: () => ({ width: 1280, height: 720 }) }, screen: null },
      effective: 'hd',
      setMicOn: (on: boolean) => void (local.state.micOn = on),
      openCamera: async () => local.tracks.camera,
      closeCamera: () => void (local.tracks.camera = null),
      applyQuality: async () => undefined,
    }
    const peer = {
      cameraCodec: 'vp8',
      sender: (source: string) => (source === 'camera' ? { sender } : undefined),
      setCodec: () => slotsChange,
      moveCamera: () => cameraMoves,
    } as unknown as Peer
    publishing = new Publishing(local as unknown as LocalMedia, state, {
      peer: () => peer,
      call: (async (method: string, params: object) => {
        calls.push([method, params])
        if (refuses) throw refuses
        return { limits: { ...state.limits, may_video: true } }
      }) as never,
      renegotiate: async () => void offers++,
      tell: (key) => void told.push(key),
    })
  })
  afterEach(() => {
    publishing.end()
    vi.restoreAllMocks()
    vi.useRealTimers()
  })
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
  const active = () => sender.encodings.map((one) => one.active)

  it('rests layers that nobody watches, and sends all again on another PeerConnection', async () => {
    publishing.takeWatched({ rids: [true, true, false], spatial: true, unwatched: 0 })
    await pass(1)
    expect(active()).toEqual([true, true, false])
    publishing.startAfresh()
    await publishing.fitLayers()
    expect(active()).toEqual([true, true, true])
  })

  it('switches the microphone back when the room does not let it on, and says why', async () => {
    refuses = new RpcError(CODE.forbidden, 'forbidden')
    publishing.setMic(true)
    await pass(1)
    expect(calls).toEqual([['room.source', { source: 'mic', on: true }]])
    expect([local.state.micOn, state.self?.sources.mic, told]).toEqual([false, false, ['host_decides']])
  })

  it('takes a place with video before a listener sends a picture', async () => {
    state.limits.may_video = false
    refuses = new RpcError(CODE.full, 'full')
    await publishing.setCamera(true)
    expect([calls[0]?.[0], local.state.cameraOn, told]).toEqual(['room.video', false, ['video_full']])
    refuses = null
    await publishing.setCamera(true)
    expect(calls.slice(1)).toEqual([
      ['room.video', { on: true }],
      ['room.source', { source: 'camera', on: true }],
    ])
  })

  it('stays silent in a room where hosts decide, when it is entered', async () => {
    await publishing.obey({
      self: { sources: { mic: false, camera: true }, host: false },
      settings: { unmute: 'host' },
      limits: { tier_max: '4k', may_video: true },
    } as unknown as JoinAnswer)
    expect([local.state.micOn, told, calls]).toEqual([false, ['host_decides'], []])
  })

  it('goes over to another codec in two steps: first what is received, then the camera', async () => {
    publishing.takeCodec('vp9')
    await pass(399)
    expect(offers).toBe(0)
    await pass(2)
    expect(offers).toBe(1)
    await pass(1000)
    expect(offers).toBe(1)
    await pass(200)
    expect(offers).toBe(2)
    expect(publishing.codec).toBe('vp9')
  })

  it('sends no more of another codec once it has ended', async () => {
    publishing.takeCodec('vp9')
    publishing.end()
    await pass(5000)
    expect(offers).toBe(0)
  })
})
