import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Healing, type HealingPort } from '@/room/call/healing'
import type { Peer } from '@/room/call/peer'
import { roomState } from '@/room/call/state'

const peerIn = (connectionState: string, iceConnectionState = connectionState) =>
  ({ pc: { connectionState, iceConnectionState } }) as unknown as Peer

describe('a call that broke', () => {
  let peer: Peer
  let alive: boolean
  let done: string[]
  let healing: Healing
  const state = roomState()

  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('window', new EventTarget())
    vi.stubGlobal('navigator', {})
    peer = peerIn('connected')
    alive = true
    done = []
    Object.assign(state, { phase: 'live', me: 'p1' })
    const port: HealingPort = {
      peer: () => peer,
      isOpen: () => true,
      call: (async (method: string) => void done.push(method)) as HealingPort['call'],
      probe: async () => alive,
      rest: () => void done.push('rest'),
      freshPeer: () => {
        peer = peerIn('new')
        done.push('fresh peer')
        healing.startAfresh()
      },
      join: async () => void done.push('join'),
      renegotiate: async (restart) => void done.push(restart ? 'restart' : 'offer'),
    }
    healing = new Healing(state, port)
    healing.connectionChanged(peer)
  })
  afterEach(() => {
    healing.end()
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  const become = (connection: string, ice = connection) => {
    Object.assign(peer.pc, { connectionState: connection, iceConnectionState: ice })
    healing.connectionChanged(peer)
  }
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

  it('is left alone for a moment, then restarted, and live when media flow again', async () => {
    become('connecting', 'disconnected')
    await pass(1000)
    expect(done).toEqual([])
    await pass(500)
    expect(done).toEqual(['restart'])
    expect(state.phase).toBe('reconnecting')
    become('connected')
    expect(state.phase).toBe('live')
  })

  it('begins anew with another PeerConnection after two restarts in vain', async () => {
    become('failed')
    await pass(8100)
    await pass(8100)
    expect(done).toEqual(['restart', 'restart', 'room.leave', 'rest', 'fresh peer', 'join'])
  })

  it('is not restarted where encryption is dead: a new PeerConnection at once', async () => {
    become('failed', 'connected')
    await pass(100)
    expect(done).toEqual(['room.leave', 'rest', 'fresh peer', 'join'])
  })

  it('waits for the WebSocket where that is dead too: its opening joins again', async () => {
    alive = false
    become('failed')
    await pass(100)
    expect(done).toEqual([])
    healing.lost()
    expect([state.phase, done]).toEqual(['reconnecting', ['rest']])
  })

  it('is restarted at once on another network', async () => {
    window.dispatchEvent(new Event('online'))
    await pass(1)
    expect(done).toEqual(['restart'])
  })

  it('is left alone when it has ended, and an old PeerConnection has no say', async () => {
    const old = peer
    peer = peerIn('connected')
    Object.assign(old.pc, { connectionState: 'failed' })
    healing.connectionChanged(old)
    state.phase = 'ended'
    become('failed')
    await pass(20_000)
    expect(done).toEqual([])
  })
})
