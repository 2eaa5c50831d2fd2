import { describe, expect, it } from 'vitest'
import type { Message } from '@/api/types'
import { completeTo, covered, hasGap, merged, unread } from '@/room/chat/thread'

const message = (seq: number, author = 'a', text = `m${seq}`): Message => ({
  seq,
  id: `i${seq}`,
  at: seq,
  author: { id: author, name: author, title: '' },
  text,
  file: null,
  file_gone: false,
})
const seqs = (list: Message[]) => list.map((one) => one.seq).join(' ')

describe('a thread', () => {
  it('is in order and has each once, however it came', () => {
    expect(seqs(merged([], [message(3), message(1)]))).toBe('1 3')
    expect(seqs(merged([message(1), message(3)], [message(2), message(3), message(4)]))).toBe('1 2 3 4')
    expect(merged([message(1)], [message(1, 'a', 'later')])[0]?.text).toBe('later')
  })
  it('knows up to where nothing is missing', () => {
    expect(completeTo([])).toBe(0)
    expect(completeTo([message(301), message(302)])).toBe(302)
    expect(completeTo([message(1), message(2), message(4)])).toBe(2)
    expect(hasGap([message(1), message(2), message(4)])).toBe(true)
    expect(hasGap([message(7)])).toBe(false)
    expect(hasGap([])).toBe(false)
  })
  it('counts what others wrote and nobody has seen', () => {
    const list = [message(1), message(2, 'me'), message(3), message(4)]
    expect(unread(list, 'me', 0)).toBe(3)
    expect(unread(list, 'me', 3)).toBe(1)
    expect(unread(list, 'me', 4)).toBe(0)
  })
  it('stands above a keyboard', () => {
    expect(covered(780, { height: 844, offsetTop: 0 })).toBe(0)
    expect(covered(780, { height: 500, offsetTop: 0 })).toBe(280)
    expect(covered(780, { height: 500, offsetTop: 200 })).toBe(80)
  })
})
