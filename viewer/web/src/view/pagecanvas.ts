/*
 * A document on a canvas: its pages one below the other, each drawn at the size that it has on screen, in device pixels.
 * The same few words as `canvas.ts` has for slides and images, so that the shared view need not know which one it is; places are points of a page.
 */
import {
  confined,
  fromMiddle,
  moved,
  onGrid,
  pagesAround,
  rightAngle,
  seenOf,
  settle,
  toPage,
  turn,
  upright,
  WHOLE_PIXELS,
  zoomed,
  type Box,
  type Column,
  type Place,
  type Sheet,
} from './column'
import type { Hit } from './find'
import { followScale, regionOf } from './geometry'
import { Hands } from './hands'
import type { Region } from './link'
import type { PdfPages } from './pages'
import { Print } from './print'

/** While a hand is zooming, no size in between is drawn. */
const SETTLE_MS = 80
/** CSS pixels per point: the nearest that hands come, and the size in which a page that is not wide opens at most. */
const NEAREST = 10
const OPENS_AT_MOST = 1.6
/** Beside a page whose width is fitted. */
const BESIDE_PX = 8

export class PageCanvas {
  onChange: () => void = () => undefined
  onOpen: () => void = () => undefined
  onResize: () => void = () => undefined
  onFail: () => void = () => undefined
  onSharp: (sharp: boolean) => void = () => undefined
  onUserMove: () => void = () => undefined
  /** Another page came to the middle of the screen. */
  onPage: (page: number) => void = () => undefined

  private readonly canvas = document.createElement('canvas')
  private readonly context = this.canvas.getContext('2d') as CanvasRenderingContext2D
  private readonly hands: Hands
  private readonly observer: ResizeObserver
  private view: Sheet = { width: 0, height: 0 }
  private pixels: Sheet = { width: 0, height: 0 }
  private pages: PdfPages | null = null
  private column: Column = { count: 1, sheet: () => ({ width: 595, height: 842 }) }
  private place: Place = { page: 1, cx: 0, cy: 0, scale: 1, rotation: 0 }
  /** What is to be shown as soon as its page's size is known. */
  private coming: { page: number; then: () => void } | null = null
  private readonly prints = new Map<number, Print>()
  private hits: Hit[] = []
  private hit: Hit | null = null
  private fitted: (() => void) | null = null
  private frame = 0
  private dirty = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private drawnWidth = 0
  private movable = true

  constructor(private readonly element: HTMLElement) {
    this.canvas.style.cssText = 'position:absolute;left:0;top:0;display:block;outline:none'
    this.canvas.tabIndex = 0
    element.append(this.canvas)
    this.hands = new Hands(this.canvas, {
      scroll: (dx, dy) => this.byHand(() => this.scrollBy(dx, dy)),
      zoom: (factor, x, y) => this.byHand(() => this.zoomAt(factor, x - this.view.width / 2, y - this.view.height / 2)),
    })
    this.observer = new ResizeObserver(() => this.resized())
    this.observer.observe(element)
    this.watchRatio()
  }

  async open(pages: PdfPages, page: number): Promise<void> {
    await pages.load(pages.within(page))
    this.forget()
    this.pages = pages
    this.column = { count: pages.count, sheet: (number) => pages.sheet(number) }
    this.place = { page: pages.within(page), cx: 0, cy: 0, scale: 1, rotation: 0 }
    this.measure()
    this.start()
    this.onOpen()
  }

  /** The page in the middle of the screen, or the one on its way there. */
  get page(): number {
    return this.coming?.page ?? this.place.page
  }

  get isOpen(): boolean {
    return this.pages !== null
  }

  size(): { width: number; height: number } {
    return this.view
  }

  extent(): { width: number; height: number } {
    return this.column.sheet(this.place.page)
  }

  scale(): number {
    return this.place.scale
  }

  region(): Region {
    const { cx, cy, scale, rotation } = this.place
    return regionOf({ x: cx, y: cy }, scale, this.view.width, this.view.height, rotation)
  }

