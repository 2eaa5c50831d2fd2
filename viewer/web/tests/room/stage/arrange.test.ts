import { expect, test } from 'vitest'
import {
  assignSlots,
  contained,
  floatingRect,
  gridRects,
  isSmall,
  largeTile,
  shapeOf,
  tilesOf,
  visibleTiles,
  type Rect,
} from '@/room/stage/arrange'
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

const WIDE = 16 / 9
const UPRIGHT = 9 / 16
const rowsOf = (rects: Rect[]) =>
  [...new Set(rects.map((r) => Math.round(r.y)))].map((y) => rects.filter((r) => Math.round(r.y) === y).length)
const same = (n: number, shape: number) => Array.from({ length: n }, () => shape)

test('rows of equal pictures fill the room', () => {
  expect(rowsOf(gridRects(same(1, WIDE), 1200, 700))).toEqual([1])
  expect(rowsOf(gridRects(same(2, WIDE), 1200, 600))).toEqual([2])
  expect(rowsOf(gridRects(same(4, WIDE), 1200, 700))).toEqual([2, 2])
  expect(rowsOf(gridRects(same(5, WIDE), 1200, 600))).toEqual([3, 2])
  expect(rowsOf(gridRects(same(2, WIDE), 390, 600))).toEqual([1, 1])
  expect(rowsOf(gridRects(same(3, UPRIGHT), 1200, 700))).toEqual([3])
  expect(gridRects([], 1200, 700)).toEqual([])
  expect(gridRects([WIDE], 0, 700)).toEqual([])
})

test('every tile has the shape of its picture, inside the room and beside the others', () => {
  let seed = 7
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647
  for (let turn = 0; turn < 40; turn++) {
    const shapes = Array.from({ length: 1 + Math.floor(random() * 31) }, () =>
      shapeOf(100 + 900 * random(), 100 + 900 * random()),
    )
    const [width, height] = [300 + 1500 * random(), 300 + 900 * random()]
    const rects = gridRects(shapes, width, height)
    expect(rects.length).toBe(shapes.length)
    rects.forEach((r, i) => {
      expect(r.width / r.height).toBeCloseTo(shapes[i] ?? 0, 6)
      expect(Math.min(r.x, r.y, width - r.x - r.width, height - r.y - r.height)).toBeGreaterThan(-0.01)
      const next = rects[i + 1]
      if (next) expect(next.x >= r.x + r.width + 7.99 || next.y >= r.y + r.height + 7.99).toBe(true)
    })
  }
})

test('a phone held upright has the whole height beside a camera, and a phone fills a phone', () => {
  const [camera, phone] = gridRects([WIDE, UPRIGHT], 1110, 740)
  expect(camera?.height).toBeCloseTo(phone?.height ?? 0)
  expect((camera?.width ?? 0) + (phone?.width ?? 0)).toBeGreaterThan(1100)
  expect(gridRects([UPRIGHT], 390, 690)[0]?.width).toBeGreaterThan(380)
  // on a phone it stands above a camera, and takes what height is left
  const [upright, wide] = gridRects([UPRIGHT, WIDE], 378, 706)
  expect(wide?.width).toBeCloseTo(378)
  expect((upright?.width ?? 0) * (upright?.height ?? 0)).toBeCloseTo((wide?.width ?? 0) * (wide?.height ?? 0))
})

test('layers of one picture are of one shape', () => {
  for (const [w, h] of [
    [1280, 720],
    [320, 180],
    [80, 46],
    [641, 361],
  ])
    expect(shapeOf(w ?? 0, h ?? 0)).toBe(WIDE)
  expect(shapeOf(360, 640)).toBe(UPRIGHT)
  expect(shapeOf(640, 480)).toBe(4 / 3)
  expect(shapeOf(0, 0)).toBe(WIDE)
  expect(shapeOf(100, 1000)).toBe(0.4)
})

test('what is asked for is the picture within its tile', () => {
  expect(contained({ width: 563, height: 316 }, UPRIGHT)).toEqual({ width: 177.75, height: 316 })
  expect(contained({ width: 88, height: 124 }, WIDE)).toEqual({ width: 88, height: 49.5 })
})

test("one's own picture floats in the corner in its own shape; an upright tile is not a small one", () => {
  expect(floatingRect(UPRIGHT, 390, 600)).toEqual({ x: 390 - 69.75 - 8, y: 464, width: 69.75, height: 124 })
  expect(floatingRect(WIDE, 390, 600).width).toBe(124)
  expect(isSmall({ x: 0, y: 0, width: 178, height: 316 })).toBe(false)
  expect(isSmall({ x: 0, y: 0, width: 240, height: 135 })).toBe(true)
  expect(isSmall(undefined)).toBe(true)
})
