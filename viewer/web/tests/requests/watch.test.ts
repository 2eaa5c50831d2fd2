import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RequestWatch, WATCH_MAX, type Line, type Shown } from '@/requests/watch'
import { Disconnected, RpcError } from '@/room/call/rpc'

/** A server that knows states of requests and tells whoever watches. */
class Server {
  states: Record<string, string> = { r1: 'PENDING_REVIEW', r2: 'SCHEDULED', r3: 'IN_SESSION' }
  lines: TestLine[] = []
  refuses: RpcError | null = null

  make = (): Line => {
    const line = new TestLine(this)
    this.lines.push(line)
    return line
  }
  get line(): TestLine {
    return this.lines[this.lines.length - 1]!
  }
  change(request: string, state: string): void {
    this.states[request] = state
    for (const line of this.lines) line.hear(request, state)
  }
}

class TestLine implements Line {
  isOpen = false
  ended = false
  asked: string[][] = []
  onopen: () => void = () => undefined
  private watched: string[] = []
  private handler: (params: never) => void = () => undefined

  constructor(private readonly server: Server) {}

  on<T>(method: string, handler: (params: T) => void): void {
    if (method === 'request.changed') this.handler = handler as (params: never) => void
  }
  connect(): void {
    this.open()
  }
  open(): void {
    this.isOpen = true
    this.onopen()
  }
  lose(): void {
    this.isOpen = false
    this.watched = []
  }
  close(): void {
    this.lose()
    this.ended = true
  }
  async call<T>(method: string, params: object = {}): Promise<T> {
    expect(method).toBe('request.watch')
    if (!this.isOpen) throw new Disconnected()
    if (this.server.refuses) throw this.server.refuses
    const { requests } = params as { requests: string[] }
    this.asked.push(requests)
    this.watched = requests.filter((id) => id in this.server.states)
    return { requests: this.watched.map((id) => ({ id, state: this.server.states[id] })) } as T
  }
  hear(request: string, state: string): void {
    if (this.watched.includes(request)) this.handler({ request, state } as never)
  }
}

describe('requests that pages show', () => {
  let server: Server
  let watch: RequestWatch

  beforeEach(() => {
    vi.useFakeTimers()
    server = new Server()
    watch = new RequestWatch(server.make)
  })
  afterEach(() => void vi.useRealTimers())

  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
  const row = (id: string, state = server.states[id]!): Shown => ({ id, state })

  /** A page as the detail page is: shows what it asked for last. */
  function page(...ids: string[]) {
    const load = vi.fn(async () => part.show(ids.map((id) => row(id))))
    const part = watch.add(load)
    part.show(ids.map((id) => row(id)))
    return { load, ...part }
  }

  it('makes a page load again at once, only the one that shows it', async () => {
    const list = page('r1', 'r2')
    const detail = page('r3')
    await pass(1)
    expect(server.lines).toHaveLength(1)
    expect(server.line.asked.at(-1)).toEqual(['r1', 'r2', 'r3'])
    server.change('r3', 'AWAITING_REPORT')
    await pass(1)
    expect(detail.load).toHaveBeenCalledTimes(1)
    expect(list.load).not.toHaveBeenCalled()
  })

  it('loads one after the other, however many changes come', async () => {
    let running = 0
    const part = watch.add(async () => {
      expect(++running).toBe(1)
      loads++
      await new Promise((resolve) => setTimeout(resolve, 50))
      running--
    })
    let loads = 0
    part.show([row('r1')])
    await pass(1)
    for (let i = 0; i < 20; i++) server.change('r1', `S${i}`)
    await pass(2000)
    expect(loads).toBe(2)
  })

  it('sees what changed before the server watched', async () => {
    const load = vi.fn()
    const part = watch.add(load)
    server.states.r1 = 'SCHEDULED'
    part.show([row('r1', 'PENDING_REVIEW')])
    await pass(1)
    expect(load).toHaveBeenCalledTimes(1)
  })

  it('tells the server anew after the connection was lost, and sees what it missed', async () => {
    const detail = page('r1')
    await pass(1)
    server.line.lose()
    server.change('r1', 'RETURNED')
    await pass(1000)
    expect(detail.load).not.toHaveBeenCalled()
    server.line.open()
    await pass(1)
    expect(server.line.asked).toEqual([['r1'], ['r1']])
    expect(detail.load).toHaveBeenCalledTimes(1)
  })

  it('keeps the connection from page to page and ends it when none shows a request', async () => {
    const list = page('r1', 'r2')
    await pass(1)
    list.end()
    await pass(1000)
    const detail = page('r1')
    await pass(10_000)
    expect(server.lines).toHaveLength(1)
    expect(server.line.asked).toEqual([['r1', 'r2'], ['r1']])
    detail.end()
    await pass(6000)
    expect(server.line.ended).toBe(true)
  })

  it('leaves the server alone when nobody sees the tab, so that an unused login ends', async () => {
    page('r1')
    await pass(1)
    watch.see(false)
    await pass(30_000)
    expect(server.line.ended).toBe(false)
    await pass(31_000)
    expect(server.line.ended).toBe(true)
    watch.see(true)
    await pass(1)
    expect(server.lines).toHaveLength(2)
    expect(server.line.asked).toEqual([['r1']])
  })

  it('asks for no more than the server takes', async () => {
    const part = watch.add(() => undefined)
    part.show(Array.from({ length: 250 }, (_, i) => ({ id: `x${i}`, state: 'S' })))
    await pass(1)
    expect(server.line.asked.at(-1)).toHaveLength(WATCH_MAX)
  })

  it('gives up with a server that does not know the call, and tries again with the next page', async () => {
    server.refuses = new RpcError(-32601, 'unknown method')
    const first = page('r1')
    await pass(1)
    expect(server.line.ended).toBe(true)
    first.show([row('r1')])
    await pass(60_000)
    expect(server.lines).toHaveLength(1)
    server.refuses = null
    page('r2')
    await pass(1)
    expect(server.line.asked.at(-1)).toEqual(['r1', 'r2'])
  })

  it('asks again when the server is busy', async () => {
    server.refuses = new RpcError(1029, 'busy', { retry_ms: 500 })
    page('r1')
    await pass(1)
    server.refuses = null
    await pass(600)
    expect(server.line.asked).toEqual([['r1']])
  })
})
