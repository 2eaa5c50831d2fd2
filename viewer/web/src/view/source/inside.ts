/*
 * What OpenSeadragon 5.0.1 has no words for, in one place: which levels are looked at (it believes that they halve), which tiles a turn looked
 * at (it never gives one up), and how many decoded tiles it keeps.
 */
import type OpenSeadragon from 'openseadragon'
import type { SlideSource } from './source'

/** Decoded tiles, four bytes a pixel. More than the largest screens need; what is on screen is never dropped. */
const KEPT_BYTES = 192 << 20

interface Image {
  _getLevelsInterval(): { lowestLevel: number; highestLevel: number }
  _updateLevelsForViewport(): boolean
  minPixelRatio: number
  tilesMatrix: object
  _needsUpdate: boolean
  reset(): void
}

/** Has an open picture look at the levels of `source` as they are. `scale`: full-size pixels per CSS pixel now. */
export function attach(image: OpenSeadragon.TiledImage, source: SlideSource, scale: () => number): void {
  const inside = image as unknown as Image
  // it would pass over a level with so few pixels of the screen for each of its own
  inside.minPixelRatio = 0
  inside._getLevelsInterval = () => {
    const highestLevel = Math.max(source.wanted(scale()), source.minLevel)
    return { lowestLevel: Math.min(source.minLevel, highestLevel), highestLevel }
  }
  const update = inside._updateLevelsForViewport
  inside._updateLevelsForViewport = function (this: Image) {
    const since = Date.now()
    const complete = update.call(this)
    source.giveUp(since)
    return complete
  }
}

/** Every tile's address is another: all are asked for anew, also where everything was there. */
export function renew(image: OpenSeadragon.TiledImage): void {
  const inside = image as unknown as Image
  inside.reset()
  inside.tilesMatrix = {}
  inside._needsUpdate = true
}

/** Keeps about as many bytes whatever the size of the tiles. */
export function keepTiles(viewer: OpenSeadragon.Viewer, source: SlideSource): void {
  const bytes = Math.max(...source.levels.map((level) => level.tileWidth * level.tileHeight * 4))
  const cache = (viewer as unknown as { tileCache: { _maxImageCacheCount: number } }).tileCache
  cache._maxImageCacheCount = Math.max(24, Math.floor(KEPT_BYTES / bytes))
}
