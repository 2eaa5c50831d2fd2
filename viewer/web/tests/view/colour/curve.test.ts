import { expect, test } from 'vitest'
import { changesNothing, curveOf, recolour, UNTOUCHED, type ColourTable } from '@/view/colour/curve'

/** Half precision, of what has such a number. */
function halfOf(value: number): number {
  if (value === 0) return 0
  const exponent = Math.floor(Math.log2(Math.abs(value)))
  const mantissa = Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024)
  return (value < 0 ? 0x8000 : 0) + ((exponent + 15) << 10) + mantissa
}

/** A table of what `of` makes of each colour, 0–255. */
function tableOf(side: number, of: (r: number, g: number, b: number) => number[]): ColourTable {
  const halves = new Uint16Array(3 * side ** 3)
  let i = 0
  for (let b = 0; b < side; b++)
    for (let g = 0; g < side; g++)
      for (let r = 0; r < side; r++)
        for (const value of of(...([r, g, b].map((x) => (x * 255) / (side - 1)) as [number, number, number])))
          halves[i++] = halfOf(value / 255)
  return { side, halves }
}
const of = (pixel: number[], tuning = {}, table: ColourTable | null = null) => {
  const pixels = Uint8ClampedArray.from(pixel)
  recolour(pixels, { ...UNTOUCHED, ...tuning }, table)
  return [...pixels]
}

test('untouched and without a profile, colours stay', () => {
  expect(changesNothing(UNTOUCHED, null)).toBe(true)
  expect([...curveOf(UNTOUCHED)]).toEqual(Array.from({ length: 256 }, (_, i) => i))
  expect(of([1, 128, 254, 200])).toEqual([1, 128, 254, 200])
})

test('a table that changes nothing changes nothing, every colour of it', () => {
  const table = tableOf(33, (r, g, b) => [r, g, b])
  expect(changesNothing(UNTOUCHED, table)).toBe(false)
  for (let i = 0; i < 256; i += 5)
    for (const pixel of [
      [i, 255 - i, 77, 255],
      [i, i, i, 10],
    ]) {
      const got = of(pixel, {}, table)
      got.forEach((value, c) => expect(Math.abs(value - pixel[c]!)).toBeLessThanOrEqual(1))
    }
})

test('red varies fastest, then green, then blue; between steps it is even', () => {
  const table = tableOf(5, (r, g, b) => [b, r, g])
  expect(of([40, 90, 200, 255], {}, table)).toEqual([200, 40, 90, 255])
  // what lies beyond what a screen can show is cut off after it was looked up
  expect(
    of(
      [64, 0, 255, 255],
      {},
      tableOf(2, (r, g, b) => [2 * r - 255, g, 2 * b]),
    ),
  ).toEqual([0, 0, 255, 255])
  const square = tableOf(33, (r, g, b) => [(r * r) / 255, (g * g) / 255, (b * b) / 255])
  for (const [c, value] of of([50, 130, 210, 255], {}, square).slice(0, 3).entries()) {
    const x = [50, 130, 210][c]!
    expect(Math.abs(value - (x * x) / 255)).toBeLessThanOrEqual(1)
  }
})

test('brightness, contrast and gamma do what their names say', () => {
  expect(of([100, 100, 100, 255], { brightness: 0.1 })[0]).toBe(126)
  expect(of([28, 128, 228, 255], { contrast: 2 })).toEqual([0, 128, 255, 255])
  expect(of([0, 64, 255, 255], { gamma: 2 })).toEqual([0, 128, 255, 255])
  const table = tableOf(3, () => [10, 20, 30])
  expect(of([9, 9, 9, 9], { corrected: false }, table)).toEqual([9, 9, 9, 9])
})
