/* JSON-RPC 2.0 over one WebSocket that comes back by itself. Knows nothing of rooms. */

import { Problem, problemFrom } from '@/api/problem'

export class RpcError extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly data: { reason?: string; detail?: string; field?: string; retry_ms?: number } = {},
  ) {
    super(message)
    this.name = 'RpcError'
  }
}

/* Codes of docs/protocol.md, and the status that says the same. */
const UNAUTHORIZED = 1001
const CLOSED_UNAUTHORIZED = 4401
const STATUS: Record<number, number> = {
  [UNAUTHORIZED]: 401,
  1003: 403,
  1004: 404,
  1009: 409,
  1029: 503,
  [-32602]: 422,
}

/** A refused call as a problem, for the sentence on the page; without an answer it is the network's. */
export function problemOfCall(error: unknown): Problem {
  if (!(error instanceof RpcError)) return new Problem(0, 'network', '', null, '')
  return problemFrom(STATUS[error.code] ?? 500, error.data, error.message)
}

/** The connection went before the answer came, or the answer took too long. */
export class Disconnected extends Error {
  constructor() {
    super('disconnected')
    this.name = 'Disconnected'
  }
}

interface Pending {
  resolve: (value: unknown) => void
  reject: (error: Error) => void
  timer: ReturnType<typeof setTimeout>
}

type Handler = (params: never) => void

const OPEN_TIMEOUT_MS = 4000
const CALL_TIMEOUT_MS = 10_000
const PING_EVERY_MS = 4000
const PING_TIMEOUT_MS = 4000

/** Waits 250 ms, then twice as long each time up to 4 s, a quarter of it by chance. */
export function backoffMs(attempt: number, random = Math.random()): number {
  const base = Math.min(4000, 250 * 2 ** Math.min(attempt, 10))
  return Math.round(base * (0.75 + random * 0.25))
}

export class Rpc {
  /** Called at every opening, the first one too. */
  onopen: () => void = () => undefined
  /** Called when an open connection is lost. */
  onlost: () => void = () => undefined

  private socket: WebSocket | null = null
  private nextId = 1
  private readonly pending = new Map<number, Pending>()
  private readonly handlers = new Map<string, Handler>()
  private attempt = 0
  private opened = false
  private closed = false
  private retryTimer: ReturnType<typeof setTimeout> | undefined
  private pingTimer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly url: string) {
    window.addEventListener('online', this.hurry)
  }

  get isOpen(): boolean {
    return this.opened
  }

  on<T>(method: string, handler: (params: T) => void): void {
    this.handlers.set(method, handler as Handler)
  }

  connect(): void {
    if (this.closed) return
    clearTimeout(this.retryTimer)
    const socket = new WebSocket(this.url)
    this.socket = socket
    const timer = setTimeout(() => this.lose(socket), OPEN_TIMEOUT_MS)
    socket.onopen = () => {
      clearTimeout(timer)
      if (this.socket !== socket) return
      this.attempt = 0
      this.opened = true
      this.schedulePing(socket)
      this.onopen()
    }
    socket.onmessage = (event) => {
      if (this.socket === socket) this.receive(event.data as string)
    }
    socket.onclose = ({ code }) => {
      clearTimeout(timer)
      this.lose(socket, code === CLOSED_UNAUTHORIZED ? new RpcError(UNAUTHORIZED, 'unauthorized') : undefined)
    }
  }

  call<T>(method: string, params: object = {}, timeoutMs = CALL_TIMEOUT_MS): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!this.opened || !this.socket) return reject(new Disconnected())
      const id = this.nextId++
      const timer = setTimeout(() => {
        this.pending.delete(id)
        reject(new Disconnected())
      }, timeoutMs)
      this.pending.set(id, { resolve: resolve as (value: unknown) => void, reject, timer })
      this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    })
  }

  /** Lost when there is no connection: whoever needs an answer uses call(). */
  notify(method: string, params: object): void {
    if (this.opened && this.socket) this.socket.send(JSON.stringify({ jsonrpc: '2.0', method, params }))
  }

  /** Asks whether the connection still lives; a dead one is dropped and made anew. */
  async probe(timeoutMs = PING_TIMEOUT_MS): Promise<boolean> {
    const socket = this.socket
    if (!socket || !this.opened) return false
    try {
      await this.call('ping', {}, timeoutMs)
      return true
    } catch (error) {
      if (error instanceof RpcError) return true
      this.lose(socket)
      return false
    }
  }

  /** Drops a connection that does not answer; another one is made. */
  drop(): void {
    if (this.socket) this.lose(this.socket)
  }

  close(): void {
    this.closed = true
    window.removeEventListener('online', this.hurry)
    clearTimeout(this.retryTimer)
    clearTimeout(this.pingTimer)
    const socket = this.socket
    this.socket = null
    this.opened = false
    this.rejectAll()
    socket?.close()
  }

  private readonly hurry = (): void => {
    if (this.opened) void this.probe()
    else if (!this.socket) this.connect()
  }

  private schedulePing(socket: WebSocket): void {
    clearTimeout(this.pingTimer)
    this.pingTimer = setTimeout(async () => {
      if (this.socket !== socket) return
      if (await this.probe()) this.schedulePing(socket)
    }, PING_EVERY_MS)
  }

  /** `refused`: what the calls under way are told instead. */
  private lose(socket: WebSocket, refused?: RpcError): void {
    if (this.socket !== socket) return
    this.socket = null
    socket.onmessage = socket.onclose = socket.onopen = null
    socket.close()
    clearTimeout(this.pingTimer)
    const was = this.opened
    this.opened = false
    this.rejectAll(refused)
    if (this.closed) return
    this.retryTimer = setTimeout(() => this.connect(), backoffMs(this.attempt++))
    if (was) this.onlost()
  }

  private rejectAll(error: Error = new Disconnected()): void {
    for (const { reject, timer } of this.pending.values()) {
      clearTimeout(timer)
      reject(error)
    }
    this.pending.clear()
  }

  private receive(text: string): void {
    let message: {
      id?: number
      method?: string
      params?: unknown
      result?: unknown
      error?: { code: number; message: string; data?: object }
    }
    try {
      message = JSON.parse(text)
    } catch {
      return
    }
    if (message.method) return void this.handlers.get(message.method)?.(message.params as never)
    if (typeof message.id !== 'number') return
    const pending = this.pending.get(message.id)
    if (!pending) return
    this.pending.delete(message.id)
    clearTimeout(pending.timer)
    if (message.error) pending.reject(new RpcError(message.error.code, message.error.message, message.error.data))
    else pending.resolve(message.result)
  }
}
