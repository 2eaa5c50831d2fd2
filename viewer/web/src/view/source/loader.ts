/*
 * Fetches tiles: what is on screen at once, what will be wanted next only while nothing on screen waits. What left the screen is given up.
 * Bounded: connections, bytes kept ahead.
 */

/** As many as a screen needs at once; the browser queues what its connections do not carry. */
const WANTED_AT_ONCE = 32
/** They share the line with what a hand may want the next moment. */
const AHEAD_AT_ONCE = 3
/** Compressed tiles fetched ahead: some 500 of them. */
const KEPT_BYTES = 16 << 20
/** A tile that has to be decoded on a busy server; then it is asked for anew. */
const PATIENCE_MS = 30_000

type Get = (address: string, init: RequestInit) => Promise<Response>

export interface Wanted {
  readonly address: string
  done: (tile: Blob) => void
  failed: (reason: string) => void
}

interface Flight {
  abort: AbortController
  /** Who waits for it; nobody while it is fetched ahead. */
  wanted: Set<Wanted>
}

export class TileLoader {
  /** Nothing on screen waits any more. */
  onCalm: () => void = () => undefined
  private readonly queue = new Set<Wanted>()
  private readonly flights = new Map<string, Flight>()
  private readonly kept = new Map<string, Blob>()
  private keptBytes = 0
  private coming: string[] = []
  private closed = false

  constructor(
    private readonly get: Get = (address, init) => fetch(address, init),
    private readonly most: number = KEPT_BYTES,
  ) {}

  /** For the screen. */
  want(wanted: Wanted): void {
    const kept = this.kept.get(wanted.address)
    if (kept) {
      this.forget(wanted.address)
      return wanted.done(kept)
    }
    const flight = this.flights.get(wanted.address)
    if (flight) flight.wanted.add(wanted)
    else this.queue.add(wanted)
    this.go()
  }

  /** It left the screen. Nothing of it is said any more. */
  giveUp(wanted: Wanted): void {
    this.queue.delete(wanted)
    const flight = this.flights.get(wanted.address)
    if (flight?.wanted.delete(wanted) && !flight.wanted.size) this.end(wanted.address, flight)
    this.go()
  }

  /** What will be wanted next, the likeliest first, instead of what was said before. */
  ahead(addresses: readonly string[]): void {
    const next = new Set(addresses)
    for (const [address, flight] of this.flights)
      if (!flight.wanted.size && !next.has(address)) this.end(address, flight)
    this.coming = addresses.filter((address) => !this.kept.has(address) && !this.flights.has(address))
    this.go()
  }

  /** Everything on screen has come. */
  get calm(): boolean {
    return !this.queue.size && ![...this.flights.values()].some((flight) => flight.wanted.size)
  }

  close(): void {
    this.closed = true
    this.queue.clear()
    this.coming = []
    for (const [address, flight] of this.flights) this.end(address, flight)
    this.kept.clear()
    this.keptBytes = 0
  }

  private go(): void {
    for (const wanted of this.queue) {
      if (this.flights.size >= WANTED_AT_ONCE) return
      this.queue.delete(wanted)
      // asked for twice while it stood in the queue
      const flight = this.flights.get(wanted.address)
      if (flight) flight.wanted.add(wanted)
      else this.start(wanted.address, [wanted])
    }
    while (this.coming.length && this.flights.size < AHEAD_AT_ONCE && this.calm) this.start(this.coming.shift()!, [])
  }

  private start(address: string, wanted: Wanted[]): void {
    const flight: Flight = { abort: new AbortController(), wanted: new Set(wanted) }
    this.flights.set(address, flight)
    const late = setTimeout(() => flight.abort.abort(), PATIENCE_MS)
    this.fetch(address, flight).then(
      (tile) => this.landed(address, flight, late, tile),
      (error: unknown) => this.landed(address, flight, late, null, String(error)),
    )
  }

  private async fetch(address: string, flight: Flight): Promise<Blob> {
    const answer = await this.get(address, {
      signal: flight.abort.signal,
      priority: flight.wanted.size ? 'auto' : 'low',
    })
    if (!answer.ok) throw new Error(`${answer.status}`)
    return answer.blob()
  }

  private landed(
    address: string,
    flight: Flight,
    late: ReturnType<typeof setTimeout>,
    tile: Blob | null,
    reason = '',
  ): void {
    clearTimeout(late)
    // given up meanwhile
    if (this.flights.get(address) !== flight) return
    this.flights.delete(address)
    if (tile && !flight.wanted.size) this.keep(address, tile)
    for (const wanted of flight.wanted) {
      if (tile) wanted.done(tile)
      else wanted.failed(reason)
    }
    this.go()
    if (flight.wanted.size && this.calm) this.onCalm()
  }

  private end(address: string, flight: Flight): void {
    this.flights.delete(address)
    flight.abort.abort()
  }

  /** It came, and may be wanted again. */
  keep(address: string, tile: Blob): void {
    if (this.closed) return
    this.forget(address)
    this.kept.set(address, tile)
    this.keptBytes += tile.size
    for (const oldest of this.kept.keys()) {
      if (this.keptBytes <= this.most) break
      this.forget(oldest)
    }
  }

  private forget(address: string): void {
    this.keptBytes -= this.kept.get(address)?.size ?? 0
    this.kept.delete(address)
  }
}
