/* Which tiles will be wanted next: the ring around what is on screen, then one level finer, then one coarser. Pure. */
import { tileAt, type Box, type Level, type Sheet } from './levels'

/** More than a hand can want before the next stop. */
const MOST = 96
/** A hand that moves turns away sooner. */
const MOST_TOWARD = 8

interface Span {
  left: number
  top: number
  right: number
  bottom: number
}

interface Full {
  width: number
  height: number
}

function spanOf(level: Level, full: Full, box: Box): Span {
  const first = tileAt(level, full, box.x, box.y)
  const last = tileAt(level, full, box.x + box.width, box.y + box.height)
  return { left: first.column, top: first.row, right: last.column, bottom: last.row }
}

/** Of a slide with one plane and its colours as they are. */
const PLAIN: readonly Sheet[] = [{}]

/** Addresses of the tiles of a span that are not in `but`, those nearest to its middle first. */
function addresses(level: Level, span: Span, but: Span | null, sheets: readonly Sheet[]): string[] {
  const found: { addresses: string[]; far: number }[] = []
  const middle = { column: (span.left + span.right) / 2, row: (span.top + span.bottom) / 2 }
  for (let row = Math.max(0, span.top); row <= Math.min(level.rows - 1, span.bottom); row++)
    for (let column = Math.max(0, span.left); column <= Math.min(level.columns - 1, span.right); column++) {
      const seen = but && column >= but.left && column <= but.right && row >= but.top && row <= but.bottom
      if (!seen)
        found.push({
          addresses: sheets.map((sheet) => level.address(column, row, sheet)),
          far: Math.hypot(column - middle.column, row - middle.row),
        })
    }
  return found.sort((a, b) => a.far - b.far).flatMap((one) => one.addresses)
}

/** Of `by` times the size, about the same middle. */
function around(box: Box, by: number): Box {
  const width = box.width * by
  const height = box.height * by
  return { x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height }
}

/** `box`: what is on screen of the full-size picture, drawn from level `at`. */
export function tilesAhead(
  levels: readonly Level[],
  full: Full,
  at: number,
  box: Box,
  sheets: readonly Sheet[] = PLAIN,
): string[] {
  const here = levels[at]
  if (!here) return []
  const seen = spanOf(here, full, box)
  const ring = { left: seen.left - 1, top: seen.top - 1, right: seen.right + 1, bottom: seen.bottom + 1 }
  const all = addresses(here, ring, seen, sheets)
  const finer = levels[at + 1]
  // a step of the wheel goes to the middle of it or near it
  const lookAt = (level: Level) =>
    addresses(level, spanOf(level, full, around(box, level.downsample / here.downsample)), null, sheets)
  if (finer) all.push(...lookAt(finer))
  const coarser = levels[at - 1]
  if (coarser) all.push(...lookAt(coarser))
  return all.slice(0, MOST)
}

/** Of one level: what a view that moves will come to, but for what is seen of that level already. */
export function tilesToward(
  level: Level,
  full: Full,
  box: Box,
  seen: Box | null,
  sheets: readonly Sheet[] = PLAIN,
): string[] {
  return addresses(level, spanOf(level, full, box), seen && spanOf(level, full, seen), sheets).slice(0, MOST_TOWARD)
}

/** What is on screen, on other sheets: a turn of the focus away. */
export function tilesBeneath(level: Level, full: Full, box: Box, sheets: readonly Sheet[]): string[] {
  return addresses(level, spanOf(level, full, box), null, sheets).slice(0, MOST)
}
