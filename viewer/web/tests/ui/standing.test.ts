import { beforeEach, expect, test } from 'vitest'
import { Standing, type Message } from '@/ui/standing'

let closed: string[]
let most = 3
let standing: Standing<Message>
const told = (text: string): Message => {
  const message = { close: () => void closed.push(text) }
  standing.add(message)
  return message
}

beforeEach(() => {
  closed = []
  most = 3
  standing = new Standing(() => most)
})

test('the newest always stands: the oldest makes room', () => {
  for (const text of ['muted', 'replaced', 'lost', 'no device']) told(text)
  expect(closed).toEqual(['muted'])
  told('back')
  expect(closed).toEqual(['muted', 'replaced'])
})

test('what has gone by itself takes no place', () => {
  standing.gone(told('muted'))
  for (const text of ['replaced', 'lost', 'no device']) told(text)
  expect(closed).toEqual([])
})

test('a text that is told again takes no second place', () => {
  const lost = told('lost')
  for (let i = 0; i < 5; i++) standing.add(lost)
  expect(closed).toEqual([])
})

test('there may be room for fewer than before', () => {
  for (const text of ['muted', 'replaced', 'lost']) told(text)
  most = 2
  told('back')
  expect(closed).toEqual(['muted', 'replaced'])
})