  /** Whatever region a presenter shows, a follower shows. */
  show(region: Region & { page?: number }): void {
    if (!this.pages || !this.view.width || !this.view.height) return
    this.onPageLoaded(region.page ?? this.place.page, () => {
      this.fitted = null
      const scale = followScale(region, this.view.width, this.view.height)
      const { cx, cy } = region
      const page = this.pages?.within(region.page ?? this.place.page) ?? 1
      this.put({ page, cx, cy, scale, rotation: rightAngle(region.rotation) })
    })
  }

  toElement(x: number, y: number): { x: number; y: number } {
    const { cx, cy, scale, rotation } = this.place
    const from = turn({ x: (x - cx) / scale, y: (y - cy) / scale }, rotation)
    return { x: this.view.width / 2 + from.x, y: this.view.height / 2 + from.y }
  }

  toPicture(x: number, y: number): { x: number; y: number } {
    const { cx, cy, scale, rotation } = this.place
    const from = turn({ x: x - this.view.width / 2, y: y - this.view.height / 2 }, 360 - rotation)
    return { x: cx + from.x * scale, y: cy + from.y * scale }
  }

  setMovable(movable: boolean): void {
    this.movable = movable
    this.hands.enabled = movable
  }

  /** The beginning of another page. */
  goTo(page: number): void {
    this.onPageLoaded(page, () => this.toTop(this.pages?.within(page) ?? 1))
  }

  scrollBy(dx: number, dy: number): void {
    this.put(confined(moved(this.place, dx, dy, this.column), this.view, this.column))
  }

  /** By almost a screen, so that no line is missed. */
  screens(count: number): void {
    this.scrollBy(0, count * Math.max(40, this.view.height * 0.9))
  }

  end(last: boolean): void {
    if (!last) return this.goTo(1)
    this.onPageLoaded(this.column.count, () => {
      this.toTop(this.column.count)
      this.scrollBy(0, 1e6)
    })
  }

  centre(x: number, y: number): void {
    this.put(confined({ ...this.place, cx: x, cy: y }, this.view, this.column))
  }

  zoomBy(factor: number): void {
    this.zoomAt(factor, 0, 0)
  }

  /** The whole page. */
  fit(): void {
    this.fitTo(() => {
      const { width, height } = upright(this.column.sheet(this.place.page), this.place.rotation)
      return Math.max(width / this.view.width, height / this.view.height)
    })
    const { width, height } = this.column.sheet(this.place.page)
    this.centre(width / 2, height / 2)
  }

  fitWidth(): void {
    this.fitTo(() => this.widthScale())
  }

  turn(): void {
    this.prints.forEach((print) => print.stop())
    this.put(confined({ ...this.place, rotation: rightAngle(this.place.rotation + 90) }, this.view, this.column))
    this.fitted?.()
  }

  /** Marks what was found, and brings the one that is looked at onto the screen. */
  mark(hits: Hit[], hit: Hit | null): void {
    this.hits = hits
    const before = this.hit
    this.hit = hit
    const at = hit?.marks[0]?.[0]
    if (hit && at && hit !== before)
      this.onPageLoaded(hit.page, () => {
        if (this.sees(at, hit.page)) return
        const there = { ...this.place, page: hit.page, cx: at.x, cy: at.y }
        this.put(confined(there, this.view, this.column))
      })
    this.redraw()
  }

  /** Nothing is on screen until the next document is open. */
  clear(): void {
    this.forget()
    this.pages = null
    this.redraw()
  }

  close(): void {
    this.forget()
    this.pages = null
    this.observer.disconnect()
    cancelAnimationFrame(this.frame)
    this.stopWatching()
    this.canvas.remove()
  }

  private byHand(act: () => void): void {
    if (!this.movable || !this.pages) return
    this.onUserMove()
    act()
  }

  private forget(): void {
    clearTimeout(this.timer)
    this.coming = null
    this.prints.forEach((print) => print.close())
    this.prints.clear()
    this.hits = []
    this.hit = null
    this.fitted = null
  }

