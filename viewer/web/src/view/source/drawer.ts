/*
 * OpenSeadragon's canvas drawer for tiles that share no pixels with their neighbours: their edges lie on the screen's own pixels, so that
 * nothing shines through between them and none is enlarged to hide it. Under them lies a small picture of the whole: what has not come yet is
 * never blank.
 */
import OpenSeadragon from 'openseadragon'
import type { TilePicture } from './bitmaps'

/** What is used of OpenSeadragon's inside, as it is in 5.0.1. */
interface Inside {
  canvas: HTMLCanvasElement
  viewport: OpenSeadragon.Viewport
  _getContext(sketch: boolean): CanvasRenderingContext2D
  _drawTiles(image: Image): void
  draw(images: Image[]): void
}
interface Tile {
  loaded: boolean
  flipped: boolean
  position: OpenSeadragon.Point
  size: OpenSeadragon.Point
  sourceBounds?: OpenSeadragon.Rect
  getCanvasContext(): (TilePicture | CanvasRenderingContext2D) | null
}
interface Image {
  source: OpenSeadragon.TileSource
  getFullyLoaded(): boolean
  getTilesToDraw(): unknown[]
}

type Base = new (options: object) => Inside
const CanvasDrawer = (OpenSeadragon as unknown as { CanvasDrawer: Base }).CanvasDrawer
const density = () => (OpenSeadragon as unknown as { pixelDensityRatio: number }).pixelDensityRatio

export class TileDrawer extends CanvasDrawer {
  /** A small picture of the whole, null for none. */
  under: CanvasImageSource | null = null
  /** What is drawn instead of a tile's own pixels. */
  recolour: (picture: CanvasImageSource, width: number, height: number) => CanvasImageSource = (picture) => picture

  /** What is on the canvas stays there: what comes instead is not complete. */
  held = false
  private covered = false

  override draw(images: Image[]): void {
    if (!this.held) super.draw(images)
  }

  /** OpenSeadragon would enlarge tiles by a pixel. */
  minimumOverlapRequired(): boolean {
    return false
  }

  getType(): string {
    return 'canvas'
  }

  /** The whole picture's place: filled with the small one, where tiles may be missing. */
  _drawRectangle(place: OpenSeadragon.Rect, _fill: unknown, sketch: boolean): void {
    if (!this.under || this.covered) return
    const { width, height } = this.under as { width: number; height: number }
    const context = this._getContext(sketch)
    context.drawImage(
      this.recolour(this.under, width, height),
      Math.round(place.x),
      Math.round(place.y),
      Math.round(place.width),
      Math.round(place.height),
    )
  }

  override _drawTiles(image: Image): void {
    this.covered = image.getFullyLoaded()
    super._drawTiles(image)
  }

  _drawTileToCanvas(
    tile: Tile,
    context: CanvasRenderingContext2D,
    image: Image,
    scale = 1,
    shift?: OpenSeadragon.Point,
  ): void {
    const held = tile.getCanvasContext()
    if (!tile.loaded || !held) return
    const { width, height } = held.canvas
    const picture = this.recolour('picture' in held ? held.picture : held.canvas, width, height)
    const pixels = density() * scale
    let left = tile.position.x * pixels + (shift?.x ?? 0)
    let top = tile.position.y * pixels + (shift?.y ?? 0)
    let right = left + tile.size.x * pixels
    let bottom = top + tile.size.y * pixels
    if (!image.source.tileOverlap) {
      // where no edge can lie on the screen's pixels, half a pixel of each covers its neighbour's edge
      const bleed = shift || this.isUpright(context.canvas) ? 0 : 0.5
      left = Math.round(left) - bleed
      top = Math.round(top) - bleed
      right = Math.round(right) + bleed
      bottom = Math.round(bottom) + bleed
    }
    const across = Math.min(tile.sourceBounds?.width ?? width, width)
    const down = Math.min(tile.sourceBounds?.height ?? height, height)
    context.save()
    context.translate((left + right) / 2, 0)
    if (tile.flipped) context.scale(-1, 1)
    context.drawImage(picture, 0, 0, across, down, (left - right) / 2, top, right - left, bottom - top)
    context.restore()
  }

  /** The picture's pixels lie on the screen's, also after turning about the middle of this canvas. */
  private isUpright(canvas: HTMLCanvasElement): boolean {
    const turn = Math.abs(this.viewport.getRotation(true)) % 180
    return turn === 0 || (turn === 90 && (canvas.width - canvas.height) % 2 === 0)
  }
}
