/* Which parts of a slide a person has looked at in this session, and how much enlarged: a coarse grid over the slide. Pure, but for remembering. */
import { cornersOf } from '../geometry'
import type { Region } from '../link'

const CELLS = 96
/** Magnifications from which on a look counts as one step darker; what is seen with less is an overview, not a look. */
export const STEPS = [5, 10, 20, 40] as const
/** The same for a slide that does not say how large its pixels are: pixels of the full size per pixel of the screen. */
const PLAIN_STEPS = [8, 4, 2, 1] as const

/** 0: not looked at, up to STEPS.length; a hair less counts, since a zoom may come to rest just below. */
export function stepOf(magnification: number | null, scale: number): number {
  if (magnification) return STEPS.filter((least) => magnification >= least * 0.98).length
  return PLAIN_STEPS.filter((most) => scale <= most * 1.02).length
}

export class Seen {
  readonly columns: number
  readonly rows: number
  private readonly steps: Uint8Array
  private readonly cell: number
  private looked = 0

  constructor(width: number, height: number) {
    this.cell = Math.max(width, height) / CELLS
    this.columns = Math.max(1, Math.round(width / this.cell))
    this.rows = Math.max(1, Math.round(height / this.cell))
    this.steps = new Uint8Array(this.columns * this.rows)
  }

  at(column: number, row: number): number {
    return this.steps[row * this.columns + column] ?? 0
  }

  /** Of the whole slide, 0 to 100. */
  get percent(): number {
    return (100 * this.looked) / this.steps.length
  }

  /** Whether that changed anything. A cell counts when its middle is on screen, or the middle of the screen in it. */
  look(region: Region, step: number): boolean {
    if (step === 0) return false
    const corners = cornersOf(region)
    const column = (x: number) => Math.floor(x / this.cell)
    const range = (values: number[], most: number) =>
      [Math.max(0, column(Math.min(...values))), Math.min(most - 1, column(Math.max(...values)))] as const
    const [left, right] = range(
      corners.map(({ x }) => x),
      this.columns,
    )
    const [top, bottom] = range(
      corners.map(({ y }) => y),
      this.rows,
    )
    let changed = this.mark(column(region.cx), column(region.cy), step)
    for (let j = top; j <= bottom; j++)
      for (let i = left; i <= right; i++)
        if (isInside(region, (i + 0.5) * this.cell, (j + 0.5) * this.cell)) changed = this.mark(i, j, step) || changed
    return changed
  }

  private mark(column: number, row: number, step: number): boolean {
    if (column < 0 || row < 0 || column >= this.columns || row >= this.rows) return false
    const at = row * this.columns + column
    const before = this.steps[at] ?? 0
    if (step <= before) return false
    if (before === 0) this.looked++
    this.steps[at] = step
    return true
  }
}

/** Of what is on screen, as it is turned. */
function isInside(region: Region, x: number, y: number): boolean {
  const angle = (region.rotation * Math.PI) / 180
  const dx = x - region.cx
  const dy = y - region.cy
  return (
    Math.abs(dx * Math.cos(angle) - dy * Math.sin(angle)) <= region.w / 2 &&
    Math.abs(dx * Math.sin(angle) + dy * Math.cos(angle)) <= region.h / 2
  )
}

/** As many as a tray holds, and some. */
const MOST = 100
const remembered = new Map<string, Seen>()

/** What was seen of this file since the page was loaded. */
export function seenOf(file: string, extent: { width: number; height: number }): Seen {
  const seen = remembered.get(file) ?? new Seen(extent.width, extent.height)
  remembered.delete(file)
  remembered.set(file, seen)
  const [oldest] = remembered.keys()
  if (remembered.size > MOST && oldest !== undefined) remembered.delete(oldest)
  return seen
}
