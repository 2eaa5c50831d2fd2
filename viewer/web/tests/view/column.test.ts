import { expect, test } from 'vitest'
import {
  confined,
  covers,
  GAP,
  moved,
  onGrid,
  pagesAround,
  pieceOf,
  seenOf,
  settle,
  WHOLE_PIXELS,
  zoomed,
  type Column,
  type Place,
} from '@/view/column'

const A4 = { width: 595, height: 842 }
const wide = { width: 842, height: 595 }
const column: Column = { count: 4, sheet: (page) => (page === 3 ? wide : A4) }
const view = { width: 900, height: 700 }
const at = (more: Partial<Place> = {}): Place => ({ page: 1, cx: 297.5, cy: 421, scale: 0.7, rotation: 0, ...more })

test('a page is drawn at its size on screen, at 20 zoom positions and three pixel ratios', () => {
  for (const ratio of [1, 1.25, 2])
    for (let i = 0; i < 20; i++) {
      const place = at({ scale: 2 * 0.84 ** i })
      const screen = { width: Math.round(view.width * ratio), height: Math.round(view.height * ratio) }
      let drawn = 0
      for (const css of pagesAround(place, view, column)) {
        const box = onGrid(css, ratio)
        expect(Math.abs(box.width - (column.sheet(css.page).width / place.scale) * ratio)).toBeLessThanOrEqual(0.5)
        const seen = seenOf(box, screen)
        if (!seen) continue
        const piece = pieceOf(box, seen, screen)
        expect(covers(piece, seen)).toBe(true)
        expect(piece.left + piece.width).toBeLessThanOrEqual(box.width)
        expect(piece.top + piece.height).toBeLessThanOrEqual(box.height)
        drawn = Math.max(drawn, piece.width * piece.height)
      }
      // never a page of ten screens for one screen
      expect(drawn).toBeLessThanOrEqual(Math.max(WHOLE_PIXELS, 3.1 * screen.width * screen.height))
    }
})

test('scrolling goes on to the next page and back, upright and turned', () => {
  for (const rotation of [0, 90, 180, 270]) {
    const start = at({ rotation })
    let place = start
    const pages = [1]
    for (let i = 0; i < 40; i++) {
      place = moved(place, 0, 100, column)
      if (place.page !== pages.at(-1)) pages.push(place.page)
    }
    expect(pages).toEqual([1, 2, 3, 4])
    for (let i = 0; i < 40; i++) place = moved(place, 0, -100, column)
    expect(place.page).toBe(1)
    expect(place.cx).toBeCloseTo(start.cx, 6)
    expect(place.cy).toBeCloseTo(start.cy, 6)
  }
})

test('a place between two pages is told from the nearer one', () => {
  expect(settle(at({ cy: 842 + 4 }), column).page).toBe(1)
  const next = settle(at({ cy: 842 + GAP }), column)
  expect([next.page, next.cy]).toEqual([2, 0])
  expect(settle(at({ page: 4, cy: 5000 }), column).page).toBe(4)
})

test('hands cannot lose the document, and what is smaller than the screen is in its middle', () => {
  const top = confined(at({ cy: -900 }), view, column)
  expect([top.page, Math.round(top.cy)]).toEqual([1, (view.height * 7) / 20])
  const bottom = confined(at({ page: 4, cy: 3000 }), view, column)
  expect([bottom.page, Math.round(bottom.cy)]).toEqual([4, Math.round(842 - (view.height * 0.7) / 2)])
  expect(confined(at({ cx: 500 }), view, column).cx).toBe(297.5)
  expect(confined(at({ cx: 500, scale: 0.2 }), view, column).cx).toBe(500)
  expect(confined(at({ cx: 580, scale: 0.2 }), view, column).cx).toBe(595 - 90)
  const single = confined(at({ cy: 10, scale: 2 }), view, { count: 1, sheet: () => A4 })
  expect(single.cy).toBe(421)
})

test('what is under the hand stays there while zooming', () => {
  const before = at({ cx: 200, cy: 300 })
  const after = zoomed(before, 0.35, 100, -50, column)
  expect([after.cx + 100 * 0.35, after.cy - 50 * 0.35]).toEqual([200 + 100 * 0.7, 300 - 50 * 0.7])
})

test('pages stand one below the other with a gap, and only those near the screen are drawn', () => {
  const boxes = pagesAround(at({ cy: 842 }), view, column)
  expect(boxes.map((box) => box.page)).toEqual([1, 2])
  const [first, second] = boxes
  expect((second?.top ?? 0) - (first?.top ?? 0) - (first?.height ?? 0)).toBeCloseTo(GAP / 0.7, 6)
})
