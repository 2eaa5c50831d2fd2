/*
 * OpenSeadragon behind the few words that the shared view needs: which region is on screen, show that region, where is a point.
 * Coordinates are the picture's own (`unit` of them per pixel of the tiled image). Documents have `pagecanvas.ts`.
 */
import OpenSeadragon from 'openseadragon'
import { finestWanted, followScale, LEAST_RATIO, normalRotation, regionOf } from './geometry'
import { isSlideKey } from './keys'
import type { Region } from './link'
import type { SlideDescription } from './slides'

export interface PictureSource {
  /** A Deep Zoom description, or one plain image. */
  slide?: SlideDescription
  image?: string
  unit: number
}

export class PictureCanvas {
  /** Called whenever what is on screen changed, at most once per frame. */
  onChange: () => void = () => undefined
  onOpen: () => void = () => undefined
  onResize: () => void = () => undefined
  onFail: () => void = () => undefined
  /** Whether every tile on screen has come. */
  onSharp: (sharp: boolean) => void = () => undefined
  /** A person moved the picture, rather than this program. */
  onUserMove: () => void = () => undefined

  private readonly viewer: OpenSeadragon.Viewer
  private unit = 1
  private dirty = false
  private opened = false
  private tiled = false
  private movable = true
  private hurries = false
  /** Nobody moved the picture since it was shown whole. */
  private whole = false

