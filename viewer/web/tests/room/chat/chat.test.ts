import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Message } from '@/api/types'
import { Disconnected, RpcError } from '@/room/call/rpc'
import { Chat } from '@/room/chat/chat'

/** The server's side of it: keeps each id once, counts without gaps. */
function bench() {
  const kept: Message[] = []
  const told: string[] = []
  const asked: object[] = []
  let fail: (() => Error | null) | null = null
  let heard: (message: Message) => void = () => undefined
  const write = (id: string, text: string, author: string): Message => {
    const known = kept.find((one) => one.id === id && one.author.id === author)
    if (known) return known
    const one = { seq: kept.length + 1, id, at: 0, author: { id: author, name: author, title: '' }, text, file: null, file_gone: false } // prettier-ignore
    kept.push(one)
    return one
  }
  const call = async <T>(method: string, params: object): Promise<T> => {
    if (method === 'room.messages') {
      asked.push(params)
      const { after = 0, before = 1e9 } = params as { after?: number; before?: number }
      const messages = kept.filter((one) => one.seq > after && one.seq < before)
      return { messages, last: kept.length, more: false } as T
    }
    const { id, text } = params as { id: string; text: string }
    const error = fail?.()
    if (error) throw error
    return { message: write(id, text, 'me') } as T
  }
  const chat = new Chat(
    { call, on: (_method, handler) => void (heard = handler as never), me: () => 'me', tell: (key) => void told.push(key) }, // prettier-ignore
    'chat.test',
  )
  const say = (text: string) => {
    chat.state.draft = text
    chat.send()
  }
  return { chat, kept, told, asked, write, say, hear: (m: Message) => heard(m), failWith: (f: typeof fail) => (fail = f) } // prettier-ignore
}

describe('writing in a room', () => {
  const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms)
  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('document', { hidden: false })
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })
  const texts = (list: { text: string }[]) => list.map((one) => one.text).join(' ')

  it('keeps the order, and empties what is being written', async () => {
    const { chat, kept, say } = bench()
    chat.connected()
    for (const text of ['a', 'b', 'c']) say(text)
    expect(chat.state.draft).toBe('')
    await settle()
    expect(texts(kept)).toBe('a b c')
    expect(texts(chat.state.messages)).toBe('a b c')
    expect(chat.state.unsent).toHaveLength(0)
  })

  it('sends nothing that is empty or too long', async () => {
    const { chat, kept, say } = bench()
    chat.connected()
    say('  \n ')
    say('字'.repeat(2001))
    await settle()
    expect(kept).toHaveLength(0)
    expect(chat.state.draft).toHaveLength(2001)
    expect(chat.tooLong.value).toBe(1)
    say('🙂'.repeat(2000))
    await settle()
    expect(kept).toHaveLength(1)
  })

  it('is there once when the answer was lost, with what others wrote meanwhile', async () => {
    const { chat, kept, say, write, failWith, asked } = bench()
    chat.connected()
    await settle()
    failWith(() => {
      write(chat.state.unsent[0]?.id ?? '', 'mine', 'me') // it was kept, only its answer never came
      return new Disconnected()
    })
    say('mine')
    chat.lost()
    await settle()
    expect(chat.state.unsent[0]?.state).toBe('waiting')
    write('x', 'theirs', 'other')
    say('next')
    failWith(null)
    chat.connected()
    await settle()
    expect(texts(kept)).toBe('mine theirs next')
    expect(texts(chat.state.messages)).toBe('mine theirs next')
    expect(chat.state.unsent).toHaveLength(0)
    expect(asked[1]).toEqual({ after: 0 })
  })

  it('goes on by itself after too many at once', async () => {
    const { chat, kept, say, failWith } = bench()
    chat.connected()
    let left = 2
    failWith(() => (left-- > 0 ? new RpcError(1029, 'busy', { reason: 'busy', retry_ms: 700 }) : null))
    say('a')
    say('b')
    await settle()
    expect(kept).toHaveLength(0)
    await settle(1500)
    expect(texts(kept)).toBe('a b')
  })

  it('says what was refused, and gives it back', async () => {
    const { chat, kept, say, failWith } = bench()
    chat.connected()
    failWith(() => new RpcError(1004, 'not found', { reason: 'not_found', field: 'file' }))
    say('a')
    await settle()
    expect(chat.state.unsent[0]?.state).toBe('failed')
    failWith(null)
    say('b')
    await settle()
    expect(texts(kept)).toBe('b')
    chat.takeBack(chat.state.unsent[0]?.id ?? '')
    expect(chat.state.draft).toBe('a')
    expect(chat.state.unsent).toHaveLength(0)
  })

  it('asks for what is missing when one came before another', async () => {
    const { chat, write, hear, asked } = bench()
    chat.connected()
    await settle()
    write('1', 'one', 'other')
    await settle()
    hear(write('1', 'one', 'other'))
    write('2', 'two', 'other')
    hear(write('3', 'three', 'other'))
    await settle()
    expect(texts(chat.state.messages)).toBe('one two three')
    expect(asked).toContainEqual({ after: 1 })
  })

  it('counts what is unread, and tells it where nobody looks', async () => {
    const { chat, write, hear, told } = bench()
    chat.connected()
    await settle()
    hear(write('1', 'one', 'other'))
    chat.show('elsewhere')
    hear(write('2', 'two', 'other'))
    expect(told).toEqual(['said_text', 'said'])
    expect(chat.unread.value).toBe(2)
    chat.show('chat')
    hear(write('3', 'three', 'other'))
    expect(chat.unread.value).toBe(0)
    expect(told).toHaveLength(2)
  })

  it('goes over into another stay', async () => {
    const former = bench().chat
    former.state.draft = 'half'
    former.send()
    former.state.draft = 'typed'
    const { chat, kept } = bench()
    chat.takeOver(former)
    chat.connected()
    await settle()
    expect(texts(kept)).toBe('half')
    expect(chat.state.draft).toBe('typed')
  })
})
