import { expect, test } from 'vitest'
import { UnfinishedList, type TextStore, type Unfinished } from '@/uploads/unfinished'

function memory(text: string | null = null): TextStore & { text: string | null } {
  return {
    text,
    getItem() {
      return this.text
    },
    setItem(_key, value) {
      this.text = value
    },
    removeItem() {
      this.text = null
    },
  }
}
const row = (n: number, at = 1000): Unfinished => ({
  request: `r${n % 2}`,
  category: 'consent',
  name: `${n}.pdf`,
  size: 10,
  sha256: '',
  url: `/uploads/u${n}`,
  at,
})

test('unfinished uploads are kept per request until they end or expire', () => {
  const store = memory()
  let now = 1000
  const list = new UnfinishedList(store, () => now)
  list.put(row(1))
  list.put(row(2))
  list.put({ ...row(1), size: 11 })
  expect(list.all().length).toBe(2)
  expect(list.of('r1').map((r) => r.size)).toEqual([11])
  list.drop('/uploads/u1')
  expect(list.of('r1')).toEqual([])
  now += 8 * 86400000
  expect(list.all()).toEqual([])
  list.drop('/uploads/u2')
  expect(store.text).toBe(null)
})

test('what is not a list of uploads of this server is ignored', () => {
  for (const text of [
    '',
    '{',
    '{}',
    '[1, null, {}]',
    JSON.stringify([{ ...row(1), url: 'https://elsewhere/uploads/u1' }]),
    JSON.stringify([{ ...row(1), size: 'x' }]),
  ])
    expect(new UnfinishedList(memory(text), () => 1000).all()).toEqual([])
  expect(new UnfinishedList(null).all()).toEqual([])
})
