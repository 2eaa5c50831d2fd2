/*
 * The colours of one picture: a canvas over the one that is drawn, on a GPU, while there is anything to change. Where there is no GPU, or it goes
 * away in the middle, tiles are changed one by one as they are drawn: the picture itself is never lost.
 */
import { changesNothing, recolour, UNTOUCHED, type ColourTable, type Tuning } from './curve'
import { ColourShader } from './shader'

/** What the drawer has to give. */
export interface Drawer {
  canvas: HTMLCanvasElement
  recolour: (picture: CanvasImageSource, width: number, height: number) => CanvasImageSource
}

const asIs = (picture: CanvasImageSource): CanvasImageSource => picture

/** A GPU that goes away so often is not asked again. */
const LOSSES = 3

export class Colours {
  private losses = 0
  private tuning: Tuning = { ...UNTOUCHED }
  private table: ColourTable | null = null
  private shader: ColourShader | null = null
  /** Tiles as they were changed, while the GPU does nothing. */
  private tiles: WeakMap<object, HTMLCanvasElement> | null = null
  private readonly lost = () => {
    this.losses++
    this.end()
    this.begin()
    this.redraw()
  }

  constructor(
    private readonly drawer: Drawer,
    private readonly redraw: () => void,
  ) {}

  set(tuning: Tuning, table: ColourTable | null): void {
    this.tuning = { ...tuning }
    this.table = table
    if (changesNothing(this.tuning, table)) this.end()
    else this.begin()
    if (this.tiles) this.tiles = new WeakMap()
    this.redraw()
  }

  /** After every picture that was drawn. */
  drawn(): void {
    if (this.shader && !this.shader.draw(this.drawer.canvas, this.tuning, this.table)) this.lost()
  }

  /** The canvas that is seen. */
  get canvas(): HTMLCanvasElement {
    return this.shader?.canvas ?? this.drawer.canvas
  }

  close(): void {
    this.end()
  }

  private begin(): void {
    if (this.shader || this.tiles) return
    const canvas = document.createElement('canvas')
    canvas.dataset.testid = 'colour-canvas'
    canvas.style.cssText = 'position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none'
    canvas.addEventListener('webglcontextlost', this.lost)
    try {
      if (this.losses >= LOSSES) throw new Error('no GPU that stays')
      this.shader = new ColourShader(canvas)
      this.drawer.canvas.after(canvas)
    } catch {
      this.tiles = new WeakMap()
      this.drawer.recolour = (picture, width, height) => this.tile(picture, width, height)
    }
  }

  private end(): void {
    const shader = this.shader
    this.shader = null
    if (shader) {
      shader.canvas.removeEventListener('webglcontextlost', this.lost)
      shader.canvas.remove()
      shader.close()
    }
    this.tiles = null
    this.drawer.recolour = asIs
  }

  private tile(picture: CanvasImageSource, width: number, height: number): CanvasImageSource {
    const before = this.tiles?.get(picture)
    if (before) return before
    const canvas = document.createElement('canvas')
    canvas.width = width
    canvas.height = height
    const context = canvas.getContext('2d', { willReadFrequently: true })
    if (!context) return picture
    context.drawImage(picture, 0, 0, width, height)
    const pixels = context.getImageData(0, 0, width, height)
    recolour(pixels.data, this.tuning, this.table)
    context.putImageData(pixels, 0, 0)
    this.tiles?.set(picture, canvas)
    return canvas
  }
}
