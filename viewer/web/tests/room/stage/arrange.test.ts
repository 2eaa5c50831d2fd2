import { expect, test } from 'vitest'
import { assignSlots, gridColumns, largeTile, tilesOf, visibleTiles } from '@/room/stage/arrange'
import type { Participant } from '@/room/call/protocol'

function person(id: string, sources: Participant['sources'] = { mic: true, camera: true }): Participant {
  return {
    id,
    user: id,
    name: id,
    title: '',
    hospital: '',
    role: '',
    kind: 'person',
    host: false,
    video: false,
    tier_max: '4k',
    hand: null,
    sources,
  }
}

test('a shared screen comes first and is large', () => {
  const tiles = tilesOf([person('a'), person('b', { mic: true, camera: true, screen: true })])
  expect(tiles.map((t) => t.key)).toEqual(['b/screen', 'a/camera', 'b/camera'])
  expect(largeTile(tiles, { pinned: null, speaker: 'a', mode: 'grid' })?.key).toBe('b/screen')
  expect(largeTile(tiles, { pinned: 'a/camera', speaker: null, mode: 'grid' })?.key).toBe('a/camera')
})

test('an encoder has one tile, a plain viewer none', () => {
  const encoder: Participant = { ...person('e', { mic: true, device: true }), kind: 'device' }
  const viewer: Participant = { ...person('v', {}), kind: 'bot' }
  expect(tilesOf([encoder, viewer, person('a')]).map((tile) => tile.key)).toEqual(['e/device', 'a/camera'])
})

test('equal tiles in the grid, the speaker on the stage', () => {
  const tiles = tilesOf([person('a'), person('b')])
  expect(largeTile(tiles, { pinned: null, speaker: 'b', mode: 'grid' })).toBe(null)
  expect(largeTile(tiles, { pinned: null, speaker: 'b', mode: 'stage' })?.key).toBe('b/camera')
})

test('when there are too many, the speaker and those with pictures stay', () => {
  const tiles = tilesOf([person('a', { mic: true }), person('b'), person('c'), person('d', { mic: true })])
  expect(visibleTiles(tiles, null, 'd', 3).map((t) => t.participant)).toEqual(['b', 'c', 'd'])
})

test('tiles keep their slots; the large one has the first', () => {
  const tiles = tilesOf([person('a'), person('b'), person('c')])
  const first = assignSlots(new Map(), tiles, null, 4)
  expect([...first]).toEqual([
    ['a/camera', 0],
    ['b/camera', 1],
    ['c/camera', 2],
  ])
  const large = tiles[2] ?? null
  const second = assignSlots(first, tiles, large, 4)
  expect(second.get('c/camera')).toBe(0)
  expect(second.get('b/camera')).toBe(1)
  expect(new Set(second.values()).size).toBe(3)
  const third = assignSlots(second, tiles.slice(1), null, 4)
  expect(third.get('c/camera')).toBe(0)
  expect(third.get('b/camera')).toBe(1)
})

test('no slot is given twice and none beyond the number', () => {
  const tiles = tilesOf(['a', 'b', 'c', 'd', 'e'].map((id) => person(id)))
  const slots = assignSlots(
    new Map([
      ['a/camera', 1],
      ['b/camera', 1],
      ['c/camera', 9],
    ]),
    tiles,
    null,
    3,
  )
  expect(slots.size).toBe(3)
  expect(new Set(slots.values()).size).toBe(3)
  expect(Math.max(...slots.values())).toBe(2)
})

test('grid columns fill the room', () => {
  expect(gridColumns(1, 1200, 700)).toBe(1)
  expect(gridColumns(2, 1200, 600)).toBe(2)
  expect(gridColumns(4, 1200, 700)).toBe(2)
  expect(gridColumns(2, 390, 600)).toBe(1)
})
