import { expect, test } from 'vitest'
import { tilesAhead, tilesToward } from '@/view/source/ahead'
import type { Level } from '@/view/source/levels'

const FULL = { width: 8192, height: 8192 }
const level = (downsample: number): Level => ({
  width: 8192 / downsample,
  height: 8192 / downsample,
  tileWidth: 256,
  tileHeight: 256,
  columns: 32 / downsample,
  rows: 32 / downsample,
  overlap: 0,
  downsample,
  address: (column, row) => `${downsample}:${column},${row}`,
})
const levels = [level(4), level(2), level(1)]

test('the ring first, then a level finer about the middle, then a coarser one', () => {
  const box = { x: 2060, y: 2060, width: 1000, height: 1000 }
  const ahead = tilesAhead(levels, FULL, 1, box)
  const ring = ahead.filter((address) => address.startsWith('2:'))
  expect(ring).toHaveLength(12)
  expect(ring).toContain('2:3,3')
  expect(ring).not.toContain('2:4,4')
  expect(ahead.slice(0, 12)).toEqual(ring)
  expect(ahead.filter((address) => address.startsWith('1:')).sort()).toEqual(['1:10,10', '1:10,9', '1:9,10', '1:9,9'])
  expect(ahead.some((address) => address.startsWith('4:'))).toBe(true)
  expect(new Set(ahead).size).toBe(ahead.length)
})

test('nothing beside the slide, and not more than a hand can want', () => {
  expect(tilesAhead(levels, FULL, 0, { x: 0, y: 0, width: 8192, height: 8192 }).every((a) => a.startsWith('2:'))).toBe(
    true,
  )
  expect(tilesAhead(levels, FULL, 2, { x: 0, y: 0, width: 8192, height: 6000 }).length).toBeLessThanOrEqual(96)
})

test('toward where a view moves: few tiles, those in the middle first, none that are on screen', () => {
  const tiles = tilesToward(
    level(1),
    FULL,
    { x: 0, y: 0, width: 1200, height: 700 },
    { x: 0, y: 0, width: 700, height: 700 },
  )
  expect(tiles).toEqual(['1:3,1', '1:3,0', '1:3,2', '1:4,1', '1:4,0', '1:4,2'])
  expect(tilesToward(level(1), FULL, { x: 0, y: 0, width: 4000, height: 4000 }, null)).toHaveLength(8)
})
