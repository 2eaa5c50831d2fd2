/*
 * OpenSeadragon behind the few words that the shared view needs: which region is on screen, show that region, where is a point.
 * Coordinates are the picture's own (`unit` of them per pixel of the tiled image). Documents have `pagecanvas.ts`.
 */
import OpenSeadragon from 'openseadragon'
import { spares } from '@/ui/ahead'
import { Colours } from './colour/colours'
import type { ColourTable, Tuning } from './colour/curve'
import {
  cornersOf,
  followScale,
  LEAST_RATIO,
  normalRotation,
  regionOf,
  toPicture,
  toScreen,
  turnedBy,
} from './geometry'
import type { Turn } from './geometry'
import { Grip } from './lens/grip'
import type { Spot } from './lens/gesture'
import type { Region } from './link'
import { TileDrawer } from './source/drawer'
import { attach, keepTiles, renew } from './source/inside'
import type { Box, SlideInfo } from './source/levels'
import { channelsOf, planeOf, type Chosen } from './source/sheets'
import { SlideSource } from './source/source'

export interface PictureSource {
  /** A slide, or one plain image. */
  slide?: SlideInfo
  /** A small picture of the whole, shown where tiles have not come. */
  under?: string
  image?: string
  unit: number
}

/** A plane that has not come by then comes tile by tile. */
const HOLD_MS = 1500

