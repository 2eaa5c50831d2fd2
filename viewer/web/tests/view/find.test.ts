import { expect, test } from 'vitest'
import { hitsOf, wordOf, type Run } from '@/view/find'
import { Search } from '@/view/search'

const run = (text: string, y: number): Run => ({
  text,
  x: 100,
  y,
  along: { x: 10 * text.length, y: 0 },
  up: { x: 0, y: -10 },
})
const even = (text: string, n: number) => n / text.length

test('a word is found wherever the PDF breaks it, in wide and narrow forms and both cases', () => {
  const runs = [run('中性粒细胞百分', 50), run('比 ６６．３ % ', 70), run('wbc', 90)]
  const count = (word: string) => hitsOf(1, runs, word, even).length
  expect([count('细胞'), count('百分比'), count('66.3'), count('WBC'), count('百分比66.3%'), count('66.4')]).toEqual([
    1, 1, 1, 1, 1, 0,
  ])
  expect([count(''), count(' '), wordOf('Ａ b')]).toEqual([0, 0, 'ab'])
})

test('the mark lies on the word and on no other', () => {
  const [hit] = hitsOf(3, [run('白细胞计数', 50)], '细胞', even)
  expect(hit?.page).toBe(3)
  expect(hit?.marks).toEqual([
    [
      { x: 110, y: 40.5 },
      { x: 130, y: 40.5 },
      { x: 130, y: 52.5 },
      { x: 110, y: 52.5 },
    ],
  ])
  expect(hitsOf(1, [run('白细', 50), run('胞', 70)], '细胞', even)[0]?.marks.length).toBe(2)
})

test('searching begins at the page on screen, goes around, and a new word ends the old search', async () => {
  const pages = [[run('甲乙', 10)], [run('乙', 10), run('乙', 30)], [run('丙乙', 10)]]
  const texts = { count: 3, text: async (page: number) => pages[page - 1] as Run[] }
  const shown: number[] = []
  const search = new Search((_, hit) => hit && shown.push(hit.page), even)
  await search.look(texts, '乙', 2)
  expect({ ...search.state }).toEqual({ hits: 4, current: 2, busy: false, wordless: false })
  for (let i = 0; i < 3; i++) search.go(1)
  expect(search.state.current).toBe(1)
  expect(shown.slice(-3)).toEqual([2, 3, 1])
  search.go(-1)
  expect([search.state.current, shown.at(-1)]).toEqual([4, 3])
  const old = search.look(texts, '乙', 1)
  await search.look(texts, '甲', 1)
  await old
  expect(search.state.hits).toBe(1)
  search.stop()
  expect(search.state.hits).toBe(0)
})

test('pages without any text say so', async () => {
  const search = new Search(() => undefined, even)
  await search.look({ count: 2, text: async () => [] }, '字', 1)
  expect([search.state.hits, search.state.wordless]).toEqual([0, true])
})
