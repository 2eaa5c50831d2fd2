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

/** At most `capacity` tiles: the large one first, then the speaker, then those with a picture, otherwise unchanged order. */
export function visibleTiles(
  tiles: readonly TileSpec[],
  large: TileSpec | null,
  speaker: string | null,
  capacity: number,
): TileSpec[] {
  const rest = tiles.filter((tile) => tile !== large)
  const room = Math.max(0, capacity - (large ? 1 : 0))
  let chosen = rest
  if (rest.length > room) {
    const rank = (tile: TileSpec) => (tile.participant === speaker ? 0 : tile.video ? 1 : 2)
    const keep = new Set([...rest].sort((a, b) => rank(a) - rank(b)).slice(0, room))
    chosen = rest.filter((tile) => keep.has(tile))
  }
  return large ? [large, ...chosen] : chosen
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

/** Columns of a grid whose 16:9 tiles come out largest. */
export function gridColumns(count: number, width: number, height: number, gap = 8): number {
  let best = 1
  let bestWidth = 0
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns)
    const tile = Math.min((width - gap * (columns - 1)) / columns, (((height - gap * (rows - 1)) / rows) * 16) / 9)
    if (tile > bestWidth + 0.5) {
      bestWidth = tile
      best = columns
    }
  }
  return best
}

export interface Rect {
  x: number
  y: number
  width: number
  height: number
}

const GAP = 8

/** Equal tiles, centred. `fill` gives up 16:9 for size, as on a phone. */
export function gridRects(count: number, width: number, height: number, fill: boolean): Rect[] {
  if (count === 0 || width <= 0 || height <= 0) return []
  const columns = gridColumns(count, width, height, GAP)
  const rows = Math.ceil(count / columns)
  const cellWidth = (width - GAP * (columns - 1)) / columns
  const cellHeight = (height - GAP * (rows - 1)) / rows
  const tileWidth = fill ? cellWidth : Math.min(cellWidth, (cellHeight * 16) / 9)
  const tileHeight = fill ? cellHeight : (tileWidth * 9) / 16
  const top = (height - rows * tileHeight - GAP * (rows - 1)) / 2
  return Array.from({ length: count }, (_, i) => {
    const row = Math.floor(i / columns)
    const inRow = row === rows - 1 ? count - row * columns : columns
    const left = (width - inRow * tileWidth - GAP * (inRow - 1)) / 2
    return {
      x: left + (i % columns) * (tileWidth + GAP),
      y: top + row * (tileHeight + GAP),
      width: tileWidth,
      height: tileHeight,
    }
  })
}

function stripTile(width: number, height: number): { along: number; vertical: boolean } {
  const vertical = height > width
  return { vertical, along: vertical ? (width * 9) / 16 : (height * 4) / 3 }
}

/** How many tiles a strip of this size holds. */
export function stripCapacity(width: number, height: number): number {
  const { along, vertical } = stripTile(width, height)
  return Math.max(1, Math.floor(((vertical ? height : width) + GAP) / (along + GAP)))
}

export function stripRects(count: number, width: number, height: number): Rect[] {
  const { along, vertical } = stripTile(width, height)
  return Array.from({ length: count }, (_, i) =>
    vertical
      ? { x: 0, y: i * (along + GAP), width, height: along }
      : { x: i * (along + GAP), y: 0, width: along, height },
  )
}

export interface StageParts {
  large: Rect
  strip: Rect
}

/** One large picture, and a strip beside it (landscape) or below it (portrait). */
export function stageParts(width: number, height: number, withStrip: boolean): StageParts {
  if (!withStrip) return { large: { x: 0, y: 0, width, height }, strip: { x: 0, y: 0, width: 0, height: 0 } }
  if (width >= height) {
    const strip = Math.min(240, Math.max(140, width * 0.17))
    return {
      large: { x: 0, y: 0, width: width - strip - GAP, height },
      strip: { x: width - strip, y: 0, width: strip, height },
    }
  }
  const strip = Math.min(120, height * 0.2)
  return {
    large: { x: 0, y: 0, width, height: height - strip - GAP },
    strip: { x: 0, y: height - strip, width, height: strip },
  }
}
