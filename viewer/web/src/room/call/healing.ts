/*
 * A call that broke comes back by itself.
 *
 *   WebSocket lost     → it comes back by itself (rpc.ts) → room.join with `resume` and an ICE restart
 *   ICE disconnected   → is the WebSocket alive? yes: room.offer with an ICE restart; no: as above
 *   another network    → the same at once, before ICE notices
 *   participant gone   → error 1004 → a new PeerConnection joins anew
 *   two restarts in vain → leaves and joins anew with a new PeerConnection
 */
import { onNetworkChange } from './network'
import type { Peer } from './peer'
import type { Phase, RoomState } from './state'

const ICE_GRACE_MS = 1200
const ICE_PATIENCE_MS = 8000
const PROBE_MS = 2000
const MAX_RESTARTS = 2

/** What it needs of the call that it heals. */
export interface HealingPort {
  /** The PeerConnection of now: another one may take its place. */
  peer(): Peer
  isOpen(): boolean
  call<T>(method: string, params: object, timeoutMs?: number): Promise<T>
  /** Whether the WebSocket lives; a dead one is made anew. */
  probe(timeoutMs: number): Promise<boolean>
  /** No pictures are asked for until the call stands again. */
  rest(): void
  freshPeer(): void
  join(): Promise<void>
  renegotiate(restart: boolean): Promise<void>
}

export class Healing {
  /** Media have flown on this PeerConnection. */
  wasConnected = false

  private iceTimer: ReturnType<typeof setTimeout> | undefined
  private healing = false
  private restarts = 0
  private readonly networkWatch: () => void

  constructor(
    private readonly state: Pick<RoomState, 'phase' | 'me'>,
    private readonly port: HealingPort,
  ) {
    this.networkWatch = onNetworkChange(() => void this.networkChanged())
  }

  /** Another PeerConnection, which has still to connect. */
  startAfresh(): void {
    clearTimeout(this.iceTimer)
    this.wasConnected = false
  }

  end(): void {
    this.networkWatch()
    clearTimeout(this.iceTimer)
  }

  rejoin(): Promise<void> {
    if (this.state.phase === 'ended') return Promise.resolve()
    this.state.phase = 'reconnecting'
    this.port.rest()
    this.port.freshPeer()
    return this.port.join()
  }

  private async startOver(): Promise<void> {
    this.restarts = 0
    await this.port.call('room.leave', {}, 1500).catch(() => undefined)
    await this.rejoin()
  }

  lost(): void {
    if (this.state.phase === 'ended') return
    this.state.phase = this.state.me ? 'reconnecting' : 'joining'
    this.port.rest()
  }

  connectionChanged(peer: Peer): void {
    if (peer !== this.port.peer() || this.state.phase === 'ended') return
    const { iceConnectionState: ice, connectionState: whole } = peer.pc
    if (whole === 'connected') {
      clearTimeout(this.iceTimer)
      this.wasConnected = true
      this.restarts = 0
      if (this.state.phase === 'reconnecting' && this.port.isOpen()) this.state.phase = 'live'
    } else if (ice === 'failed' || whole === 'failed') void this.heal()
    else if (ice === 'disconnected') {
      clearTimeout(this.iceTimer)
      this.iceTimer = setTimeout(() => void this.heal(), ICE_GRACE_MS)
      void this.port.probe(PROBE_MS) // a change of network took both: no need to find that out one after the other
    }
  }

  /** After an answer the media must come; if it does not, try again. */
  watchConnection(): void {
    clearTimeout(this.iceTimer)
    this.iceTimer = setTimeout(() => {
      if (this.port.peer().pc.connectionState !== 'connected') void this.heal()
    }, ICE_PATIENCE_MS)
  }

  /** The connection may live on for a while where it is; the restart finds the better way meanwhile. */
  private async networkChanged(): Promise<void> {
    if (this.healing || this.state.phase !== 'live' || !this.wasConnected) return
    if (!(await this.port.probe(PROBE_MS))) return // a new connection joins again, with a restart
    if ((this.state.phase as Phase) !== 'live') return
    await this.port.renegotiate(true)
    this.watchConnection()
  }

  private async heal(): Promise<void> {
    if (this.healing || this.state.phase === 'ended') return
    this.healing = true
    const peer = this.port.peer()
    try {
      this.state.phase = 'reconnecting'
      if (!(await this.port.probe(PROBE_MS))) return // a new connection joins again
      if (peer !== this.port.peer()) return // that has happened already
      // an ICE restart that did not help, twice: this PeerConnection is beyond repair
      const { connectionState, iceConnectionState } = peer.pc
      const dtlsDead = connectionState === 'failed' && iceConnectionState !== 'failed'
      if (dtlsDead || ++this.restarts > MAX_RESTARTS) await this.startOver()
      else await this.port.renegotiate(true)
      this.watchConnection()
    } finally {
      this.healing = false
      // a connection that never broke tells of no change
      const mended =
        this.port.peer().pc.connectionState === 'connected' && this.port.peer().pc.iceConnectionState !== 'disconnected'
      if (mended && this.port.isOpen() && (this.state.phase as Phase) === 'reconnecting') this.state.phase = 'live'
    }
  }
}
