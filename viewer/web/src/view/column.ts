/*
 * Where the pages of a document stand: one below the other, each turned as it is read. Pure arithmetic.
 * A place is a point of one page, in points of that page, and the scale; what is above and below follows from the pages' sizes.
 */
import { normalRotation } from './geometry'

export interface Sheet {
  width: number
  height: number
}
export interface Place {
  page: number
  cx: number
  cy: number
  /** Points per CSS pixel. */
  scale: number
  /** 0, 90, 180 or 270, clockwise. */
  rotation: number
}
export interface Box {
  left: number
  top: number
  width: number
  height: number
}
export interface Column {
  count: number
  /** Size of a page in points, before it is turned. */
  sheet(page: number): Sheet
}
type Point = { x: number; y: number }

/** Between two pages, in points. */
export const GAP = 10
/** Pixels up to which a page is drawn as a whole: A4 on a sharp screen. What is larger is drawn where it is looked at. */
export const WHOLE_PIXELS = 6_000_000

export const rightAngle = (degrees: number) => normalRotation(Math.round(degrees / 90) * 90)

export function turn({ x, y }: Point, rotation: number): Point {
  return [
    { x, y },
    { x: -y, y: x },
    { x: -x, y: -y },
    { x: y, y: -x },
  ][rightAngle(rotation) / 90] as Point
}

/** A page as it stands on screen. */
export function upright(sheet: Sheet, rotation: number): Sheet {
  return rightAngle(rotation) % 180 ? { width: sheet.height, height: sheet.width } : sheet
}

/** A point of the page, from the page's middle, as it lies on screen, in points; and back. */
export const fromMiddle = (sheet: Sheet, { x, y }: Point, rotation: number) =>
  turn({ x: x - sheet.width / 2, y: y - sheet.height / 2 }, rotation)

export function toPage(sheet: Sheet, point: Point, rotation: number): Point {
  const { x, y } = turn(point, 360 - rotation)
  return { x: x + sheet.width / 2, y: y + sheet.height / 2 }
}

const heightOf = (column: Column, page: number, rotation: number) => upright(column.sheet(page), rotation).height
/** From the middle of a page to the middle of the next one. */
const step = (column: Column, page: number, rotation: number) =>
  (heightOf(column, page, rotation) + heightOf(column, page + 1, rotation)) / 2 + GAP

function at(column: Column, place: Place, page: number, middle: Point): Place {
  const { x, y } = toPage(column.sheet(page), middle, place.rotation)
  return { ...place, page, cx: x, cy: y }
}

/** The same place, told from the page in the middle of the screen. */
export function settle(place: Place, column: Column): Place {
  let { page } = place
  const { rotation } = place
  const middle = fromMiddle(column.sheet(page), { x: place.cx, y: place.cy }, rotation)
  const reach = () => heightOf(column, page, rotation) / 2 + GAP / 2
  while (page < column.count && middle.y > reach()) middle.y -= step(column, page++, rotation)
  while (page > 1 && middle.y < -reach()) middle.y += step(column, --page, rotation)
  return page === place.page ? place : at(column, place, page, middle)
}

/** Moved by so many CSS pixels of the screen. */
export function moved(place: Place, dx: number, dy: number, column: Column): Place {
  const by = turn({ x: dx * place.scale, y: dy * place.scale }, 360 - place.rotation)
  return settle({ ...place, cx: place.cx + by.x, cy: place.cy + by.y }, column)
}

/** Zoomed to a scale, with the point under (x, y), from the middle of the screen, staying there. */
export function zoomed(place: Place, scale: number, x: number, y: number, column: Column): Place {
  const there = moved(place, x, y, column)
  return moved({ ...there, scale }, -x, -y, column)
}

/** How much of the document is above (-1) or below (1) the middle of the screen, in points, as far as `enough`. */
function beyond(place: Place, side: 1 | -1, enough: number, column: Column): number {
  const middle = fromMiddle(column.sheet(place.page), { x: place.cx, y: place.cy }, place.rotation)
  let length = heightOf(column, place.page, place.rotation) / 2 - side * middle.y
  for (let page = place.page + side; length < enough && page >= 1 && page <= column.count; page += side)
    length += heightOf(column, page, place.rotation) + GAP
  return length
}

