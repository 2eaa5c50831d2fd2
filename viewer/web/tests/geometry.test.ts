import { expect, test } from 'vitest'
import { followScale, normalRotation, regionOf, toPicture, toScreen } from '../src/view/geometry'

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
