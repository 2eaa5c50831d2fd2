/*
 * Requests that pages of this tab show, and urgent ones that wait for an expert: the server tells of their changes over one WebSocket
 * (`request.watch` and `request.changed`, `urgent.watch` and `urgent.changed`).
 *
 * It stands while somebody can see a tab that shows requests, and for experts always: they are to be reached. It keeps no login alive.
 * Pages go on asking now and then (ui/fresh.ts), for servers and networks without WebSockets.
 */
import { onBeforeUnmount, watch } from 'vue'
import { CODE } from '@/room/call/protocol'
import { Rpc, RpcError } from '@/room/call/rpc'

export interface Shown {
  id: string
  state: string
}

/** The connection, as far as it is needed here. */
export type Line = Pick<Rpc, 'on' | 'connect' | 'close' | 'call' | 'isOpen' | 'onopen'>

/** An urgent request that waits for an expert: nothing of the patient. */
export interface Waiting {
  id: string
  number: string
  created_at: number
  hospital: string
  department: string
  /** The centre has given it to this expert, who has not been in its room yet. */
  assigned?: boolean
}

interface Page {
  shown: readonly Shown[]
  /** Asks the server anew. */
  load: () => Promise<unknown> | void
  loading: boolean
  stale: boolean
}

export const WATCH_MAX = 200
/** From one page to the next the connection stays. */
const LINGER_MS = 5000
/** So long after nobody can see the tab any more. */
const HIDDEN_MS = 60_000
/** Between two loads of a page. */
const LOAD_GAP_MS = 300
const REFUSED_AGAIN_MS = 5000
/** Between two questions for urgent ones. */
const URGENT_GAP_MS = 500

export class RequestWatch {
  private readonly pages = new Set<Page>()
  private line: Line | null = null
  private visible = true
  /** What the server was last told, in one text. */
  private told = ''
  private serial = 0
  /** The server knows no such call: until another page is shown. */
  private useless = false
  private urgent: ((waiting: Waiting[]) => void) | null = null
  private urgentTimer: ReturnType<typeof setTimeout> | undefined
  private urgentAt = 0
  private tellTimer: ReturnType<typeof setTimeout> | undefined
  private closeTimer: ReturnType<typeof setTimeout> | undefined

  /** The login behind the connection has ended. */
  onended: () => void | Promise<void> = () => undefined

  constructor(private readonly makeLine: () => Line) {}

  /** Calls `take` with the urgent requests that wait, now and at every change. Gives what ends it. */
  listen(take: (waiting: Waiting[]) => void): () => void {
    this.urgent = take
    this.useless = false
    if (this.line?.isOpen) void this.askUrgent()
    this.update()
    return () => {
      this.urgent = null
      this.update()
    }
  }

  /** A page is there. Gives what says what it shows now, and what ends it. */
  add(load: Page['load']): { show(shown: readonly Shown[]): void; end(): void } {
    const page: Page = { shown: [], load, loading: false, stale: false }
    this.pages.add(page)
    this.useless = false
    return {
      show: (shown) => {
        page.shown = shown
        this.update()
      },
      end: () => {
        this.pages.delete(page)
        this.update()
      },
    }
  }

  /** Whether somebody can see the tab. */
  see(visible: boolean): void {
    this.visible = visible
    this.update()
  }

  /** Another login, or none: a connection is the one's who opened it. */
  reset(): void {
    this.close()
    this.update()
  }

  private ids(): string[] {
    const ids = new Set([...this.pages].flatMap((page) => page.shown.map((one) => one.id)))
    return [...ids].slice(0, WATCH_MAX)
  }

  private update(): void {
    clearTimeout(this.closeTimer)
    const wanted = this.ids().length > 0
    if ((this.urgent || (wanted && this.visible)) && !this.useless) {
      if (!this.line) this.open()
      // pages come and go, and lists change, in one go
      clearTimeout(this.tellTimer)
      this.tellTimer = setTimeout(() => void this.tell(), 0)
    } else if (this.line) this.closeTimer = setTimeout(() => this.close(), wanted ? HIDDEN_MS : LINGER_MS)
  }

