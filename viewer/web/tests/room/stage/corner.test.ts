import { expect, test } from 'vitest'
import { CORNERS, cornerByKey, inCorner, kept, nearestCorner, ownEdge } from '@/room/stage/corner'

const whole = { x: 10, y: 20, width: 800, height: 400 }

test('arrow keys reach every corner, other keys none', () => {
  expect(cornerByKey('bottom-right', 'ArrowUp')).toBe('top-right')
  expect(cornerByKey('top-right', 'ArrowLeft')).toBe('top-left')
  expect(cornerByKey('top-left', 'ArrowDown')).toBe('bottom-left')
  expect(cornerByKey('bottom-left', 'ArrowRight')).toBe('bottom-right')
  expect(cornerByKey('bottom-right', 'ArrowDown')).toBe('bottom-right')
  expect(cornerByKey('bottom-right', 'Enter')).toBe(null)
})

test('a picture in a corner is the nearest to that corner, inside whatever the window is', () => {
  for (const corner of CORNERS)
    for (const within of [whole, { x: 0, y: 0, width: 100, height: 50 }, { x: 5, y: 5, width: 10, height: 900 }]) {
      const rect = inCorner(16 / 9, 208, corner, within, 8)
      expect(rect.x).toBeGreaterThanOrEqual(Math.min(within.x + 8, rect.x + rect.width))
      expect(rect.y).toBeGreaterThanOrEqual(within.y)
      expect(rect.x + rect.width).toBeLessThanOrEqual(within.x + within.width)
      expect(rect.y + rect.height).toBeLessThanOrEqual(within.y + within.height)
    }
  for (const corner of CORNERS) expect(nearestCorner(inCorner(9 / 16, 208, corner, whole, 8), whole)).toBe(corner)
  expect(inCorner(16 / 9, 124, 'top-left', { x: 0, y: 0, width: 0, height: 0 }, 8)).toMatchObject({
    width: 0,
    height: 0,
  })
})

test('what is dragged stays inside', () => {
  expect(kept({ x: -50, y: 500, width: 200, height: 100 }, whole)).toEqual({ x: 10, y: 320, width: 200, height: 100 })
  expect(kept({ x: 60, y: 70, width: 200, height: 100 }, whole)).toEqual({ x: 60, y: 70, width: 200, height: 100 })
})

test('two buttons for a finger find room even in the small one', () => {
  expect(ownEdge(true, 'small')).toBeGreaterThanOrEqual(88)
  expect(ownEdge(false, 'small')).toBeLessThan(ownEdge(false, 'normal'))
})
