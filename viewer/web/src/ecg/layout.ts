/* Which lead stands where on the paper. Millimetres from its upper left corner, y downwards; seconds of the record. Pure arithmetic. */
import { TWELVE, type Ecg, leadNamed } from './record'

export type LayoutName = '3x4+1' | '3x4+3' | '6x2' | '12x1' | 'all'

/** mm a second. */
export const SPEEDS = [12.5, 25, 50] as const
/** mm a millivolt. */
export const GAINS = [5, 10, 20] as const

export interface Paper {
  readonly layout: LayoutName
  readonly speed: number
  readonly gain: number
  /** Limb leads in Cabrera's order: aVL, I, -aVR, II, aVF, III. */
  readonly cabrera: boolean
}

export interface Strip {
  readonly lead: string
  /** -1: turned over (-aVR). */
  readonly sign: 1 | -1
  /** Where its first sample lies, and its zero line. */
  readonly x: number
  readonly y: number
  /** Half the height that it has to itself. */
  readonly room: number
  readonly from: number
  readonly seconds: number
}

export interface Sheet {
  readonly width: number
  readonly height: number
  readonly strips: readonly Strip[]
}

/** Beside the first column, where the calibration pulse stands. */
export const PULSE_MM = 10
const MARGIN = 5
const ROW = { '3x4+1': 30, '3x4+3': 25, '6x2': 25, '12x1': 20, all: 25 }
/** What fits on a sheet at once; of a longer record a part is shown. */
export const WINDOW_S = 10

const CABRERA: [string, 1 | -1][] = [
  ['aVL', 1],
  ['I', 1],
  ['aVR', -1],
  ['II', 1],
  ['aVF', 1],
  ['III', 1],
]
const order = (cabrera: boolean): [string, 1 | -1][] =>
  cabrera
    ? [...CABRERA, ...TWELVE.slice(6).map((name): [string, 1] => [name, 1])]
    : TWELVE.map((name): [string, 1] => [name, 1])

const SHAPE: Record<Exclude<LayoutName, 'all'>, { columns: number; rhythm: string[] }> = {
  '3x4+1': { columns: 4, rhythm: ['II'] },
  '3x4+3': { columns: 4, rhythm: ['V1', 'II', 'V5'] },
  '6x2': { columns: 2, rhythm: [] },
  '12x1': { columns: 1, rhythm: [] },
}

/** The layouts that a record can be shown in, the usual one first. */
export const layoutsOf = (ecg: Ecg): LayoutName[] =>
  TWELVE.every((name) => leadNamed(ecg, name)) ? ['3x4+1', '3x4+3', '6x2', '12x1'] : ['all']

/** From second `start` of a record of `seconds`. */
export function sheetOf(ecg: Ecg, paper: Paper, start: number): Sheet {
  const shown = Math.min(WINDOW_S, Math.max(0, ecg.seconds - start))
  const row = ROW[paper.layout] * Math.max(1, paper.gain / 10)
  const strips = paper.layout === 'all' ? every(ecg, start, shown, row) : twelve(paper, start, shown, row)
  const rows = strips.length ? Math.max(...strips.map(({ y }) => y)) + row / 2 : row
  return { width: MARGIN * 2 + PULSE_MM + WINDOW_S * paper.speed, height: rows + MARGIN, strips }
}

const zero = (row: number, height: number) => MARGIN + (row + 0.5) * height

function every(ecg: Ecg, start: number, shown: number, height: number): Strip[] {
  return ecg.leads.map(({ name }, row) => ({
    lead: name,
    sign: 1,
    x: MARGIN + PULSE_MM,
    y: zero(row, height),
    room: height / 2,
    from: start,
    seconds: shown,
  }))
}

/* Columns follow each other in time: what stands under each other was recorded at once. */
function twelve(paper: Paper, start: number, shown: number, height: number): Strip[] {
  const { columns, rhythm } = SHAPE[paper.layout as Exclude<LayoutName, 'all'>]
  const rows = 12 / columns
  const each = WINDOW_S / columns
  const strips = order(paper.cabrera).map(([lead, sign], place): Strip => {
    const column = Math.floor(place / rows)
    return {
      lead,
      sign,
      x: MARGIN + PULSE_MM + column * each * paper.speed,
      y: zero(place % rows, height),
      room: height / 2,
      from: start + column * each,
      seconds: Math.max(0, Math.min(each, shown - column * each)),
    }
  })
  const whole = rhythm.map(
    (lead, below): Strip => ({
      lead,
      sign: 1,
      x: MARGIN + PULSE_MM,
      y: zero(rows + below, height),
      room: height / 2,
      from: start,
      seconds: shown,
    }),
  )
  return [...strips, ...whole]
}

export interface Spot {
  readonly strip: Strip
  /** Of the record. */
  readonly second: number
  /** Microvolts. */
  readonly level: number
}

/** What lies at a point of the paper: the strip whose zero line is nearest. */
export function spotAt(sheet: Sheet, paper: Paper, x: number, y: number): Spot | null {
  let best: Strip | null = null
  for (const strip of sheet.strips) {
    const along = x - strip.x
    if (along < 0 || along > strip.seconds * paper.speed || Math.abs(y - strip.y) > strip.room) continue
    if (!best || Math.abs(y - strip.y) < Math.abs(y - best.y)) best = strip
  }
  return best && spotOn(best, paper, x, y)
}

/** The same on a strip that is chosen already; the point may lie beside it. */
export const spotOn = (strip: Strip, paper: Paper, x: number, y: number): Spot => ({
  strip,
  second: strip.from + Math.min(strip.seconds, Math.max(0, (x - strip.x) / paper.speed)),
  level: (strip.sign * (strip.y - y) * 1000) / paper.gain,
})

/** Where a second lies on a strip. */
export const across = (strip: Strip, paper: Paper, second: number): number =>
  strip.x + (second - strip.from) * paper.speed