  private onPageLoaded(number: number, then: () => void): void {
    const { pages } = this
    if (!pages) return
    const page = pages.within(number)
    if (pages.has(page)) {
      this.coming = null
      return then()
    }
    const coming = (this.coming = { page, then })
    pages.load(page).then(
      () => {
        if (this.coming !== coming) return
        this.coming = null
        then()
      },
      () => this.coming === coming && this.onFail(),
    )
  }

  private widthScale(): number {
    const { width } = upright(this.column.sheet(this.place.page), this.place.rotation)
    return width / Math.max(1, this.view.width - 2 * BESIDE_PX)
  }

  /** How a document opens: to be read from its top, as wide as the screen; a wide page (a presentation) as a whole. */
  private start(): void {
    const { width, height } = this.column.sheet(this.place.page)
    if (width > height) return this.fit()
    this.fitTo(() => Math.max(this.widthScale(), 1 / OPENS_AT_MOST))
    this.toTop(this.place.page)
  }

  private fitTo(scaleOf: () => number): void {
    const fit = () => {
      if (!this.view.width || !this.view.height) return
      this.put(confined(zoomed(this.place, scaleOf(), 0, 0, this.column), this.view, this.column))
    }
    fit()
    this.fitted = fit
  }

  private toTop(page: number): void {
    const sheet = this.column.sheet(page)
    const { rotation, scale } = this.place
    const { height } = upright(sheet, rotation)
    const middle = fromMiddle(this.column.sheet(this.place.page), { x: this.place.cx, y: this.place.cy }, rotation)
    const point = toPage(sheet, { x: middle.x, y: (this.view.height * scale - height) / 2 }, rotation)
    // page by page down from its own first line, which stands at the top of the screen
    this.put(confined(settle({ ...this.place, page, cx: point.x, cy: point.y }, this.column), this.view, this.column))
  }

  private zoomAt(factor: number, x: number, y: number): void {
    const { width, height } = upright(this.column.sheet(this.place.page), this.place.rotation)
    const farthest = 2 * Math.max(width / this.view.width, height / this.view.height)
    const scale = Math.min(farthest, Math.max(1 / NEAREST, this.place.scale / factor))
    this.fitted = null
    this.put(confined(zoomed(this.place, scale, x, y, this.column), this.view, this.column))
  }

  private sees(point: { x: number; y: number }, page: number): boolean {
    const box = pagesAround(this.place, this.view, this.column).find((one) => one.page === page)
    if (!box) return false
    const sheet = this.column.sheet(page)
    const { x, y } = fromMiddle(sheet, point, this.place.rotation)
    const at = {
      x: box.left + box.width / 2 + x / this.place.scale,
      y: box.top + box.height / 2 + y / this.place.scale,
    }
    return at.x > 20 && at.y > 60 && at.x < this.view.width - 60 && at.y < this.view.height - 60
  }

  private put(place: Place): void {
    const before = this.place
    this.place = place
    this.dirty = true
    if (before.page !== place.page) this.onPage(place.page)
    this.redraw()
  }

