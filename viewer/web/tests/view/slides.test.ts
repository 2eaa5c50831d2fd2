import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { describe, readyToLook } from '@/view/slides'

const INFO = { id: 'A1', width: 24576, height: 18432, levels: [], tile_size: 254, overlap: 1, dz_levels: 16 }

let asked: string[]
let status: number
beforeEach(() => {
  asked = []
  status = 200
  vi.stubGlobal('Image', class {})
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url)
    return Response.json(INFO, { status })
  })
})
afterEach(() => vi.unstubAllGlobals())

test('what a slide is, is asked of the server once', async () => {
  expect(await describe('A1', 0)).toEqual(INFO)
  expect(asked).toEqual(['/slides/A1/info.json'])
})

test('what was asked when a hand came near is there at the click, once and for a while only', async () => {
  await readyToLook('B1', 0)
  await readyToLook('B1', 2_000)
  await describe('B1', 3_000)
  expect(asked).toHaveLength(1)
  await describe('B1', 3_100)
  expect(asked).toHaveLength(2)
  await readyToLook('B1', 4_000)
  await describe('B1', 60_000)
  expect(asked).toHaveLength(4)
})

test('what failed ahead is asked for again, and its failure is then said', async () => {
  status = 503
  await readyToLook('C1', 0)
  await expect(describe('C1', 1)).rejects.toThrow('503')
  status = 200
  expect((await describe('C1', 2)).width).toBe(24576)
  expect(asked).toHaveLength(3)
})
