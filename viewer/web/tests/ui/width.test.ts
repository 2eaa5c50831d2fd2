import { afterEach, describe, expect, test, vi } from 'vitest'
import { boundsOf, rememberedWidth, rememberWidth, widthByKey, within } from '@/ui/width'

afterEach(() => vi.unstubAllGlobals())

describe('bounds', () => {
  test('what stands beside keeps its room, and the panel its least', () => {
    expect(boundsOf(1440, 560, 280, 760)).toEqual({ least: 280, most: 760 })
    expect(boundsOf(1093, 560, 280, 760)).toEqual({ least: 280, most: 533 })
    expect(boundsOf(700, 560, 280, 760)).toEqual({ least: 280, most: 280 })
  })

  test('a width that does not fit is not lost: it fits again in a larger window', () => {
    const wanted = 700
    expect(within(wanted, boundsOf(1093, 560, 280, 760))).toBe(533)
    expect(within(wanted, boundsOf(1440, 560, 280, 760))).toBe(700)
    expect(within(10, boundsOf(1440, 560, 280, 760))).toBe(280)
  })
})

test('keys move the edge in the direction of the arrow, to the ends, and no further', () => {
  const bounds = { least: 280, most: 760 }
  expect(widthByKey('ArrowLeft', false, 320, bounds)).toBe(336)
  expect(widthByKey('ArrowRight', true, 320, bounds)).toBe(280)
  expect(widthByKey('ArrowLeft', true, 720, bounds)).toBe(760)
  expect(widthByKey('Home', false, 320, bounds)).toBe(760)
  expect(widthByKey('End', false, 320, bounds)).toBe(280)
  expect(widthByKey('Tab', false, 320, bounds)).toBeNull()
})

describe('memory', () => {
  test('each user and each panel has a width', () => {
    const stored = new Map<string, string>()
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => void stored.set(key, value),
    })
    rememberWidth('room', 'li', 480)
    expect(rememberedWidth('room', 'li', 320)).toBe(480)
    expect(rememberedWidth('room', 'wang', 320)).toBe(320)
    expect(rememberedWidth('report', 'li', 360)).toBe(360)
    stored.set('consilium.width.room.li', 'NaN')
    expect(rememberedWidth('room', 'li', 320)).toBe(320)
  })

  test('a browser without storage has the standard', () => {
    vi.stubGlobal('localStorage', {
      getItem: () => {
        throw new Error('denied')
      },
      setItem: () => {
        throw new Error('denied')
      },
    })
    rememberWidth('room', 'li', 480)
    expect(rememberedWidth('room', 'li', 320)).toBe(320)
  })
})