  private redraw(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0
      this.draw()
    })
  }

  private stopWatching: () => void = () => undefined
  /** The same window on another screen, or the browser's own zoom: other pixels. */
  private watchRatio(): void {
    this.stopWatching()
    const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`)
    const changed = () => {
      this.watchRatio()
      this.resized()
    }
    query.addEventListener('change', changed)
    this.stopWatching = () => query.removeEventListener('change', changed)
  }

  private measure(): void {
    const { clientWidth: width, clientHeight: height } = this.element
    this.view = { width, height }
    const ratio = devicePixelRatio || 1
    this.pixels = { width: Math.round(width * ratio), height: Math.round(height * ratio) }
    this.canvas.style.width = `${this.pixels.width / ratio}px`
    this.canvas.style.height = `${this.pixels.height / ratio}px`
  }

  private resized(): void {
    this.measure()
    if (!this.pages) return
    if (this.fitted) this.fitted()
    else if (this.movable) this.put(confined(this.place, this.view, this.column))
    this.onResize()
    this.dirty = true
    this.redraw()
  }

  private printOf(page: number): Print {
    const known = this.prints.get(page)
    if (known) return known
    const print = new Print(
      this.pages as PdfPages,
      page,
      () => this.redraw(),
      () => this.onFail(),
    )
    this.prints.set(page, print)
    return print
  }

  private draw(): void {
    const { canvas, context, pixels, place, view } = this
    // setting a size clears, also the one that it has
    if (canvas.width !== pixels.width || canvas.height !== pixels.height) Object.assign(canvas, pixels)
    else context.clearRect(0, 0, pixels.width, pixels.height)
    if (!this.pages || !view.width || !view.height) return
    const ratio = devicePixelRatio || 1
    const near = pagesAround(place, view, this.column, view.height / 2)
    for (const page of this.prints.keys())
      if (!near.some((one) => one.page === page)) {
        this.prints.get(page)?.close()
        this.prints.delete(page)
      }
    let sharp = true
    for (const { page, ...css } of near) {
      const box = onGrid(css, ratio)
      const seen = seenOf(box, pixels)
      if (seen) {
        this.paint(page, box)
        sharp &&= this.pages.has(page) && this.printOf(page).sharp(box, place.rotation, seen)
      }
    }
    this.onSharp(sharp)
    this.order(near, ratio)
    if (!this.dirty) return
    this.dirty = false
    this.onChange()
  }

  private paint(page: number, box: Box): void {
    const { context } = this
    context.fillStyle = '#fff'
    context.fillRect(box.left, box.top, box.width, box.height)
    this.prints.get(page)?.paint(context, box, this.place.rotation)
    const marked = this.hits.filter((hit) => hit.page === page)
    if (!marked.length) return
    const sheet = this.column.sheet(page)
    const scale = box.width / upright(sheet, this.place.rotation).width
    context.save()
    context.globalCompositeOperation = 'multiply'
    for (const hit of marked) {
      context.fillStyle = hit === this.hit ? '#ffb340' : '#ffef8a'
      for (const mark of hit.marks) {
        context.beginPath()
        for (const corner of mark) {
          const { x, y } = fromMiddle(sheet, corner, this.place.rotation)
          context.lineTo(box.left + box.width / 2 + x * scale, box.top + box.height / 2 + y * scale)
        }
        context.fill()
      }
    }
    context.restore()
  }

  /** Has what is on screen drawn, and then what is just outside it; a size that a hand is still changing only when it rests. */
  private order(near: ({ page: number } & Box)[], ratio: number): void {
    const width = this.place.scale
    const resting = width === this.drawnWidth || near.every(({ page }) => this.prints.get(page)?.blank ?? true)
    this.drawnWidth = width
    clearTimeout(this.timer)
    if (resting) this.orderNow(near, ratio)
    else this.timer = setTimeout(() => this.orderNow(near, ratio), SETTLE_MS)
  }

  private orderNow(near: ({ page: number } & Box)[], ratio: number): void {
    const { pages, pixels, place } = this
    if (!pages) return
    const seenFirst = near.map(({ page, ...css }) => {
      const box = onGrid(css, ratio)
      return { page, box, seen: seenOf(box, pixels) }
    })
    const allSharp = seenFirst.every(
      ({ page, box, seen }) => !seen || this.printOf(page).sharp(box, place.rotation, seen),
    )
    for (const { page, box, seen } of seenFirst) {
      // the neighbours wait, so that what is looked at does not wait for them
      const ahead = allSharp && box.width * box.height <= WHOLE_PIXELS ? { ...box, left: 0, top: 0 } : null
      const part = seen ?? ahead
      if (!part) continue
      if (pages.has(page)) this.printOf(page).want(box, place.rotation, part, pixels)
      else
        pages.load(page).then(
          () => this.redraw(),
          () => this.onFail(),
        )
    }
  }
}
