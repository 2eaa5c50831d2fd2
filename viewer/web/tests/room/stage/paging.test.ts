import { expect, test } from 'vitest'
import type { TileSpec } from '@/room/stage/arrange'
import { chipsShown, folded, pageOf, withSpeaker } from '@/room/stage/paging'

const tile = (id: string, video = true): TileSpec => ({ key: `${id}/camera`, participant: id, source: 'camera', video })
const tiles = (ids: string) => [...ids].map((id) => tile(id))
const ids = (list: readonly TileSpec[]) => list.map((one) => one.participant).join('')

test('every tile is on one page and the order stays', () => {
  for (let count = 0; count <= 31; count++)
    for (let capacity = 0; capacity <= 9; capacity++) {
      const list = Array.from({ length: count }, (_, i) => i)
      const { pages } = pageOf(list, capacity, 0)
      const seen = Array.from({ length: pages }, (_, page) => pageOf(list, capacity, page).shown).flat()
      expect(seen).toEqual(list)
    }
  expect(pageOf([1, 2, 3, 4, 5], 4, 0)).toEqual({ shown: [1, 2, 3, 4], page: 0, pages: 2 })
})

test('a page that is gone is the last one', () => {
  expect(pageOf([1, 2, 3], 2, 7)).toEqual({ shown: [3], page: 1, pages: 2 })
  expect(pageOf([1, 2, 3], 2, -1).page).toBe(0)
  expect(pageOf([], 2, 3)).toEqual({ shown: [], page: 0, pages: 1 })
})

test('whoever speaks comes to the first page, in exchange with one person', () => {
  expect(ids(withSpeaker(tiles('abcdef'), 'e', 3))).toBe('abedcf')
  expect(ids(withSpeaker(tiles('abcdef'), 'c', 3))).toBe('abcdef')
  expect(ids(withSpeaker(tiles('abcdef'), null, 3))).toBe('abcdef')
  expect(ids(withSpeaker(tiles('abcdef'), 'x', 3))).toBe('abcdef')
  expect(ids(withSpeaker(tiles('ab'), 'b', 9))).toBe('ab')
  const shared: TileSpec = { ...tile('f'), key: 'f/screen', source: 'screen' }
  expect(withSpeaker([...tiles('abc'), shared], 'f', 2).at(-1)).toBe(shared)
})

test('who has no picture is a chip, but for the large one and where nobody has one', () => {
  const some = [tile('a'), tile('b', false), tile('c', false)]
  expect(ids(folded(some, null).tiles)).toBe('a')
  expect(ids(folded(some, null).chips)).toBe('bc')
  expect(ids(folded(some, 'c/camera').tiles)).toBe('ac')
  const none = [tile('b', false), tile('c', false)]
  expect(folded(none, null)).toEqual({ tiles: none, chips: [] })
})

test('chips that have no room are counted, and whoever speaks is not among them', () => {
  expect(chipsShown(tiles('abc'), 3, null)).toEqual({ shown: tiles('abc'), more: 0 })
  expect(ids(chipsShown(tiles('abcdefgh'), 4, 'g').shown)).toBe('abg')
  expect(chipsShown(tiles('abcdefgh'), 4, 'g').more).toBe(5)
  expect(chipsShown(tiles('abc'), 1, 'a')).toEqual({ shown: [], more: 3 })
})
