/*
 * Writing in the room. What was typed and what was not answered yet outlives a lost connection, another tab and a new stay: it is sent again under
 * the same id, which the server keeps once. What others wrote meanwhile is asked for by number.
 */
import { computed, reactive, type ComputedRef } from 'vue'
import type { FileInfo, Message, MessagePage } from '@/api/types'
import { CODE } from '../call/protocol'
import { RpcError } from '../call/rpc'
import type { Tell } from '../host/moderation'
import { completeTo, hasGap, merged, unread } from './thread'

export const MESSAGE_CHARS = 2000
const AGAIN_MS = 2000
const TRIES = 3
const NOTICE_CHARS = 40

export interface Unsent {
  id: string
  text: string
  file: FileInfo | null
  /** waiting: for the connection, or because too many were sent at once. */
  state: 'sending' | 'waiting' | 'failed'
  tries: number
  /** Why it failed. */
  error: unknown
}

export interface ChatPort {
  call<T>(method: string, params: object): Promise<T>
  on<T>(method: string, handler: (params: T) => void): void
  /** The user's id. */
  me(): string
  tell: Tell
}

/** Where the person looks: at nothing of the panel, at another tab, at the messages. */
export type Shown = 'closed' | 'elsewhere' | 'chat'

function freshId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/* The number that was seen last outlives a reload, where the browser keeps something. */
function remembered(key: string): number {
  try {
    return Number(sessionStorage.getItem(key)) || 0
  } catch {
    return 0
  }
}
function remember(key: string, seen: number): void {
  try {
    sessionStorage.setItem(key, String(seen))
  } catch {
    // then all is new after a reload
  }
}

const charsOf = (text: string) => [...text].length
const clipped = (text: string) =>
  charsOf(text) > NOTICE_CHARS ? `${[...text].slice(0, NOTICE_CHARS).join('')}…` : text

