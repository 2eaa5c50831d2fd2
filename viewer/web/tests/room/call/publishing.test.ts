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
  let mic: { track: unknown; replaceTrack(track: unknown): Promise<void> }
  /** What the system gives when a microphone is asked for. */
  let device: { label: string } | null
  /** Whether the connection has a section for the microphone. */
  let published: boolean
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
    mic = { track: 'headset', replaceTrack: async (track) => void (mic.track = track) }
    device = null
    published = true
    Object.assign(state, { phase: 'live', me: 'p1', micPublished: true, cameraPublished: true, sharing: false })
    state.self = { id: 'p1', sources: { mic: true, camera: true }, host: false } as unknown as Participant
    state.limits = { video_slots: 4, tier_max: '4k', may_video: true, video_max: 30, voice_max: 200 }
    local = {
      state: { micOn: true, cameraOn: true, cameraId: null, micId: null, mics: [{}], ceiling: '4k' },
      tracks: { mic: {}, camera: { getSettings: () => ({ width: 1280, height: 720 }) }, screen: null },
      effective: 'hd',
      setMicOn: (on: boolean) => void (local.state.micOn = on),
      openMic: async () => {
        local.state.micProblem = device ? null : 'missing'
        return (local.tracks.mic = device ?? local.tracks.mic)
      },
      openCamera: async () => local.tracks.camera,
      closeCamera: () => void (local.tracks.camera = null),
      applyQuality: async () => undefined,
    }
    const peer = {
      cameraCodec: 'vp8',
      sender: (source: string) => (source === 'camera' ? { sender } : published ? { sender: mic } : undefined),
      addMic: (track: unknown) => {
        published = true
        mic.track = track
      },
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

  const events = () => local as unknown as { onMicEnded(): void; onDevices(): void }
  /** As LocalMedia tells it. */
  const unplug = async () => {
    local.tracks.mic = null
    events().onMicEnded()
    await pass(1)
  }

  it('sends the system’s own microphone when the one in use has gone, and says which', async () => {
    device = { label: 'built in' }
    await unplug()
    expect([mic.track, local.state.micOn, told, calls]).toEqual([device, true, ['mic_replaced'], []])
  })

  it('shows the microphone as off when there is no other, and takes it when it comes back', async () => {
    await unplug()
    expect([mic.track, local.state.micOn, told]).toEqual([null, false, ['mic_lost']])
    expect(calls).toEqual([['room.source', { source: 'mic', on: false }]])
    events().onDevices() // something else came or went
    await pass(1)
    expect(local.state.micOn).toBe(false)
    device = { label: 'headset' }
    events().onDevices()
    await pass(1)
    expect([mic.track, local.state.micOn, told]).toEqual([device, true, ['mic_lost', 'mic_back']])
    expect(calls.at(-1)).toEqual(['room.source', { source: 'mic', on: true }])
  })

  it('takes a microphone again by its button, or says why there is none', async () => {
    await unplug()
    told = []
    await publishing.toggleMic()
    expect([local.state.micOn, told]).toEqual([false, ['mic_problem']])
    device = { label: 'headset' }
    await publishing.toggleMic()
    expect([mic.track, local.state.micOn]).toEqual([device, true])
    expect(calls.at(-1)).toEqual(['room.source', { source: 'mic', on: true }])
    await publishing.toggleMic()
    expect(local.state.micOn).toBe(false)
  })

  it('does not unmute by a device that comes whom a host, or he himself, had muted', async () => {
    publishing.setMic(false)
    await unplug()
    device = { label: 'headset' }
    events().onDevices()
    await pass(1)
    expect([mic.track, local.state.micOn]).toEqual([device, false])
    publishing.setMic(true)
    device = null
    await unplug()
    publishing.switchedOff('mic')
    device = { label: 'headset' }
    events().onDevices()
    await pass(1)
    expect(local.state.micOn).toBe(false)
  })

  it('sends a microphone that came back while the call was being mended once it stands again', async () => {
    await unplug()
    // as after a new connection, which took what was there
    published = state.micPublished = false
    state.phase = 'reconnecting'
    device = { label: 'headset' }
    events().onDevices()
    await pass(1)
    expect(mic.track).toBe(null)
    state.phase = 'live'
    publishing.tellWhatIsOff()
    await pass(1)
    expect([mic.track, state.micPublished, offers]).toEqual([device, true, 1])
  })

  it('says of a microphone that is sent only now that it is muted', async () => {
    await unplug()
    published = state.micPublished = false
    local.state.micOn = false
    device = { label: 'headset' }
    await publishing.openMic(null)
    expect([mic.track, calls.at(-1)]).toEqual([device, ['room.source', { source: 'mic', on: false }]])
  })

  it('says why a camera cannot be had', async () => {
    local.openCamera = async () => {
      local.state.cameraProblem = 'denied'
      return null
    }
    await publishing.setCamera(true)
    expect([local.state.cameraOn, told]).toEqual([false, ['camera_problem']])
  })

  it('sends no more of another codec once it has ended', async () => {
    publishing.takeCodec('vp9')
    publishing.end()
    await pass(5000)
    expect(offers).toBe(0)
  })
})
