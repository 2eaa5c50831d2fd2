import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { describe, readyToLook } from '@/view/slides'

const DZI = `<?xml version="1.0" encoding="UTF-8"?><Image xmlns="http://schemas.microsoft.com/deepzoom/2008" Format="jpeg" Overlap="1" TileSize="254"><Size Width="24576" Height="18432"/></Image>`

let asked: string[]
let status: number
beforeEach(() => {
  asked = []
  status = 200
  vi.stubGlobal('Image', class {})
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url)
    return new Response(DZI, { status })
  })
})
afterEach(() => vi.unstubAllGlobals())

test('a description says where the tiles are, and what they are like', async () => {
  expect(await describe('A1', 0)).toEqual({
    Image: {
      xmlns: 'http://schemas.microsoft.com/deepzoom/2008',
      Url: '/slides/A1_files/',
      Format: 'jpeg',
      Overlap: '1',
      TileSize: '254',
      Size: { Width: '24576', Height: '18432' },
    },
  })
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
  expect((await describe('C1', 2)).Image.Size.Width).toBe('24576')
  expect(asked).toHaveLength(3)
})
