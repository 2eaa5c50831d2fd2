/* Pure arithmetic of the room's picture: which tiles, in which order, in which slots, how large. */
import type { Participant, VideoSource } from '../call/protocol'

export interface TileSpec {
  key: string
  participant: string
  source: VideoSource
  /** Whether there is a picture to ask a slot for. */
  video: boolean
}

export function tileKey(participant: string, source: VideoSource): string {
  return `${participant}/${source}`
}

/** How somebody takes part: with a picture, with the camera off, by voice alone, or without anything of their own. */
export function partOf({ sources }: Pick<Participant, 'sources'>): 'video' | 'off' | 'voice' | 'watch' {
  if (sources.camera) return 'video'
  if (sources.mic === undefined) return 'watch'
  return sources.camera === false ? 'off' : 'voice'
}

const EXTRA: readonly VideoSource[] = ['screen', 'device']

/** Everything that could be shown of the others: shared screens and devices first, then people in the order in which they came. */
export function tilesOf(people: readonly Participant[]): TileSpec[] {
  const extra: TileSpec[] = []
  const faces: TileSpec[] = []
  for (const person of people) {
    for (const source of EXTRA) {
      if (person.sources[source])
        extra.push({ key: tileKey(person.id, source), participant: person.id, source, video: true })
    }
    // an encoder's picture stands above already, a plain viewer has none: no empty tile for either
    if (person.kind !== 'person' && person.sources.camera === undefined) continue
    faces.push({
      key: tileKey(person.id, 'camera'),
      participant: person.id,
      source: 'camera',
      video: person.sources.camera === true,
    })
  }
  return [...extra, ...faces]
}

export interface Choice {
  pinned: string | null
  speaker: string | null
  mode: 'grid' | 'stage'
}

/** The tile that is large, or null when all are equal. */
export function largeTile(tiles: readonly TileSpec[], choice: Choice): TileSpec | null {
  const pinned = tiles.find((tile) => tile.key === choice.pinned)
  if (pinned) return pinned
  const shared = tiles.find((tile) => tile.source !== 'camera')
  if (shared) return shared
  if (choice.mode === 'grid') return null
  return tiles.find((tile) => tile.participant === choice.speaker) ?? tiles[0] ?? null
}

/**
 * Slots for tiles. A tile keeps its slot while it can, since a change of slot is a blank moment; the large tile always has the first slot, which
 * is the one in lip sync with the first audio slot.
 */
export function assignSlots(
  before: ReadonlyMap<string, number>,
  tiles: readonly TileSpec[],
  large: TileSpec | null,
  slots: number,
): Map<string, number> {
  const result = new Map<string, number>()
  const taken = new Set<number>()
  const wanting = tiles.filter((tile) => tile.video)
  const put = (key: string, slot: number) => {
    result.set(key, slot)
    taken.add(slot)
  }
  if (large?.video && slots > 0) put(large.key, 0)
  for (const tile of wanting) {
    const slot = before.get(tile.key)
    if (!result.has(tile.key) && slot !== undefined && slot < slots && !taken.has(slot)) put(tile.key, slot)
  }
  // without a large tile the first slot is as good as any other
  const free: number[] = []
  for (let slot = 0; slot < slots; slot++) if (!taken.has(slot)) free.push(slot)
  for (const tile of wanting) {
    if (result.has(tile.key)) continue
    const slot = free.shift()
    if (slot === undefined) break
    put(tile.key, slot)
  }
  return result
}

export interface Rect {
  x: number
  y: number
  width: number
  height: number
}

export const GAP = 8
/** Of a tile in rows. */
const LEAST_WIDTH = 150

/** Width ÷ height of a tile whose picture has not come, or that has none. */
export const USUAL_SHAPE = 16 / 9
const SHAPES = [16 / 9, 4 / 3, 1, 3 / 4, 9 / 16]
/** Layers of one picture are rounded to whole pixels: within this share two shapes are one. */
const SAME_SHAPE = 0.04
const NARROWEST = 0.4
const WIDEST = 2.4

