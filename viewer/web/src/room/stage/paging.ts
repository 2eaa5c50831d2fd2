/* Pure: which of the tiles are on the page that is looked at, and which people have a chip. */
import type { TileSpec } from './arrange'

export interface Page<T> {
  shown: readonly T[]
  page: number
  pages: number
}

/** Page `page` of a list, or the last one there is. */
export function pageOf<T>(list: readonly T[], capacity: number, page: number): Page<T> {
  const each = Math.max(1, Math.floor(capacity))
  const pages = Math.max(1, Math.ceil(list.length / each))
  const at = Math.min(Math.max(0, page), pages - 1)
  return { shown: list.slice(at * each, (at + 1) * each), page: at, pages }
}

/** Whoever speaks stands on the first page: in its last place, whose holder has his meanwhile. Nobody else moves, nobody is lost. */
export function withSpeaker(tiles: readonly TileSpec[], speaker: string | null, capacity: number): readonly TileSpec[] {
  const last = Math.max(1, Math.floor(capacity)) - 1
  const at = tiles.findIndex((tile) => tile.source === 'camera' && tile.participant === speaker)
  const [from, to] = [tiles[at], tiles[last]]
  if (at <= last || !from || !to) return tiles
  const swapped = [...tiles]
  swapped[last] = from
  swapped[at] = to
  return swapped
}

/** Tiles and chips: who has no picture is a chip, unless nobody has one or he is the large one. */
export function folded(
  tiles: readonly TileSpec[],
  pinned: string | null,
): { tiles: readonly TileSpec[]; chips: readonly TileSpec[] } {
  if (!tiles.some((tile) => tile.video)) return { tiles, chips: [] }
  const stays = (tile: TileSpec) => tile.video || tile.key === pinned
  return { tiles: tiles.filter(stays), chips: tiles.filter((tile) => !stays(tile)) }
}

/** As many chips as have room, the last place for the number of the rest; whoever speaks is among them. */
export function chipsShown(
  chips: readonly TileSpec[],
  fits: number,
  speaker: string | null,
): { shown: readonly TileSpec[]; more: number } {
  if (chips.length <= fits) return { shown: chips, more: 0 }
  const room = Math.max(0, fits - 1)
  return { shown: withSpeaker(chips, speaker, room).slice(0, room), more: chips.length - room }
}