  private open(): void {
    const line = this.makeLine()
    this.line = line
    line.on<Shown & { request: string }>('request.changed', ({ request }) => {
      for (const page of this.pages) if (page.shown.some((one) => one.id === request)) void this.load(page)
    })
    line.on('urgent.changed', () => this.soonUrgent())
    line.onopen = () => {
      this.told = ''
      if (this.ids().length) void this.tell()
      if (this.urgent) void this.askUrgent()
    }
    line.connect()
  }

  private close(): void {
    clearTimeout(this.tellTimer)
    clearTimeout(this.urgentTimer)
    this.line?.close()
    this.line = null
    this.told = ''
  }

  private async tell(): Promise<void> {
    const { line } = this
    const ids = this.ids()
    const text = ids.join()
    if (!line?.isOpen || text === this.told) return
    this.told = text
    const serial = ++this.serial
    try {
      const { requests } = await line.call<{ requests: Shown[] }>('request.watch', { requests: ids })
      if (serial === this.serial) this.compare(requests)
    } catch (error) {
      if (line !== this.line || serial !== this.serial) return
      this.told = ''
      if (!(error instanceof RpcError)) return // it comes back by itself, and then tells anew
      if (error.code === CODE.unknownMethod || error.code === CODE.unauthorized) {
        this.useless = error.code === CODE.unknownMethod
        if (this.useless) this.close()
        else this.end()
      } else this.tellTimer = setTimeout(() => void this.tell(), error.data.retry_ms ?? REFUSED_AGAIN_MS)
    }
  }

  private soonUrgent(): void {
    clearTimeout(this.urgentTimer)
    const wait = Math.max(0, this.urgentAt + URGENT_GAP_MS - Date.now())
    this.urgentTimer = setTimeout(() => void this.askUrgent(), wait)
  }

  private async askUrgent(): Promise<void> {
    const { line } = this
    if (!this.urgent || !line?.isOpen) return
    this.urgentAt = Date.now()
    try {
      const { requests } = await line.call<{ requests: Waiting[] }>('urgent.watch')
      if (line === this.line) this.urgent?.(requests)
    } catch (error) {
      if (line !== this.line || !(error instanceof RpcError)) return // what was lost comes back by itself, and then asks anew
      if (error.code === CODE.unauthorized) this.end()
      else if (error.data.retry_ms) this.urgentTimer = setTimeout(() => void this.askUrgent(), error.data.retry_ms)
    }
  }

  /** The login has ended: the next load of a page, or another login, tries again. */
  private end(): void {
    this.close()
    void this.onended()
  }

  /** What changed between a page's own question and the server's watching. */
  private compare(now: readonly Shown[]): void {
    const states = new Map(now.map((one) => [one.id, one.state]))
    for (const page of this.pages)
      if (page.shown.some(({ id, state }) => states.has(id) && states.get(id) !== state)) void this.load(page)
  }

  /** One after the other, so that an old answer never comes after a new one. */
  private async load(page: Page): Promise<void> {
    page.stale = true
    if (page.loading) return
    page.loading = true
    while (page.stale && this.pages.has(page)) {
      page.stale = false
      await Promise.resolve(page.load()).catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, LOAD_GAP_MS))
    }
    page.loading = false
  }
}

let shared: RequestWatch | null = null

export function sharedWatch(): RequestWatch {
  if (shared) return shared
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  const made = new RequestWatch(() => new Rpc(`${scheme}://${location.host}/ws`))
  document.addEventListener('visibilitychange', () => made.see(document.visibilityState === 'visible'))
  made.see(document.visibilityState === 'visible')
  return (shared = made)
}

/** Calls `load` as soon as one of the requests that the page shows has changed. */
export function useRequestWatch(shown: () => readonly Shown[], load: () => Promise<unknown> | void): void {
  const page = sharedWatch().add(load)
  const stop = watch(
    () => shown().map(({ id, state }) => ({ id, state })),
    (now) => page.show(now),
    { immediate: true },
  )
  onBeforeUnmount(() => {
    stop()
    page.end()
  })
}