/** The shape of a picture, the same for all its layers. */
export function shapeOf(width: number, height: number): number {
  if (!(width > 0 && height > 0)) return USUAL_SHAPE
  const shape = width / height
  return SHAPES.find((one) => Math.abs(shape / one - 1) <= SAME_SHAPE) ?? Math.min(WIDEST, Math.max(NARROWEST, shape))
}

/** How large a picture of that shape is within a tile that shows it whole. */
export function contained(size: { width: number; height: number }, shape: number): { width: number; height: number } {
  const width = Math.min(size.width, size.height * shape)
  return { width, height: width / shape }
}

/** Breaks `shapes` into at most `rows` rows, in order, the widest of which is as narrow as can be. */
function breakRows(shapes: readonly number[], rows: number): number[][] {
  const broken = (limit: number) => {
    const result: number[][] = []
    let sum = Infinity
    for (const shape of shapes) {
      if (sum + shape > limit + 1e-9) {
        result.push([])
        sum = 0
      }
      result.at(-1)?.push(shape)
      sum += shape
    }
    return result
  }
  let low = Math.max(...shapes)
  let high = total(shapes)
  if (broken(low).length <= rows) return broken(low)
  while (high - low > 1e-6) {
    const middle = (low + high) / 2
    if (broken(middle).length <= rows) high = middle
    else low = middle
  }
  return broken(high)
}

const total = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0)

/** Rows of narrow pictures grow into what is left of the height, until theirs are as large as a usual one beside them. */
function growNarrow(rows: readonly number[][], base: number, fits: readonly number[], spare: number): number[] {
  const wanted = rows.map((row, i) =>
    Math.max(0, Math.min(fits[i] ?? base, base * Math.sqrt((USUAL_SHAPE * row.length) / total(row))) - base),
  )
  const share = Math.min(1, spare / Math.max(1e-6, total(wanted)))
  return wanted.map((more) => base + more * share)
}

/**
 * Rows of tiles, centred, each tile as wide as its picture, those of a row of one height: the greatest with which all fit. So every picture is seen whole, a
 * phone held upright beside a camera, and nothing of the page is spent on bars.
 */
export function gridRects(shapes: readonly number[], width: number, height: number): Rect[] {
  if (shapes.length === 0 || width <= 0 || height <= 0) return []
  let best: { rows: number[][]; fits: number[]; base: number } = { rows: [], fits: [], base: 0 }
  for (let count = 1; count <= shapes.length; count++) {
    const rows = breakRows(shapes, count)
    const fits = rows.map((row) => (width - GAP * (row.length - 1)) / total(row))
    const base = Math.min((height - GAP * (rows.length - 1)) / rows.length, ...fits)
    if (base > best.base + 0.5) best = { rows, fits, base }
  }
  const spare = Math.max(0, height - best.rows.length * best.base - GAP * (best.rows.length - 1))
  const heights = growNarrow(best.rows, best.base, best.fits, spare)
  let y = (height - total(heights) - GAP * (heights.length - 1)) / 2
  return best.rows.flatMap((row, i) => {
    const tall = heights[i] ?? best.base
    let x = (width - total(row) * tall - GAP * (row.length - 1)) / 2
    const rects = row.map((shape): Rect => {
      const rect = { x, y, width: shape * tall, height: tall }
      x += rect.width + GAP
      return rect
    })
    y += tall + GAP
    return rects
  })
}

/** Of a tile: more than that under one's own picture is worth smaller tiles, down to that share. */
const COVERED = 0.08
const SMALLER = 0.75

const areaOf = (rect: Rect) => rect.width * rect.height
const smallest = (rects: readonly Rect[]) => Math.min(...rects.map(areaOf))
const moved = (rects: readonly Rect[], x: number, y: number) =>
  rects.map((rect) => ({ ...rect, x: rect.x + x, y: rect.y + y }))