  constructor(element: HTMLElement) {
    this.viewer = OpenSeadragon({
      element,
      // hospital computers often have no usable GPU, and WebGL by software stalls
      drawer: 'canvas',
      showNavigationControl: false,
      showNavigator: false,
      animationTime: 0.25,
      springStiffness: 12,
      blendTime: 0,
      // tiles are chosen for device pixels: a follower with a sharper screen loads sharper tiles
      minPixelRatio: LEAST_RATIO,
      immediateRender: false,
      imageLoaderLimit: 32,
      // all that a screen needs is asked for at once, not one tile a frame
      maxTilesPerFrame: 64,
      // a busy server, a bad network: no hole is left in the picture
      tileRetryMax: 6,
      tileRetryDelay: 1500,
      maxImageCacheCount: 600,
      visibilityRatio: 0.2,
      constrainDuringPan: false,
      minZoomImageRatio: 0.3,
      maxZoomPixelRatio: 8,
      preserveImageSizeOnResize: true,
      crossOriginPolicy: false,
      ajaxWithCredentials: false,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true, flickEnabled: false },
      gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: true, flickEnabled: false },
      gestureSettingsPen: { clickToZoom: false, flickEnabled: false },
    })
    this.viewer.addHandler('open', () => {
      this.opened = true
      this.whole = true
      this.limit()
      this.viewer.viewport.setRotation(0, true)
      if (this.tiled) this.beginSharp()
      this.onSharp(false)
      this.item().addHandler('fully-loaded-change', (event: { fullyLoaded: boolean }) => {
        if (event.fullyLoaded) this.allLevels()
        this.onSharp(event.fullyLoaded)
      })
      this.onOpen()
      this.changed()
    })
    this.viewer.addHandler('open-failed', () => this.onFail())
    this.viewer.addHandler('viewport-change', () => (this.dirty = true))
    this.viewer.addHandler('update-viewport', () => this.drawn())
    this.viewer.addHandler('after-resize', () => {
      // OpenSeadragon moves once more after this event
      queueMicrotask(() => {
        if (!this.opened) return
        // a phone that was turned: what was whole is whole again
        if (this.whole) this.viewer.viewport.goHome(true)
        this.onResize()
        this.changed()
      })
    })
    this.viewer.addHandler('canvas-key', (event) => {
      const { key } = event.originalEvent as KeyboardEvent
      event.preventDefaultAction = !isSlideKey(key)
    })
    for (const event of [
      'canvas-drag',
      'canvas-scroll',
      'canvas-pinch',
      'canvas-double-click',
      'canvas-key',
    ] as const) {
      this.viewer.addHandler(event, () => {
        this.allLevels()
        this.whole = false
        this.onUserMove()
      })
    }
  }

  open(source: PictureSource): void {
    this.opened = false
    this.unit = source.unit
    this.tiled = source.slide !== undefined
    if (source.slide) this.viewer.open(source.slide as never)
    else this.viewer.open({ type: 'image', url: source.image, buildPyramid: true } as never)
  }

  /** What could not be loaded before is asked for again. */
  reload(): void {
    if (this.opened) this.viewer.world.resetItems()
  }

  get isOpen(): boolean {
    return this.opened
  }

  size(): { width: number; height: number } {
    const size = this.viewer.viewport.getContainerSize()
    return { width: size.x, height: size.y }
  }

  /** Of the whole picture, in its units. */
  extent(): { width: number; height: number } {
    const size = this.item().getContentSize()
    return { width: size.x * this.unit, height: size.y * this.unit }
  }

  /** Picture units per CSS pixel now on screen. */
  scale(): number {
    return this.unit / this.item().viewportToImageZoom(this.viewer.viewport.getZoom(true))
  }

  region(): Region {
    const { width, height } = this.size()
    const centre = this.item().viewportToImageCoordinates(this.viewer.viewport.getCenter(true))
    return regionOf(
      { x: centre.x * this.unit, y: centre.y * this.unit },
      this.scale(),
      width,
      height,
      this.viewer.viewport.getRotation(true),
    )
  }

  /** At once, without animation: what is seen is what is presented. */
  show(region: Region): void {
    if (!this.opened) return
    const { width, height } = this.size()
    if (width === 0 || height === 0) return
    this.allLevels()
    this.whole = false
    const viewport = this.viewer.viewport
    const scale = followScale(region, width, height)
    viewport.setRotation(region.rotation, true)
    viewport.zoomTo(this.item().imageToViewportZoom(this.unit / scale), undefined, true)
    viewport.panTo(this.item().imageToViewportCoordinates(region.cx / this.unit, region.cy / this.unit), true)
  }

  /** Screen position inside the element of a point of the picture. */
  toElement(x: number, y: number): { x: number; y: number } {
    const point = this.viewer.viewport.pixelFromPoint(
      this.item().imageToViewportCoordinates(x / this.unit, y / this.unit),
      true,
    )
    return { x: point.x, y: point.y }
  }

  toPicture(x: number, y: number): { x: number; y: number } {
    const point = this.item().viewportToImageCoordinates(
      this.viewer.viewport.pointFromPixel(new OpenSeadragon.Point(x, y), true),
    )
    return { x: point.x * this.unit, y: point.y * this.unit }
  }

  /** May hands move the picture? Followers' hands may not. */
  setMovable(movable: boolean): void {
    this.movable = movable
    this.viewer.setMouseNavEnabled(movable)
    this.limit()
  }

  /** Hands cannot lose the picture; but whatever region a presenter shows, a follower shows: nothing pulls that back. */
  private limit(): void {
    if (!this.viewer.viewport) return
    const viewport = this.viewer.viewport as unknown as {
      visibilityRatio: number
      minZoomImageRatio: number
      maxZoomPixelRatio: number
    }
    viewport.visibilityRatio = this.movable ? 0.2 : 0
    viewport.minZoomImageRatio = this.movable ? 0.3 : 0.001
    viewport.maxZoomPixelRatio = this.movable ? 8 : 1000
  }

  /** Brings a point of the picture to the middle. */
  centre(x: number, y: number): void {
    this.allLevels()
    this.whole = false
    this.viewer.viewport.panTo(this.item().imageToViewportCoordinates(x / this.unit, y / this.unit))
    this.viewer.viewport.applyConstraints()
  }

  zoomBy(factor: number): void {
    this.allLevels()
    this.whole = false
    this.viewer.viewport.zoomBy(factor)
    this.viewer.viewport.applyConstraints()
  }

  fit(): void {
    this.whole = true
    this.viewer.viewport.goHome()
  }

  /** Nothing is on screen until the next picture is open; another file starts upright. */
  clear(): void {
    this.opened = false
    this.viewer.close()
  }

  turn(): void {
    this.viewer.viewport.setRotation(normalRotation(this.viewer.viewport.getRotation() + 90), true)
  }

  close(): void {
    this.opened = false
    this.viewer.destroy()
  }

  /**
   * The whole slide is wanted, and a small picture of it stands there already: the level that the screen needs comes at once, not after
   * all those that are coarser.
   */
  private beginSharp(): void {
    const source = this.item().source
    const finest = finestWanted(source.maxLevel, this.scale(), window.devicePixelRatio)
    source.minLevel = Math.max(source.getClosestLevel(), finest)
    this.hurries = true
  }

  /** From now on coarser levels stand in for what has not come. The coarsest is the last that is one tile: those below it show no more. */
  private allLevels(): void {
    if (!this.hurries) return
    this.hurries = false
    const source = this.item().source
    source.minLevel = source.getClosestLevel()
  }

  private item(): OpenSeadragon.TiledImage {
    return this.viewer.world.getItemAt(0)
  }

  private changed(): void {
    this.dirty = true
    this.viewer.forceRedraw()
  }

  /** Told after it was drawn, so that what is said is what is seen. */
  private drawn(): void {
    if (!this.dirty || !this.opened || this.viewer.world.getItemCount() === 0) return
    this.dirty = false
    this.onChange()
  }
}
