import { expect, test } from 'vitest'
import {
  assignSlots,
  contained,
  covered,
  gridAround,
  gridCapacity,
  gridRects,
  isSmall,
  largeTile,
  partOf,
  shapeOf,
  stageParts,
  stripBeside,
  stripCapacity,
  stripRects,
  tilesOf,
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

test('an upright tile is not a small one', () => {
  expect(isSmall({ x: 0, y: 0, width: 178, height: 316 })).toBe(false)
  expect(isSmall({ x: 0, y: 0, width: 240, height: 135 })).toBe(true)
  expect(isSmall(undefined)).toBe(true)
})

test('who has neither microphone nor camera watches, who has the camera off could show', () => {
  expect(partOf(person('a'))).toBe('video')
  expect(partOf(person('a', { mic: false }))).toBe('voice')
  expect(partOf(person('a', { mic: true, camera: false }))).toBe('off')
  expect(partOf(person('a', {}))).toBe('watch')
  expect(partOf(person('a', { camera: false }))).toBe('watch')
})

test("tiles leave one's own picture free where that costs little, and never become much smaller for it", () => {
  const sizes: [number, number][] = [
    [1420, 750],
    [1346, 440],
    [378, 700],
    [760, 330],
  ]
  for (const [width, height] of sizes)
    for (const count of [1, 2, 3, 4, 5, 7, 12, 16, 30])
      for (const corner of [0, 1, 2, 3]) {
        const own = { x: corner % 2 ? width - 216 : 8, y: corner > 1 ? height - 125 : 8, width: 208, height: 117 }
        const whole = gridRects(same(count, WIDE), width, height)
        const rects = gridAround(same(count, WIDE), width, height, own)
        const areaOf = (list: Rect[]) => Math.min(...list.map((r) => r.width * r.height))
        expect(rects.length).toBe(count)
        expect(areaOf(rects)).toBeGreaterThanOrEqual(0.75 * areaOf(whole) - 0.01)
        for (const r of rects)
          expect(Math.min(r.x, r.y, width - r.x - r.width, height - r.y - r.height)).toBeGreaterThan(-0.01)
        if (count === 1) expect(rects).toEqual(whole)
        const over = (list: Rect[]) => Math.max(...list.map((r) => covered(r, own)))
        expect(over(rects)).toBeLessThanOrEqual(Math.max(0.08, over(whole)))
      }
})

test('what one sees of nobody else stays as it is without a picture in the corner', () => {
  expect(gridAround(same(6, WIDE), 1200, 700, null)).toEqual(gridRects(same(6, WIDE), 1200, 700))
})

test('a room for thirty faces, and one for few', () => {
  expect(gridCapacity(1420, 750)).toBeGreaterThanOrEqual(30)
  expect(gridCapacity(1346, 440)).toBeGreaterThanOrEqual(30)
  expect(gridCapacity(378, 700)).toBe(14)
  expect(gridCapacity(0, 0)).toBe(1)
})

test('a strip gives room to what stands at its end, and its tiles stay within it', () => {
  const { large, strip } = stageParts(1420, 750, true)
  expect(strip.vertical).toBe(true)
  expect(large.x + large.width).toBeLessThan(strip.x)
  const left = stripBeside(strip, { x: 0, y: 0, width: 208, height: 117 }, false)
  expect(left).toMatchObject({ y: 0, height: 750 - 125 })
  expect(stripBeside(strip, { x: 0, y: 0, width: 208, height: 117 }, true)).toMatchObject({ y: 125, height: 750 - 125 })
  const rects = stripRects(stripCapacity(left), left)
  expect(rects.at(-1)?.y ?? 0).toBeLessThanOrEqual(left.height - (rects[0]?.height ?? 0))
  expect(stripCapacity(stripBeside(strip, { x: 0, y: 0, width: 9, height: 9000 }, true))).toBe(1)
  const low = stageParts(400, 900, true).strip
  expect(low.vertical).toBe(false)
  expect(stripBeside(low, { x: 0, y: 0, width: 100, height: 50 }, true)).toMatchObject({ x: 108, width: 292 })
})
