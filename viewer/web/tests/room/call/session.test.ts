import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LocalMedia } from '@/room/call/local'
import { RoomSession } from '@/room/call/session'

const person = (id: string) => ({ id, user: id, name: id, sources: {}, host: false, kind: 'person' })
const answer = {
  participant: 'me',
  resume: 'r',
  answer: 'v=0',
  self: person('me'),
  participants: [person('me'), person('one')],
  speaker: null,
  view: null,
  ice_servers: [],
  limits: { video_slots: 4, tier_max: '4k', may_video: true, video_max: 30, voice_max: 200 },
  settings: { locked: false, lobby: false, unmute: 'all', tier_max: '4k', codec: 'vp8' },
  knocks: [],
  lasts_ms: 65_000 as number | null,
}

/** A browser's connection that applies an answer when the test lets it. */
class Connection extends EventTarget {
  static applied: () => void
  connectionState = 'new'
  iceConnectionState = 'new'
  localDescription = { sdp: 'v=0' }
  transceivers: object[] = []
  addTransceiver(kind: string) {
    const one = { mid: String(this.transceivers.length), receiver: { track: { kind } }, sender: {} }
    this.transceivers.push(one)
    return one
  }
  getTransceivers = () => this.transceivers
  getConfiguration = () => ({})
  setConfiguration = () => undefined
  createOffer = async () => ({})
  setLocalDescription = async () => undefined
  setRemoteDescription = () => new Promise<void>((resolve) => (Connection.applied = resolve))
  close = () => undefined
}

class Socket {
  static last: Socket
  sent: { id?: number; method: string }[] = []
  onopen = () => undefined
  onclose = (_: { code: number }) => undefined
  onmessage: (event: { data: string }) => void = () => undefined
  constructor() {
    Socket.last = this
  }
  send = (text: string) => void this.sent.push(JSON.parse(text))
  close = () => undefined
  say(message: object) {
    this.onmessage({ data: JSON.stringify(message) })
  }
}

describe('a stay in a room', () => {
  let session: RoomSession
  const settle = () => vi.advanceTimersByTimeAsync(0)

  beforeEach(async () => {
    vi.useFakeTimers()
    vi.stubGlobal('RTCPeerConnection', Connection)
    vi.stubGlobal('RTCRtpReceiver', { getCapabilities: () => ({ codecs: [] }) })
    vi.stubGlobal('RTCRtpSender', { getCapabilities: () => ({ codecs: [] }) })
    vi.stubGlobal('MediaStream', class { addTrack() {} }) // prettier-ignore
    vi.stubGlobal('WebSocket', Socket)
    vi.stubGlobal('window', new EventTarget())
    vi.stubGlobal('navigator', {})
    vi.stubGlobal('document', new EventTarget())
    vi.stubGlobal('location', { protocol: 'http:', host: 'localhost' })
    const local = { tracks: {}, state: { ceiling: '4k' }, close: () => undefined, watch: () => undefined }
    session = new RoomSession('room', 'desktop', local as unknown as LocalMedia, 1)
    session.enter()
    await settle()
    Socket.last.onopen()
    await settle()
    const join = Socket.last.sent.find((message) => message.method === 'room.join')
    Socket.last.say({ jsonrpc: '2.0', id: join?.id, result: answer })
    await settle()
  })
  afterEach(() => {
    session.leaveNow()
    vi.unstubAllGlobals()
    vi.useRealTimers()
  })

  it('keeps what is told while the browser applies the answer', async () => {
    const view = { file: 'f', name: 'slide', kind: 'slide', page: 0, presenter: null, state: null, pointer: null }
    Socket.last.say({ jsonrpc: '2.0', method: 'room.joined', params: person('two') })
    Socket.last.say({ jsonrpc: '2.0', method: 'room.left', params: { participant: 'one', cause: 'asked' } })
    Socket.last.say({ jsonrpc: '2.0', method: 'room.speaker', params: { participant: 'two' } })
    Socket.last.say({ jsonrpc: '2.0', method: 'view.opened', params: view })
    expect(session.state.phase).toBe('joining')
    Connection.applied()
    await settle()
    expect(session.state.phase).toBe('live')
    expect(session.state.people.map(({ id }) => id)).toEqual(['two'])
    expect([session.state.speaker, session.view?.file]).toEqual(['two', 'f'])
  })

  const joins = () =>
    Socket.last.sent.filter((message) => message.method === 'room.join') as {
      id: number
      method: string
      params: Record<string, string>
    }[]

  it('asks whether to move here when the account is in the room elsewhere, and moves', async () => {
    session.leaveNow()
    const local = { tracks: {}, state: { ceiling: '4k' }, close: () => undefined, watch: () => undefined }
    session = new RoomSession('room', 'phone', local as unknown as LocalMedia, 1)
    session.enter()
    await settle()
    Socket.last.onopen()
    await settle()
    const refusal = { code: 1023, message: 'there', data: { reason: 'elsewhere' } }
    expect(joins().map(({ params }) => params.elsewhere)).toEqual(['ask'])
    Socket.last.say({ jsonrpc: '2.0', id: joins()[0]?.id, error: refusal })
    await settle()
    expect(session.state.phase).toBe('elsewhere')
    session.moveHere()
    session.moveHere()
    await settle()
    expect(joins().map(({ params }) => params.elsewhere)).toEqual(['ask', 'move'])
    Socket.last.say({ jsonrpc: '2.0', id: joins()[1]?.id, result: answer })
    await settle()
    Connection.applied()
    await settle()
    expect(session.state.phase).toBe('live')
  })

  it('is nobody else when it joins anew, and throws nobody out who has come meanwhile', async () => {
    Connection.applied()
    await settle()
    Socket.last.onclose({ code: 1006 })
    await vi.advanceTimersByTimeAsync(5000)
    Socket.last.onopen()
    await settle()
    const [again] = joins()
    expect(again?.params).toMatchObject({ resume: 'r', elsewhere: 'ask' })
    Socket.last.say({ jsonrpc: '2.0', id: again?.id, error: { code: 1004, message: 'gone', data: {} } })
    await settle()
    expect(joins()[1]?.params).toMatchObject({ former: 'r', elsewhere: 'ask' })
    expect(joins()[1]?.params.resume).toBeUndefined()
    Socket.last.say({ jsonrpc: '2.0', id: joins()[1]?.id, error: { code: 1023, data: { reason: 'elsewhere' } } })
    await settle()
    expect(session.state.phase).toBe('elsewhere')
  })

  it("counts the talk's own time, from before this person came, and nothing before it has begun", async () => {
    const lasts = () => Math.round(performance.now() - (session.state.since ?? NaN))
    expect(lasts()).toBe(65_000)
    Connection.applied()
    await vi.advanceTimersByTimeAsync(1000)
    expect(lasts()).toBe(66_000)
    Socket.last.onclose({ code: 1006 })
    await vi.advanceTimersByTimeAsync(5000)
    Socket.last.onopen()
    await settle()
    Socket.last.say({ jsonrpc: '2.0', id: joins()[0]?.id, result: { ...answer, lasts_ms: null } })
    await settle()
    expect(session.state.since).toBe(null)
    Socket.last.say({ jsonrpc: '2.0', method: 'room.begun', params: { lasts_ms: 10 } })
    expect(lasts()).toBe(10)
  })

  it('stays ended when the room closes while the browser applies the answer', async () => {
    Socket.last.say({ jsonrpc: '2.0', method: 'room.closed', params: { reason: 'ended' } })
    Connection.applied()
    await settle()
    expect([session.state.phase, session.state.endReason]).toEqual(['ended', 'ended'])
  })
})