/** Hands cannot lose the document: no empty screen beside, above or below it, and a page narrower than the screen is in its middle. */
export function confined(place: Place, view: Sheet, column: Column): Place {
  const half = { x: (view.width * place.scale) / 2, y: (view.height * place.scale) / 2 }
  const above = beyond(place, -1, 2 * half.y, column)
  const below = beyond(place, 1, 2 * half.y, column)
  let down = 0
  if (above + below <= 2 * half.y) down = (below - above) / 2
  else if (above < half.y) down = half.y - above
  else if (below < half.y) down = below - half.y
  const sheet = column.sheet(place.page)
  const { x } = fromMiddle(sheet, { x: place.cx, y: place.cy }, place.rotation)
  const room = Math.max(0, upright(sheet, place.rotation).width / 2 - half.x)
  const across = Math.min(room, Math.max(-room, x)) - x
  return moved(place, across / place.scale, down / place.scale, column)
}

/** The pages on screen and up to `margin` CSS pixels above and below it, in CSS pixels from the screen's upper left corner. */
export function pagesAround(place: Place, view: Sheet, column: Column, margin = 0): ({ page: number } & Box)[] {
  const { rotation, scale } = place
  const boxOf = (page: number, x: number, y: number) => {
    const { width, height } = upright(column.sheet(page), rotation)
    return {
      page,
      left: view.width / 2 + (x - width / 2) / scale,
      top: view.height / 2 + (y - height / 2) / scale,
      width: width / scale,
      height: height / scale,
    }
  }
  const middle = fromMiddle(column.sheet(place.page), { x: place.cx, y: place.cy }, rotation)
  const boxes = [boxOf(place.page, -middle.x, -middle.y)]
  let y = -middle.y
  for (let page = place.page; page < column.count; page++) {
    y += step(column, page, rotation)
    const box = boxOf(page + 1, -middle.x, y)
    if (box.top > view.height + margin) break
    boxes.push(box)
  }
  y = -middle.y
  for (let page = place.page - 1; page >= 1; page--) {
    y -= step(column, page, rotation)
    const box = boxOf(page, -middle.x, y)
    if (box.top + box.height < -margin) break
    boxes.unshift(box)
  }
  return boxes
}

/** In device pixels, on the device's grid: a page's picture is as large as it is on screen, and is never scaled. */
export function onGrid(box: Box, ratio: number): Box {
  return {
    left: Math.round(box.left * ratio),
    top: Math.round(box.top * ratio),
    width: Math.max(1, Math.round(box.width * ratio)),
    height: Math.max(1, Math.round(box.height * ratio)),
  }
}

/** What of a page is on screen, from its own upper left corner; `box` and `view` in the same pixels. Null: nothing. */
export function seenOf(box: Box, view: Sheet): Box | null {
  const left = Math.max(0, -box.left)
  const top = Math.max(0, -box.top)
  const width = Math.min(box.width, view.width - box.left) - left
  const height = Math.min(box.height, view.height - box.top) - top
  return width > 0 && height > 0 ? { left, top, width, height } : null
}

export const covers = (outer: Box, inner: Box) =>
  outer.left <= inner.left &&
  outer.top <= inner.top &&
  outer.left + outer.width >= inner.left + inner.width &&
  outer.top + outer.height >= inner.top + inner.height

/** What of a page is drawn when `seen` of it is looked at: all of it, or, of a large one, half a screen more on each side. */
export function pieceOf(box: Sheet, seen: Box, view: Sheet): Box {
  if (box.width * box.height <= WHOLE_PIXELS) return { left: 0, top: 0, width: box.width, height: box.height }
  const dx = Math.ceil(view.width / 4)
  const dy = Math.ceil(view.height / 2)
  const left = Math.max(0, seen.left - dx)
  const top = Math.max(0, seen.top - dy)
  return {
    left,
    top,
    width: Math.min(box.width, seen.left + seen.width + dx) - left,
    height: Math.min(box.height, seen.top + seen.height + dy) - top,
  }
}
