import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Problem } from '@/api/problem'
import { Book, type Look, type SentMark } from '@/view/marks/book'

/* A server of marks, and a network that can be cut: before a call arrives, or before its answer does. */
const server = vi.hoisted(() => ({
  marks: new Map<string, SentMark & { gone: boolean }>(),
  cut: '' as '' | 'before' | 'after',
  calls: [] as string[],
}))
vi.mock('@/api/client', () => {
  const through = async <T>(name: string, act: () => T): Promise<T> => {
    server.calls.push(name)
    const lost = () => Object.assign(new Error('network'), { passing: true })
    if (server.cut === 'before') throw lost()
    const answer = structuredClone(act())
    if (server.cut === 'after') throw lost()
    return answer
  }
  const stale = () => new Problem(409, 'conflict', '', 'revision', '')
  const seen = () => ({ may_write: true, marks: [...server.marks.values()].filter(({ gone }) => !gone) })
  type Body = Look & { id: string; points: [number, number][]; revision: number }
  return {
    api: {
      post: (_path: string, body: Body) =>
        through('post', () => {
          const old = [...server.marks.values()].find(({ client }) => client === body.id)
          if (old) return old
          const id = `s${server.marks.size}`
          const author = { id: 'me', name: 'Me' }
          const mark = { ...body, id, client: body.id, revision: 1, own: true, author, gone: false }
          server.marks.set(id, mark as never)
          return mark
        }),
      put: (path: string, body: Body) =>
        through('put', () => {
          const mark = server.marks.get(path.split('/').pop() as string) as SentMark & { gone: boolean }
          if (mark.revision !== body.revision) throw stale()
          Object.assign(mark, body, { revision: mark.revision + 1, gone: false })
          return mark
        }),
      delete: (path: string) =>
        through('delete', () => {
          const [id, revision] = (path.split('/').pop() as string).split('?revision=')
          const mark = server.marks.get(id) as SentMark & { gone: boolean }
          if (mark.gone) return { revision: mark.revision }
          if (mark.revision !== Number(revision)) throw stale()
          Object.assign(mark, { gone: true, revision: mark.revision + 1 })
          return { revision: mark.revision }
        }),
      get: () => through('get', seen),
      fresh: () => through('fresh', () => ({ etag: '"1"', value: seen() })),
    },
  }
})

const line: Look = {
  kind: 'distance',
  points: [
    { x: 0, y: 0 },
    { x: 3, y: 4 },
  ],
  colour: '#0057d9',
  text: '',
  z: 0,
}
let book: Book
beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('document', { hidden: false })
  server.marks.clear()
  server.cut = ''
  server.calls.length = 0
  book = new Book('file', { id: 'me', name: 'Me' })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})
const there = () => [...server.marks.values()].filter(({ gone }) => !gone)
const soon = (ms = 10) => vi.advanceTimersByTimeAsync(ms)

test('drawn, changed, deleted and taken back, at once and in order', async () => {
  const key = book.add(line)
  book.change(key, { text: 'a' })
  await soon()
  expect(there()).toMatchObject([
    {
      text: 'a',
      points: [
        [0, 0],
        [3, 4],
      ],
    },
  ])
  book.remove(key)
  await soon()
  expect([there().length, book.state.marks.length, book.state.unsaved]).toEqual([0, 0, 0])
  book.undo()
  await soon()
  expect(there()).toMatchObject([{ text: 'a' }])
  expect(server.marks.size).toBe(1)
})

test('a cut network loses nothing, and what arrived without its answer is there once', async () => {
  for (const cut of ['before', 'after'] as const) {
    server.cut = cut
    const key = book.add(line)
    await soon()
    expect([book.state.failing, book.state.unsaved]).toEqual([true, 1])
    book.change(key, { text: cut })
    await soon(20_000)
    server.cut = ''
    await soon(4000)
    expect([book.state.failing, book.state.unsaved]).toEqual([false, 0])
  }
  expect(there().map(({ text }) => text)).toEqual(['before', 'after'])
  server.cut = 'after'
  const [first] = book.state.marks
  book.change(first.key, { colour: '#111111' })
  await soon(2000)
  server.cut = ''
  await soon(4000)
  expect([there()[0].colour, book.state.unsaved]).toEqual(['#111111', 0])
})

test('another window’s change stands, and is said', async () => {
  const refused = vi.fn()
  book.onRefused = refused
  const key = book.add(line)
  await soon()
  Object.assign(there()[0], { text: 'theirs', revision: 5 })
  book.change(key, { text: 'mine' })
  await soon()
  expect([book.find(key)?.text, there()[0].text, refused.mock.calls.length]).toEqual(['theirs', 'theirs', 1])
  book.change(key, { text: 'mine' })
  await soon()
  expect(there()[0].text).toBe('mine')
})

test('what others draw comes, and what is not sent yet stays', async () => {
  book.open()
  await soon()
  server.marks.set('o', {
    ...line,
    id: 'o',
    client: 'x',
    points: [
      [1, 1],
      [2, 2],
    ],
    revision: 1,
    own: false,
    author: { id: 'you', name: 'You' },
    gone: false,
  } as never)
  server.cut = 'before'
  book.add(line)
  await soon(100)
  server.cut = ''
  await soon(8000)
  expect(book.state.marks.map(({ own }) => own).sort()).toEqual([false, true])
  expect(there().length).toBe(2)
  book.close()
})

test('typing is undone as one', async () => {
  const key = book.add(line)
  book.change(key, { text: 'a' })
  book.change(key, { text: 'ab' }, true)
  book.change(key, { text: 'abc' }, true)
  book.undo()
  expect(book.find(key)?.text).toBe('')
  await soon()
})
