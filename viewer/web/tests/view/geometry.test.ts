import { expect, test } from 'vitest'
import {
  cornersOf,
  followScale,
  LEAST_RATIO,
  lengthText,
  magnificationOf,
  magnificationText,
  normalRotation,
  regionOf,
  scaleBar,
  toPicture,
  toScreen,
  turnedBy,
} from '@/view/geometry'

test('a follower shows the whole region, whatever the shape of the window', () => {
  expect(followScale({ w: 1000, h: 500 }, 500, 500)).toBe(2)
  expect(followScale({ w: 1000, h: 500 }, 2000, 250)).toBe(2)
})

test('rotation stays between 0 and 360', () => {
  expect(normalRotation(-90)).toBe(270)
  expect(normalRotation(450)).toBe(90)
})

test('a region says what the presenter sees before rotation', () => {
  expect(regionOf({ x: 10, y: 20 }, 4, 300, 200, 90)).toEqual({ cx: 10, cy: 20, w: 1200, h: 800, rotation: 90 })
})

test('screen and picture are each other’s inverse, clockwise', () => {
  const region = { cx: 1000, cy: 2000, w: 0, h: 0, rotation: 90 }
  // what lies right of the centre is below it after a quarter turn clockwise
  const below = toScreen({ x: 1100, y: 2000 }, region, 2, 400, 300)
  expect(below.x).toBeCloseTo(200)
  expect(below.y).toBeCloseTo(200)
  const back = toPicture(below, region, 2, 400, 300)
  expect(back.x).toBeCloseTo(1100)
  expect(back.y).toBeCloseTo(2000)
})

test('mirrored: what the turned picture has on the left is on the right, and back', () => {
  const region = { cx: 1000, cy: 2000, w: 800, h: 600, rotation: 30, mirror: true }
  const plain = toScreen({ x: 1100, y: 2040 }, { ...region, mirror: false }, 2, 400, 300)
  const seen = toScreen({ x: 1100, y: 2040 }, region, 2, 400, 300)
  expect(seen.x).toBeCloseTo(400 - plain.x)
  expect(seen.y).toBeCloseTo(plain.y)
  const back = toPicture(seen, region, 2, 400, 300)
  expect(back.x).toBeCloseTo(1100)
  expect(back.y).toBeCloseTo(2040)
  // the upper left corner of the screen is the first, also mirrored
  expect(toScreen(cornersOf(region)[0]!, region, 2, 400, 300).x).toBeCloseTo(0)
})

test('a hand turns what it sees clockwise, mirrored or not', () => {
  expect(turnedBy({ rotation: 350 }, 90)).toBe(80)
  const before = { cx: 0, cy: 0, w: 0, h: 0, rotation: 20, mirror: true }
  const after = { ...before, rotation: turnedBy(before, 90) }
  const [was, is] = [before, after].map((region) => toScreen({ x: 50, y: 0 }, region, 1, 0, 0))
  // clockwise by a quarter: (x, y) goes to (-y, x)
  expect(is!.x).toBeCloseTo(-was!.y)
  expect(is!.y).toBeCloseTo(was!.x)
})

test('a region says that it is mirrored only where it is', () => {
  expect(regionOf({ x: 1, y: 2 }, 1, 3, 4, 0, true).mirror).toBe(true)
  expect('mirror' in regionOf({ x: 1, y: 2 }, 1, 3, 4, 0, false)).toBe(false)
})

test('a follower of any shape sees the presenter’s corners inside its own view', () => {
  const region = { cx: 5000, cy: 3000, w: 1600, h: 900, rotation: 37 }
  for (const [width, height] of [
    [1440, 900],
    [390, 500],
    [1024, 1366],
  ] as const) {
    const scale = followScale(region, width, height)
    const touches = cornersOf(region).map((corner) => toScreen(corner, region, scale, width, height))
    for (const corner of touches) {
      expect(corner.x).toBeGreaterThan(-1e-6)
      expect(corner.x).toBeLessThan(width + 1e-6)
      expect(corner.y).toBeGreaterThan(-1e-6)
      expect(corner.y).toBeLessThan(height + 1e-6)
    }
    // and not smaller than need be
    expect(Math.min(Math.abs(touches[0]!.x), Math.abs(touches[0]!.y))).toBeLessThan(1e-6)
  }
})