/** A hand that pauses so long looks at what it has. */
const REST_MS = 80

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

  private readonly turnTold = new Set<(turn: Required<Turn>) => void>()
  private readonly viewer: OpenSeadragon.Viewer
  private readonly colours: Colours
  private unit = 1
  private dirty = false
  private opened = false
  private slide: SlideSource | null = null
  private rest: ReturnType<typeof setTimeout> | undefined
  private holds: ReturnType<typeof setTimeout> | undefined
  private glimpse: HTMLImageElement | null = null
  private movable = true
  private hurries = false
  /** A double click makes the picture larger. */
  enlarges = true
  /** Nobody moved the picture since it was shown whole. */
  private whole = false

  constructor(element: HTMLElement) {
    this.viewer = OpenSeadragon({
      element,
      // hospital computers often have no usable GPU, and WebGL by software stalls
      drawer: TileDrawer as never,
      showNavigationControl: false,
      showNavigator: false,
      animationTime: 0.25,
      springStiffness: 12,
      blendTime: 0,
      // tiles are chosen for device pixels: a follower with a sharper screen loads sharper tiles
      minPixelRatio: LEAST_RATIO,
      immediateRender: false,
      // source/loader.ts bounds and orders them
      imageLoaderLimit: 0,
      timeout: 60_000,
      // all that a screen needs is asked for at once, not one tile a frame
      maxTilesPerFrame: 64,
      // a busy server, a bad network: no hole is left in the picture
      tileRetryMax: 6,
      tileRetryDelay: 1500,
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
      this.viewer.viewport.setFlip(false)
      if (this.slide) this.beginSlide(this.slide)
      this.onSharp(false)
      this.item().addHandler('fully-loaded-change', (event: { fullyLoaded: boolean }) => {
        if (event.fullyLoaded) {
          this.allLevels()
          this.release()
        }
        this.onSharp(event.fullyLoaded)
      })
      this.onOpen()
      this.turned()
      this.changed()
    })
    for (const event of ['rotate', 'flip'] as const) this.viewer.addHandler(event, () => this.turned())
    this.viewer.addHandler('open-failed', () => this.onFail())
    this.viewer.addHandler('viewport-change', () => {
      this.dirty = true
      this.release()
    })
    this.colours = new Colours(this.drawer, () => this.viewer.forceRedraw())
    this.viewer.addHandler('update-viewport', () => {
      this.colours.drawn()
      this.drawn()
    })
    this.viewer.addHandler('after-resize', () => {
      // OpenSeadragon moves once more after this event
      queueMicrotask(() => {
        if (!this.opened) return
        this.release()
        // a phone that was turned: what was whole is whole again
        if (this.whole) this.viewer.viewport.goHome(true)
        this.onResize()
        this.changed()
      })
    })
    new Grip(this.viewer, this, () => {
      this.beginMove()
      this.onUserMove()
    })
  }

  open(source: PictureSource): void {
    this.opened = false
    this.unit = source.unit
    this.leave()
    if (source.slide) {
      this.slide = new SlideSource(source.slide)
      this.viewer.open({ tileSource: this.slide, placeholderFillStyle: '#0000' } as never)
      if (source.under) this.layUnder(source.under, this.slide)
    } else this.viewer.open({ type: 'image', url: source.image, buildPyramid: true } as never)
  }

  /** How colours are shown from now on; `table`: of the slide's profile, null for none. */
  setColours(tuning: Tuning, table: ColourTable | null): void {
    this.colours.set(tuning, table)
  }

  /** The canvas as it is seen, for a snapshot. */
  get seen(): HTMLCanvasElement {
    return this.colours.canvas
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
    const region = regionOf(
      { x: centre.x * this.unit, y: centre.y * this.unit },
      this.scale(),
      width,
      height,
      this.viewer.viewport.getRotation(true),
      this.viewer.viewport.getFlip(),
    )
    return this.slide?.slide.z ? { ...region, z: this.slide.shown.z } : region
  }

  /** Calls back whenever the picture lies another way, and at once; gives what ends that. */
  onTurn(tell: (turn: Turn) => void): () => void {
    this.turnTold.add(tell)
    if (this.opened) tell(this.lies())
    return () => this.turnTold.delete(tell)
  }

  /** How the picture lies. */
  lies(): Required<Turn> {
    const { viewport } = this.viewer
    return { rotation: normalRotation(viewport.getRotation(true)), mirror: viewport.getFlip() }
  }

  /** Degrees clockwise. The place of the picture under `about`, CSS pixels of the element, stays there: the middle if nothing is said. */
  setRotation(degrees: number, about?: Spot): void {
    if (!this.opened) return
    this.allLevels()
    const held = about && this.toSlide(about.x, about.y)
    this.viewer.viewport.setRotation(normalRotation(degrees), true)
    if (held) this.bring(held, about)
    this.changed()
  }

  /** Left and right of the screen changed, as the picture lies now. */
  setMirror(mirror: boolean): void {
    if (!this.opened) return
    this.allLevels()
    this.viewer.viewport.setFlip(mirror)
    this.changed()
  }

  /** At once, without animation: what is seen is what is presented. */
  show(region: Region): void {
    if (!this.opened) return
    const { width, height } = this.size()
    if (width === 0 || height === 0) return
    this.beginMove()
    const viewport = this.viewer.viewport
    const scale = followScale(region, width, height)
    viewport.setRotation(region.rotation, true)
    viewport.setFlip(!!region.mirror)
    viewport.zoomTo(this.item().imageToViewportZoom(this.unit / scale), undefined, true)
    viewport.panTo(this.item().imageToViewportCoordinates(region.cx / this.unit, region.cy / this.unit), true)
    if (region.z !== undefined) this.setPlane(region.z)
    // also where it is only mirrored, which moves nothing
    this.changed()
  }

  /** The focal plane, the nearest that the slide has. */
  setPlane(z: number): void {
    if (!this.slide) return
    this.choose({ ...this.slide.shown, z: planeOf(this.slide.slide, z) })
  }

  /** So many planes up, or down. */
  focus(by: number): void {
    if (this.slide?.slide.z) this.setPlane(this.slide.shown.z + by)
  }

  /** Numbers of the channels that are seen, their light added. */
  setChannels(on: readonly number[]): void {
    if (!this.slide) return
    this.choose({ ...this.slide.shown, channels: channelsOf(this.slide.slide, on) })
  }

  private choose(chosen: Chosen): void {
    const { slide } = this
    if (!slide || !this.opened || JSON.stringify(chosen) === JSON.stringify(slide.shown)) return
    slide.choose(chosen)
    // what was seen stays until the other is complete: nothing flashes up between two planes
    this.drawer.held = true
    clearTimeout(this.holds)
    this.holds = setTimeout(() => this.release(), HOLD_MS)
    this.drawer.under = chosen.channels ? null : this.glimpse
    this.onSharp(false)
    renew(this.item())
    this.beginSharp(slide)
    this.changed()
  }

  private release(): void {
    if (!this.drawer.held) return
    clearTimeout(this.holds)
    this.drawer.held = false
    this.viewer.forceRedraw()
  }

  /** Where a point of the picture (of a slide: pixels of its full size) is now, CSS pixels of the element; as it is turned and mirrored. */
  toScreen(x: number, y: number): Spot {
    const { width, height } = this.size()
    return toScreen({ x, y }, this.region(), this.scale(), width, height)
  }

  /** What point of the picture is there: the inverse. */
  toSlide(x: number, y: number): Spot {
    const { width, height } = this.size()
    return toPicture({ x, y }, this.region(), this.scale(), width, height)
  }

  /** The same two by the names that documents have for them. */
  toElement(x: number, y: number): Spot {
    return this.toScreen(x, y)
  }

  toPicture(x: number, y: number): Spot {
    return this.toSlide(x, y)
  }

  /** Moves the picture at once, so that this point of it is there on screen. */
  bring(place: Spot, at: Spot): void {
    const { cx, cy } = this.region()
    const now = this.toSlide(at.x, at.y)
    const centre = this.item().imageToViewportCoordinates(
      (cx + place.x - now.x) / this.unit,
      (cy + place.y - now.y) / this.unit,
    )
    this.viewer.viewport.panTo(centre, true)
  }

  /** Fetches what would be on screen at that region and is not now: few tiles, when nothing on screen waits for any. */
  fetchAhead(region: Region): void {
    if (!this.opened || !this.slide || spares()) return
    const { width, height } = this.size()
    const scale = followScale(region, width, height) / this.unit
    this.slide.lookToward(this.boxOf(region), scale, this.boxOf(this.region()), this.scale() / this.unit)
  }

  /** May hands move the picture? Followers' hands may not. */
  setMovable(movable: boolean): void {
    this.movable = movable
    this.viewer.setMouseNavEnabled(movable)
    this.limit()
  }

  /** Whether a double click makes the picture larger; not while clicks draw. */
  setDoubleClick(enlarges: boolean): void {
    this.enlarges = enlarges
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
    this.beginMove()
    this.viewer.viewport.panTo(this.item().imageToViewportCoordinates(x / this.unit, y / this.unit))
    this.viewer.viewport.applyConstraints()
  }

  /** About a point on screen, CSS pixels of the element, or the middle; at once or springing. */
  zoomBy(factor: number, about?: Spot, atOnce = false): void {
    this.beginMove()
    const { viewport } = this.viewer
    const held = about && this.toSlide(about.x, about.y)
    const place = held && this.item().imageToViewportCoordinates(held.x / this.unit, held.y / this.unit)
    viewport.zoomBy(factor, place, atOnce)
    viewport.applyConstraints(atOnce)
  }

  /** So many picture units per CSS pixel. */
  zoomTo(scale: number): void {
    this.beginMove()
    this.viewer.viewport.zoomTo(this.item().imageToViewportZoom(this.unit / scale))
    this.viewer.viewport.applyConstraints()
  }

  /** By CSS pixels of the screen, as it is seen. */
  panBy(dx: number, dy: number): void {
    this.beginMove()
    const { width, height } = this.size()
    const to = this.toSlide(width / 2 + dx, height / 2 + dy)
    this.centre(to.x, to.y)
  }

  fit(): void {
    this.whole = true
    this.viewer.viewport.goHome()
  }

  /** Nothing is on screen until the next picture is open; another file starts upright. */
  clear(): void {
    this.opened = false
    this.leave()
    this.viewer.close()
  }

  /** Clockwise, as it is seen. */
  turn(degrees = 90, about?: Spot): void {
    this.setRotation(turnedBy(this.lies(), degrees), about)
  }

  /** As the file has it. */
  upright(): void {
    this.setMirror(false)
    this.setRotation(0)
  }

  close(): void {
    this.opened = false
    this.leave()
    this.colours.close()
    this.viewer.destroy()
  }

  private beginMove(): void {
    this.allLevels()
    this.whole = false
  }

  private turned(): void {
    const lies = this.lies()
    for (const tell of this.turnTold) tell(lies)
  }

  /** Nothing of the slide before is fetched any more. */
  private leave(): void {
    clearTimeout(this.rest)
    this.slide?.close()
    this.slide = null
    this.glimpse = null
    this.drawer.under = null
    this.release()
  }

  private get drawer(): TileDrawer {
    return this.viewer.drawer as unknown as TileDrawer
  }

  private layUnder(address: string, of: SlideSource): void {
    const picture = new Image()
    picture.onload = () => {
      if (this.slide !== of) return
      this.glimpse = picture
      if (!of.shown.channels) this.drawer.under = picture
      this.changed()
    }
    picture.src = address
  }

  private beginSlide(slide: SlideSource): void {
    attach(this.item(), slide, () => this.scale())
    keepTiles(this.viewer, slide)
    this.beginSharp(slide)
  }

  /** What a region covers of the full-size picture, upright. */
  private boxOf(region: Region): Box {
    const corners = cornersOf(region)
    const xs = corners.map(({ x }) => x / this.unit)
    const ys = corners.map(({ y }) => y / this.unit)
    const x = Math.min(...xs)
    const y = Math.min(...ys)
    return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y }
  }

  /** What will be wanted next, as soon as this is here. */
  private lookAhead(): void {
    clearTimeout(this.rest)
    if (spares()) return
    this.rest = setTimeout(() => {
      if (!this.opened || !this.slide) return
      this.slide.lookAhead(this.boxOf(this.region()), this.scale() / this.unit)
    }, REST_MS)
  }

  /**
   * The whole slide is wanted, and a small picture of it stands there already: the level that the screen needs comes at once, not after
   * all those that are coarser.
   */
  private beginSharp(slide: SlideSource): void {
    slide.minLevel = Math.max(slide.getClosestLevel(), slide.wanted(this.scale()))
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
    if (this.slide) this.lookAhead()
    this.onChange()
  }
}
