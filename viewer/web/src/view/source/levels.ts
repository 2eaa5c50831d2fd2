/*
 * A slide's levels as the viewer takes them: the file's own tiles wherever it has them, the server's Deep Zoom tiles between and above. Pure.
 * Scanners keep every second doubling (1, 4, 16): without what lies between, a picture would be drawn twice as large as its pixels, or from
 * sixteen times as many as the screen has, which flicker.
 */
import { LEAST_RATIO } from '../geometry'

/** `GET /slides/{id}/info.json`, what the viewer reads of it. */
export interface SlideInfo {
  id: string
  width: number
  height: number
  mpp_x: number
  mpp_y: number
  objective: number
  /** Largest first; a server before native tiles says nothing of tiles. */
  levels: {
    width: number
    height: number
    downsample: number
    tile_width?: number
    tile_height?: number
    columns?: number
    rows?: number
  }[]
  tile_size: number
  overlap: number
  dz_levels: number
  version?: string
  /** The file has such a picture, and this user may see it. */
  label?: boolean
  macro?: boolean
  /** Focal planes, where there are several; `first` is shown without a word; µm from one to the next, 0 if the file does not say. */
  z?: { planes: number; first: number; spacing_um: number }
  /** Of fluorescence; absent for ordinary colours. Without a choice they are added up. */
  channels?: { name: string; color: string }[]
  /** A profile that the server made a table of, or one that it could not read. */
  colour?: { size?: number; url?: string; unreadable?: boolean }
}

/** What of a slide is looked at: a plane, one of its channels; whatever is not said is the server's choice. */
export interface Sheet {
  z?: number
  channel?: number
}

export interface Level {
  /** Pixels; not whole where Deep Zoom halves an odd number. */
  width: number
  height: number
  tileWidth: number
  tileHeight: number
  columns: number
  rows: number
  /** Pixels that a tile shares with each neighbour. */
  overlap: number
  /** Full-size pixels per pixel. */
  downsample: number
  address: (column: number, row: number, sheet?: Sheet) => string
}

export interface Box {
  x: number
  y: number
  width: number
  height: number
}

/** Two levels of a file that are farther apart get those of Deep Zoom between them. */
const WIDEST_STEP = 2.9

function queryOf(info: SlideInfo, sheet: Sheet | undefined): string {
  const named = new URLSearchParams()
  if (info.version) named.set('v', info.version)
  if (sheet?.z !== undefined && sheet.z !== info.z?.first) named.set('z', `${sheet.z}`)
  if (sheet?.channel !== undefined) named.set('c', `${sheet.channel}`)
  const query = named.toString()
  return query && `?${query}`
}

function native(info: SlideInfo): Level[] {
  return info.levels.flatMap(({ width, height, tile_width, tile_height, columns, rows }, index) =>
    tile_width && tile_height
      ? [
          {
            width,
            height,
            tileWidth: tile_width,
            tileHeight: tile_height,
            columns: columns ?? Math.ceil(width / tile_width),
            rows: rows ?? Math.ceil(height / tile_height),
            overlap: 0,
            downsample: info.width / width,
            address: (column: number, row: number, sheet?: Sheet) =>
              `/slides/${info.id}/tiles/${index}/${column}_${row}.jpeg${queryOf(info, sheet)}`,
          },
        ]
      : [],
  )
}

function deepZoom(info: SlideInfo, halvings: number): Level {
  const downsample = 2 ** halvings
  const width = info.width / downsample
  const height = info.height / downsample
  const level = info.dz_levels - 1 - halvings
  return {
    width,
    height,
    tileWidth: info.tile_size,
    tileHeight: info.tile_size,
    columns: Math.ceil(Math.ceil(width) / info.tile_size),
    rows: Math.ceil(Math.ceil(height) / info.tile_size),
    overlap: info.overlap,
    downsample,
    address: (column, row, sheet) => `/slides/${info.id}_files/${level}/${column}_${row}.jpeg${queryOf(info, sheet)}`,
  }
}

const isOneTile = (level: Level): boolean => level.columns === 1 && level.rows === 1

/** Coarsest first, the last at full size, the first one tile: no step between two is wider than WIDEST_STEP. */
export function levelsOf(info: SlideInfo): Level[] {
  // finest first while it is put together
  const own = native(info).sort((a, b) => a.downsample - b.downsample)
  if (own[0]?.downsample !== 1) own.unshift(deepZoom(info, 0))
  const all: Level[] = []
  for (const [index, level] of own.entries()) {
    all.push(level)
    const next = own[index + 1]?.downsample ?? Infinity
    if (next / level.downsample <= WIDEST_STEP) continue
    for (let halvings = 1; halvings < info.dz_levels; halvings++) {
      if (next === Infinity && isOneTile(all[all.length - 1]!)) break
      const downsample = 2 ** halvings
      // an own level that is nearly as fine is cheaper: its bytes leave as they are stored
      if (downsample > level.downsample * Math.SQRT2 && downsample < next / Math.SQRT2)
        all.push(deepZoom(info, halvings))
    }
  }
  return all.reverse()
}

/**
 * The level to draw at `scale` full-size pixels per CSS pixel: the coarsest that has at least a pixel for each of the screen's, so that
 * nothing is enlarged; the finest where none has. As LEAST_RATIO says of levels that halve.
 */
export function wantedLevel(levels: readonly Level[], scale: number, dpr: number): number {
  const found = levels.findIndex((level) => (level.downsample * dpr) / scale <= 2 * LEAST_RATIO)
  return found < 0 ? levels.length - 1 : found
}

/** Where a tile's pixels lie in its level, clipped to it: what is padded is not part of the picture. */
export function tileBox(level: Level, column: number, row: number): Box {
  const x = column ? column * level.tileWidth - level.overlap : 0
  const y = row ? row * level.tileHeight - level.overlap : 0
  return {
    x,
    y,
    width: Math.min((column + 1) * level.tileWidth + level.overlap, level.width) - x,
    height: Math.min((row + 1) * level.tileHeight + level.overlap, level.height) - y,
  }
}

/** The tile in which a point of the full-size picture lies, the nearest one for a point beside it. */
export function tileAt(level: Level, full: { width: number; height: number }, x: number, y: number) {
  const within = (place: number, size: number, count: number) =>
    Math.max(0, Math.min(count - 1, Math.floor(place / size)))
  return {
    column: within((x * level.width) / full.width, level.tileWidth, level.columns),
    row: within((y * level.height) / full.height, level.tileHeight, level.rows),
  }
}
