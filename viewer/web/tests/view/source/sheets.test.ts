import { expect, test } from 'vitest'
import { tilesBeneath } from '@/view/source/ahead'
import { levelsOf, type SlideInfo } from '@/view/source/levels'
import { channelsOf, chosenFirst, depthOf, depthText, planeOf, sheetsOf } from '@/view/source/sheets'

const SLIDE: SlideInfo = {
  id: 'S',
  width: 640,
  height: 480,
  mpp_x: 0.5,
  mpp_y: 0.5,
  objective: 20,
  levels: [{ width: 640, height: 480, downsample: 1, tile_width: 256, tile_height: 256, columns: 3, rows: 2 }],
  tile_size: 254,
  overlap: 1,
  dz_levels: 11,
  version: 'v1',
  z: { planes: 3, first: 1, spacing_um: 1.5 },
  channels: ['DAPI', 'Ki-67', 'CD8'].map((name) => ({ name, color: '#ff0000' })),
}
const finest = levelsOf(SLIDE).at(-1)!
const coarsest = levelsOf(SLIDE)[0]!

test('a slide opens on its first plane with all channels, one tile for all', () => {
  const first = chosenFirst(SLIDE)
  expect(first).toEqual({ z: 1, channels: null })
  const [sheet, ...more] = sheetsOf(SLIDE, first)
  expect(more).toEqual([])
  // the server's own choice: the same address as without a word
  expect(finest.address(2, 1, sheet)).toBe('/slides/S/tiles/0/2_1.jpeg?v=v1')
})

test('another plane and some channels are said in the address of every tile, own or Deep Zoom', () => {
  const sheets = sheetsOf(SLIDE, { z: 2, channels: [0, 2] })
  expect(sheets.map((sheet) => finest.address(0, 0, sheet))).toEqual([
    '/slides/S/tiles/0/0_0.jpeg?v=v1&z=2&c=0',
    '/slides/S/tiles/0/0_0.jpeg?v=v1&z=2&c=2',
  ])
  expect(coarsest.address(0, 0, sheets[1])).toMatch(/^\/slides\/S_files\/\d+\/0_0\.jpeg\?v=v1&z=2&c=2$/)
})

test('no plane that the slide does not have, no channel twice, all are all', () => {
  expect([-1, 0.4, 2, 9].map((z) => planeOf(SLIDE, z))).toEqual([0, 0, 2, 2])
  expect(planeOf({ ...SLIDE, z: undefined }, 3)).toBe(0)
  expect(channelsOf(SLIDE, [2, 0, 2, 7])).toEqual([0, 2])
  expect(channelsOf(SLIDE, [2, 1, 0])).toBeNull()
  expect(sheetsOf(SLIDE, { z: 1, channels: channelsOf(SLIDE, []) })).toEqual([])
})

test('a plane is so far above or below the first', () => {
  expect([0, 1, 2].map((z) => depthText(depthOf(SLIDE, z) ?? NaN))).toEqual(['−1.5 µm', '0 µm', '+1.5 µm'])
  expect(depthOf({ ...SLIDE, z: { planes: 3, first: 1, spacing_um: 0 } }, 2)).toBeNull()
})

test('the planes above and below are fetched where one looks', () => {
  const box = { x: 0, y: 0, width: 300, height: 200 }
  expect(tilesBeneath(finest, SLIDE, box, [{ z: 2 }, { z: 0 }])).toHaveLength(4)
})
