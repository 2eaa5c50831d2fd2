import { expect, test } from 'vitest'
import { levelsOf, tileAt, tileBox, wantedLevel, type SlideInfo } from '@/view/source/levels'

const info = (levels: SlideInfo['levels'], width = 100001, height = 80003): SlideInfo => ({
  id: 'S',
  width,
  height,
  mpp_x: 0.25,
  mpp_y: 0.25,
  objective: 40,
  levels,
  tile_size: 254,
  overlap: 1,
  dz_levels: 18,
  version: 'v1',
})
const own = (width: number, height: number, tile: number, downsample: number) => ({
  width,
  height,
  downsample,
  tile_width: tile,
  tile_height: tile,
  columns: Math.ceil(width / tile),
  rows: Math.ceil(height / tile),
})
/** As Aperio's scanners write them, each level with tiles of its own size. */
const APERIO = info([own(100001, 80003, 240, 1), own(25000, 20000, 256, 4.00008), own(6250, 5000, 512, 16.0005)])

test('the file’s own levels at their own tiles, Deep Zoom between and above, down to one tile', () => {
  const levels = levelsOf(APERIO)
  const fine = levels[levels.length - 1]!
  expect(fine.address(3, 2)).toBe('/slides/S/tiles/0/3_2.jpeg?v=v1')
  expect([fine.columns, fine.rows, fine.overlap]).toEqual([417, 334, 0])
  expect(levels[levels.length - 2]!.address(0, 0)).toBe('/slides/S_files/16/0_0.jpeg?v=v1')
  expect(levels[levels.length - 3]!.address(7, 9)).toBe('/slides/S/tiles/1/7_9.jpeg?v=v1')
  expect([levels[0]!.columns, levels[0]!.rows]).toEqual([1, 1])
  expect([levels[1]!.columns, levels[1]!.rows]).not.toEqual([1, 1])
  for (let i = 1; i < levels.length; i++) {
    const step = levels[i - 1]!.downsample / levels[i]!.downsample
    expect(step).toBeGreaterThan(1.4)
    expect(step).toBeLessThan(2.9)
  }
})

test('a server that says nothing of tiles has all its levels from Deep Zoom', () => {
  const levels = levelsOf(info([{ width: 100001, height: 80003, downsample: 1 }]))
  expect(levels[levels.length - 1]!.address(1, 0)).toBe('/slides/S_files/17/1_0.jpeg?v=v1')
  expect(levels.every((level) => level.overlap === 1)).toBe(true)
  expect(levels).toHaveLength(10)
})

test('a step of three stays as the file has it cut, one of two is never filled', () => {
  const steps = levelsOf(info([own(100001, 80003, 256, 1), own(50000, 40001, 256, 2), own(20000, 16000, 256, 5)]))
  expect(steps.filter((level) => level.overlap === 0).map((level) => Math.round(level.downsample))).toEqual([5, 2, 1])
})

test('nothing is enlarged: the coarsest level with a pixel for each of the screen’s', () => {
  const levels = levelsOf(APERIO)
  for (let scale = 0.3; scale < 400; scale *= 1.07)
    for (const dpr of [1, 1.25, 2]) {
      const at = wantedLevel(levels, scale, dpr)
      const enlarged = (index: number) => (levels[index]!.downsample * dpr) / scale
      if (at < levels.length - 1) expect(enlarged(at)).toBeLessThanOrEqual(1.002)
      if (at > 0) expect(enlarged(at - 1)).toBeGreaterThan(1.002)
    }
})

test('tiles cover their level without a gap, and what is padded is cut off', () => {
  const [level] = levelsOf(APERIO).slice(-1)
  expect(tileBox(level!, 416, 333)).toEqual({ x: 99840, y: 79920, width: 161, height: 83 })
  for (const each of levelsOf(APERIO)) {
    let across = 0
    for (let column = 0; column < each.columns; column++) {
      const box = tileBox(each, column, 0)
      expect(box.x).toBeLessThanOrEqual(across)
      across = box.x + box.width
    }
    expect(across).toBeCloseTo(each.width, 6)
  }
})

test('a point finds its tile, one beside the slide the nearest', () => {
  const [level] = levelsOf(APERIO).slice(-1)
  expect(tileAt(level!, APERIO, 239.9, 240.1)).toEqual({ column: 0, row: 1 })
  expect(tileAt(level!, APERIO, -5, 1e9)).toEqual({ column: 0, row: 333 })
})