export class Chat {
  readonly state = reactive({
    messages: [] as Message[],
    unsent: [] as Unsent[],
    /** There are older ones on the server. */
    more: false,
    loaded: false,
    seen: 0,
    /** What is being written. */
    draft: '',
    attached: null as FileInfo | null,
  })
  readonly unread: ComputedRef<number>
  readonly tooLong = computed(() => charsOf(this.state.draft.trim()) - MESSAGE_CHARS)
  private shown: Shown = 'closed'
  private ready = false
  private sending = false
  private asking = false
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly port: ChatPort,
    private readonly key: string,
  ) {
    this.state.seen = remembered(this.key)
    this.unread = computed(() => unread(this.state.messages, port.me(), this.state.seen))
    port.on<Message>('room.said', (message) => this.heard(message))
  }

  /** What a former stay of this page did not get rid of. */
  takeOver(former: Chat): void {
    this.state.draft = former.state.draft
    this.state.attached = former.state.attached
    this.state.unsent = former.state.unsent.map((one) => ({ ...one, tries: 0 }))
  }

  /** In the room, for the first time or again. */
  connected(): void {
    this.ready = true
    void this.ask()
    void this.flush()
  }

  lost(): void {
    this.ready = false
    for (const one of this.state.unsent) if (one.state === 'sending') one.state = 'waiting'
  }

  end(): void {
    this.ready = false
    clearTimeout(this.timer)
  }

  show(where: Shown): void {
    this.shown = where
    this.see()
  }

  /** Sends what is being written. */
  send(): void {
    const { state } = this
    const text = state.draft.trim()
    if ((!text && !state.attached) || this.tooLong.value > 0) return
    state.unsent.push({ id: freshId(), text, file: state.attached, state: 'sending', tries: 0, error: null })
    state.draft = ''
    state.attached = null
    void this.flush()
  }

  retry(id: string): void {
    const one = this.state.unsent.find((unsent) => unsent.id === id)
    if (!one) return
    Object.assign(one, { state: 'sending', tries: 0, error: null })
    void this.flush()
  }

  /** Gives one up that was refused: its text comes back to be written anew. */
  takeBack(id: string): void {
    const { state } = this
    const one = state.unsent.find((unsent) => unsent.id === id)
    if (!one || one.state !== 'failed') return
    state.unsent = state.unsent.filter((unsent) => unsent !== one)
    state.draft = [one.text, state.draft].filter(Boolean).join('\n')
    state.attached ??= one.file
  }

  async older(): Promise<void> {
    const first = this.state.messages[0]
    if (!first) return
    const page = await this.port.call<MessagePage>('room.messages', { before: first.seq })
    this.take(page.messages)
    this.state.more = page.more
  }

  private take(messages: Message[]): void {
    this.state.messages = merged(this.state.messages, messages)
    this.see()
  }

  private see(): void {
    const last = this.state.messages[this.state.messages.length - 1]?.seq ?? 0
    if (this.shown !== 'chat' || document.hidden || last <= this.state.seen) return
    this.state.seen = last
    remember(this.key, last)
  }

  private heard(message: Message): void {
    const known = this.state.messages.some((one) => one.seq === message.seq)
    this.take([message])
    if (this.state.loaded && hasGap(this.state.messages)) void this.ask()
    if (known || message.author.id === this.port.me() || this.shown === 'chat') return
    const { name } = message.author
    const text = clipped(message.text.replace(/\s+/g, ' ') || message.file?.name || '')
    if (this.shown === 'closed' && text) this.port.tell('said_text', { name, text })
    else this.port.tell('said', { name })
  }

  /** What is missing: the newest at first, then all behind the last one up to which nothing is. */
  private async ask(): Promise<void> {
    if (this.asking) return
    this.asking = true
    try {
      for (;;) {
        const { loaded, messages } = this.state
        const after = loaded ? completeTo(messages) : null
        const page = await this.port.call<MessagePage>('room.messages', after === null ? {} : { after })
        if (!loaded) this.state.more = page.more
        this.state.loaded = true
        this.take(page.messages)
        if (after === null || !page.more || page.messages.length === 0) break
      }
    } catch {
      // whoever joins again asks again
      if (this.ready) this.later()
    } finally {
      this.asking = false
    }
  }

  private later(ms = AGAIN_MS): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.ready && this.connected(), ms)
  }

  /** One after the other, so that they stand in the order of writing. */
  private async flush(): Promise<void> {
    if (this.sending) return
    this.sending = true
    try {
      for (;;) {
        const one = this.state.unsent.find((unsent) => unsent.state !== 'failed')
        if (!one) return
        one.state = this.ready ? 'sending' : 'waiting'
        if (!this.ready || !(await this.deliver(one))) return
      }
    } finally {
      this.sending = false
    }
  }

  /** False: it is to be tried again later. */
  private async deliver(one: Unsent): Promise<boolean> {
    const { id, text, file } = one
    try {
      const params = { id, ...(text ? { text } : {}), ...(file ? { file: file.id } : {}) }
      const { message } = await this.port.call<{ message: Message }>('room.say', params)
      this.state.unsent = this.state.unsent.filter((unsent) => unsent.id !== id)
      this.take([message])
      if (this.state.loaded && hasGap(this.state.messages)) void this.ask()
      return true
    } catch (error) {
      return this.refused(one, error)
    }
  }

  private refused(one: Unsent, error: unknown): boolean {
    const busy = error instanceof RpcError && error.code === CODE.busy
    // who is just being let in again is in no room for a moment
    const outside = error instanceof RpcError && error.code === CODE.notFound && !error.data.field
    if (error instanceof RpcError && !busy && !(outside && ++one.tries < TRIES)) {
      Object.assign(one, { state: 'failed', error })
      return true
    }
    one.state = 'waiting'
    if (this.ready) this.later(busy ? ((error as RpcError).data.retry_ms ?? AGAIN_MS) : AGAIN_MS)
    return false
  }
}