test('corners turn with the picture', () => {
  const [first, second] = cornersOf({ cx: 100, cy: 100, w: 40, h: 20, rotation: 90 })
  // the screen's upper edge is the picture's left edge after a quarter turn clockwise
  expect(first!.x).toBeCloseTo(90)
  expect(first!.y).toBeCloseTo(120)
  expect(second!.x).toBeCloseTo(90)
  expect(second!.y).toBeCloseTo(80)
})

test('there and back again at random', () => {
  let seed = 12345
  const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648
  for (let i = 0; i < 200; i++) {
    const region = { cx: random() * 25000, cy: random() * 18000, w: 1, h: 1, rotation: random() * 360 }
    const scale = 0.1 + random() * 60
    const screen = { x: random() * 1440, y: random() * 900 }
    const back = toScreen(toPicture(screen, region, scale, 1440, 900), region, scale, 1440, 900)
    expect(back.x).toBeCloseTo(screen.x, 6)
    expect(back.y).toBeCloseTo(screen.y, 6)
  }
})

test('the scale bar is a round number of micrometres, as long as there is room', () => {
  expect(scaleBar(0.25, 140)).toEqual({ microns: 20, pixels: 80 })
  expect(scaleBar(1, 140)).toEqual({ microns: 100, pixels: 100 })
  expect(scaleBar(7, 140)).toEqual({ microns: 500, pixels: 500 / 7 })
  for (let mpp = 0.01; mpp < 200; mpp *= 1.13) {
    const bar = scaleBar(mpp, 140)
    expect(bar!.pixels).toBeLessThanOrEqual(140 + 1e-9)
    expect(bar!.pixels).toBeGreaterThanOrEqual(140 / 2.5 - 1e-9)
  }
  expect(scaleBar(0, 140)).toBeNull()
  expect(scaleBar(Number.NaN, 140)).toBeNull()
})

test('lengths in the unit that reads best', () => {
  expect(lengthText(50)).toBe('50 µm')
  expect(lengthText(1000)).toBe('1 mm')
  expect(lengthText(0.5)).toBe('0.5 µm')
  expect(lengthText(5000)).toBe('5 mm')
})

test('magnification comes from the objective, else from the resolution', () => {
  expect(magnificationOf({ objective: 20, mpp: 0.5 }, 1)).toBe(20)
  expect(magnificationOf({ objective: 20, mpp: 0.5 }, 4)).toBe(5)
  expect(magnificationOf({ objective: 0, mpp: 0.25 }, 2)).toBe(20)
  expect(magnificationOf({ objective: 0, mpp: 0 }, 2)).toBeNull()
  expect(magnificationText(39.7)).toBe('40')
  expect(magnificationText(1.64)).toBe('1.6')
})

test('the level of a slide that is drawn has a pixel for each of the screen, and fewer than two, at every zoom', () => {
  const top = 15
  for (const dpr of [1, 1.25, 2])
    for (let i = 0; i < 20; i++) {
      // device pixels per pixel of full size
      const zoom = dpr * 0.004 * 1.29 ** i
      const ratio = (level: number) => zoom * 2 ** (top - level)
      const drawn = Array.from({ length: top + 1 }, (_, level) => top - level).find(
        (level) => ratio(level) >= LEAST_RATIO,
      )
      const pixels = 1 / ratio(drawn ?? 0)
      expect(pixels, `zoom ${zoom}`).toBeLessThan(2)
      if (zoom <= 1) expect(pixels, `zoom ${zoom}`).toBeGreaterThan(0.99)
    }
})