/** What share of `tile` lies under `over`. */
export function covered(tile: Rect, over: Rect): number {
  const side = (a: number, lengthA: number, b: number, lengthB: number) =>
    Math.max(0, Math.min(a + lengthA, b + lengthB) - Math.max(a, b))
  const width = side(tile.x, tile.width, over.x, over.width)
  return (width * side(tile.y, tile.height, over.y, over.height)) / Math.max(1, areaOf(tile))
}

/** Rows of tiles that leave room for one's own picture in its corner, where that costs them little. A single one lies under it. */
export function gridAround(shapes: readonly number[], width: number, height: number, own: Rect | null): Rect[] {
  const whole = gridRects(shapes, width, height)
  if (!own || whole.length < 2 || whole.every((rect) => covered(rect, own) <= COVERED)) return whole
  const [across, down] = [own.width + GAP, own.height + GAP]
  const beside = moved(gridRects(shapes, width - across, height), own.x < width / 2 ? across : 0, 0)
  const above = moved(gridRects(shapes, width, height - down), 0, own.y < height / 2 ? down : 0)
  const best = smallest(beside) > smallest(above) ? beside : above
  return best.length > 0 && smallest(best) >= SMALLER * smallest(whole) ? best : whole
}

/** How many tiles a room holds in which every face can be told. */
export function gridCapacity(width: number, height: number): number {
  const along = (room: number, least: number) => Math.max(1, Math.floor((room + GAP) / (least + GAP)))
  return along(width, LEAST_WIDTH) * along(height, LEAST_WIDTH / USUAL_SHAPE)
}

/** Too small for more than a name and a mark. */
export function isSmall(rect: Rect | undefined): boolean {
  return !rect || rect.width * rect.height < 260 * 146 || rect.width < 150
}

export interface Strip extends Rect {
  vertical: boolean
}

/** How long a tile of the strip is along it. */
const alongOf = ({ width, height, vertical }: Strip) =>
  vertical ? Math.min(height, (width * 9) / 16) : Math.min(width, (height * 4) / 3)

/** How many tiles a strip of this size holds. */
export function stripCapacity(strip: Strip): number {
  return Math.max(1, Math.floor(((strip.vertical ? strip.height : strip.width) + GAP) / (alongOf(strip) + GAP)))
}

export function stripRects(count: number, strip: Strip): Rect[] {
  const along = alongOf(strip)
  const { x, y, width, height, vertical } = strip
  return Array.from({ length: count }, (_, i) =>
    vertical
      ? { x, y: y + i * (along + GAP), width, height: along }
      : { x: x + i * (along + GAP), y, width: along, height },
  )
}

/** What is left of a strip at one end of which something stands. */
export function stripBeside(strip: Strip, taken: Rect, atStart: boolean): Strip {
  if (strip.vertical) {
    const used = Math.min(strip.height, taken.height + GAP)
    return { ...strip, y: strip.y + (atStart ? used : 0), height: strip.height - used }
  }
  const used = Math.min(strip.width, taken.width + GAP)
  return { ...strip, x: strip.x + (atStart ? used : 0), width: strip.width - used }
}

export interface StageParts {
  large: Rect
  strip: Strip
}

/** One large picture, and a strip beside it (landscape) or below it (portrait), if there is anybody for one. */
export function stageParts(width: number, height: number, withStrip: boolean): StageParts {
  if (!withStrip)
    return { large: { x: 0, y: 0, width, height }, strip: { x: 0, y: 0, width: 0, height: 0, vertical: true } }
  if (width >= height) {
    const strip = Math.min(240, Math.max(140, width * 0.17))
    return {
      large: { x: 0, y: 0, width: width - strip - GAP, height },
      strip: { x: width - strip, y: 0, width: strip, height, vertical: true },
    }
  }
  const strip = Math.min(120, height * 0.2)
  return {
    large: { x: 0, y: 0, width, height: height - strip - GAP },
    strip: { x: 0, y: height - strip, width, height: strip, vertical: false },
  }
}
