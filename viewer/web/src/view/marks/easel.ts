/*
 * What hands and keys do to marks: drawing, choosing, moving. Places come in pixels of the screen, from the mouse, a pen or a finger; a press
 * that is taken (`down` says so) is not the picture's.
 */
import { reactive } from 'vue'
import type { Book, Mark } from './book'
import { colourOf, nextColour } from './colours'
import { Drawing, DRAGGED } from './drawing'
import { handleAt, hitAmong, isHit } from './hit'
import {
  between,
  frameAt,
  isBox,
  isFrame,
  isFree,
  LEAST,
  measureOf,
  MOST_POINTS,
  moved,
  pointMoved,
  thinned,
  type Kind,
  type Point,
} from './shape'

/** Pixels that a hand may tremble without dragging. */
const STILL = 6
/** Pixels between the points of a line that a hand draws, and how far it may be off. */
const STRIDE = 3
const OFF = 0.7

export interface Place {
  toScreen: (at: Point) => Point
  toSlide: (at: Point) => Point
  /** µm per pixel; 0: no scale. */
  mpp: () => number
  /** The focal plane that is seen, what is drawn lies on. */
  plane: () => number
  /** What is seen of it, drawn last on top. */
  visible: () => Mark[]
}

type Grip =
  | { do: 'draw'; from: Point; begun: boolean }
  | { do: 'point'; index: number; from: Point; points: Point[]; begun: boolean }
  | { do: 'whole'; from: Point; points: Point[]; begun: boolean }

export class Easel {
  readonly state = reactive({
    /** null: choosing and moving. */
    tool: null as Kind | null,
    selected: '',
    /** Of the selected mark; -1: none of its points. */
    point: -1,
    draft: [] as Point[],
    /** The draft may end as it is. */
    enough: false,
    /** Where words are about to stand. */
    writing: null as Point | null,
  })
  private drawing: Drawing | null = null
  private grip: Grip | null = null

  constructor(
    private readonly book: Book,
    private readonly place: Place,
    /** Of what has no class yet. */
    private readonly className: (n: number) => string,
  ) {}

  get selected(): Mark | undefined {
    return this.book.find(this.state.selected)
  }

  /** One's own, and it may be changed. */
  get mine(): Mark | null {
    const mark = this.selected
    return mark?.own && this.book.state.mayWrite ? mark : null
  }

  choose(tool: Kind | null): void {
    this.cancel()
    this.state.tool = tool
    if (tool) this.select(tool === 'count' && this.mine?.kind === 'count' ? this.state.selected : '')
  }

  select(key: string): void {
    this.state.selected = key
    this.state.point = -1
  }

  /* ---- hands ---- */

  /** `precise`: a mouse or a pen. True: the press is not the picture's. */
  down(at: Point, precise: boolean, reach: number): boolean {
    this.grip = null
    const { tool } = this.state
    if (tool) {
      if (precise && DRAGGED.includes(tool) && !this.drawing) this.grip = { do: 'draw', from: at, begun: false }
    } else if (this.mine) this.grip = this.gripOf(this.mine, at, reach)
    return this.grip !== null
  }

  private gripOf(mark: Mark, at: Point, reach: number): Grip | null {
    const points = mark.points.map(this.place.toScreen)
    const index = isFrame(mark.kind) ? -1 : handleAt(points, at, reach + 2)
    const own = mark.points.map(({ x, y }) => ({ x, y }))
    if (index >= 0) return { do: 'point', index, from: at, points: own, begun: false }
    if (!isHit({ kind: mark.kind, points }, at, reach, true)) return null
    return { do: 'whole', from: at, points: own, begun: false }
  }

  move(at: Point): void {
    const { grip } = this
    if (!grip) {
      if (this.drawing) this.hover(at)
      return
    }
    if (!grip.begun && between(grip.from, at) < STILL) return
    if (grip.do === 'draw') this.draw(grip, at)
    else this.drag(grip, at)
    grip.begun = true
  }

  private hover(at: Point): void {
    this.drawing?.hover(this.place.toSlide(at))
    this.show()
  }

  private draw(grip: Grip, at: Point): void {
    if (!grip.begun) this.put(grip.from)
    const placed = this.drawing?.placed
    if (this.state.tool !== 'area' || !placed) return this.hover(at)
    if (between(this.place.toScreen(placed[placed.length - 1]), at) >= STRIDE) this.put(at)
  }

  private drag(grip: Grip, at: Point): void {
    const mark = this.mine
    if (!mark || grip.do === 'draw') return
    const [from, to] = [this.place.toSlide(grip.from), this.place.toSlide(at)]
    if (grip.do === 'whole') return this.book.preview(mark.key, moved(grip.points, to.x - from.x, to.y - from.y))
    this.book.preview(mark.key, pointMoved({ kind: mark.kind, points: grip.points }, grip.index, to))
  }

  /** The press ended; `tapped`: it did not move. */
  up(at: Point, tapped: boolean, reach: number): void {
    const { grip } = this
    this.grip = null
    if (!grip?.begun) {
      if (tapped) this.tap(at, reach)
      return
    }
    if (grip.do === 'draw') return this.lift(at)
    const mark = this.mine
    if (!mark) return
    const points = mark.points
    this.book.preview(mark.key, grip.points)
    this.book.change(mark.key, { points })
  }

  private lift(at: Point): void {
    if (this.state.tool !== 'area') this.put(at)
    if (this.drawing && this.state.tool === 'area') {
      const line = thinned(this.drawing.placed.map(this.place.toScreen), OFF)
      this.drawing.placed.splice(0, MOST_POINTS, ...line.map(this.place.toSlide))
    }
    this.finish()
  }

  /** What was pressed is something else's: two fingers, another window. */
  drop(): void {
    const { grip } = this
    this.grip = null
    if (grip?.do === 'draw' && grip.begun) this.cancel()
    else if (grip?.begun && grip.do !== 'draw' && this.mine) this.book.preview(this.mine.key, grip.points)
  }

  tap(at: Point, reach: number): void {
    const { tool } = this.state
    if (tool === 'count') this.count(this.place.toSlide(at))
    else if (tool === 'text') this.state.writing = this.place.toSlide(at)
    else if (tool && isFrame(tool)) this.frame(tool, this.place.toSlide(at))
    else if (tool) this.next(at, reach)
    else this.pick(at, reach)
  }

  private pick(at: Point, reach: number): void {
    const marks = this.place.visible()
    const onScreen = marks.map(({ kind, points }) => ({ kind, points: points.map(this.place.toScreen) }))
    const hit = hitAmong(onScreen, at, reach)
    this.select(hit < 0 ? '' : marks[hit].key)
    if (hit >= 0 && isFree(marks[hit].kind)) this.state.point = handleAt(onScreen[hit].points, at, reach + 2)
  }

  /** A line or area ends where it began, or with a second press at its last point. */
  private next(at: Point, reach: number): void {
    const placed = (this.drawing?.placed ?? []).map(this.place.toScreen)
    const { tool } = this.state
    const closes = tool === 'area' && placed.length > 2 && between(placed[0], at) <= reach
    const twice = placed.length > 1 && between(placed[placed.length - 1], at) <= reach / 2
    if (closes || (twice && (tool === 'area' || tool === 'polyline'))) this.finish()
    else if (this.put(at)) this.finish()
  }

  private put(at: Point): boolean {
    if (!this.state.tool) return false
    this.drawing ??= new Drawing(this.state.tool, (a, b) => this.upright(a, b))
    const full = this.drawing.place(this.place.toSlide(at))
    this.show()
    return full
  }

  /** Corners of a box that stands upright on the screen, however the picture is turned. */
  private upright(a: Point, b: Point): Point[] {
    const [p, q] = [this.place.toScreen(a), this.place.toScreen(b)]
    return [a, this.place.toSlide({ x: q.x, y: p.y }), b, this.place.toSlide({ x: p.x, y: q.y })]
  }

  private show(): void {
    this.state.draft = this.drawing?.points ?? []
    this.state.enough = this.drawing?.isEnough ?? false
  }

  private get colour(): string {
    return colourOf(this.book.author.id)
  }

  /** The draft becomes a mark, if there is anything of it. */
  finish(): void {
    const { drawing } = this
    if (!drawing?.isEnough) return
    const points = drawing.done
    const { length, area } = measureOf({ kind: drawing.kind, points })
    this.cancel()
    if (isBox(drawing.kind) || drawing.kind === 'area' ? !area : length === 0) return
    const key = this.book.add({ kind: drawing.kind, points, colour: this.colour, text: '', z: this.place.plane() })
    this.state.tool = null
    this.select(key)
  }

  private frame(kind: Kind, at: Point): void {
    const points = frameAt(kind, at, this.place.mpp())
    if (!points) return
    this.select(this.book.add({ kind, points, colour: this.colour, text: '', z: this.place.plane() }))
    this.state.tool = null
    this.state.point = -1
  }

  /** One more of the class that is chosen, or the first of a new class. */
  private count(at: Point): void {
    const mark = this.mine
    if (mark?.kind === 'count') {
      if (mark.points.length < MOST_POINTS) this.book.change(mark.key, { points: [...mark.points, at] })
      this.state.point = mark.points.length - 1
      return
    }
    const used = this.book.state.marks.filter(({ own, kind }) => own && kind === 'count').length
    const colour = nextColour(used, this.book.author.id)
    this.select(
      this.book.add({ kind: 'count', points: [at], colour, text: this.className(used + 1), z: this.place.plane() }),
    )
  }

  write(text: string): void {
    const at = this.state.writing
    this.state.writing = null
    if (!at || !text.trim()) return
    const key = this.book.add({
      kind: 'text',
      points: [at],
      colour: this.colour,
      text: text.trim(),
      z: this.place.plane(),
    })
    this.state.tool = null
    this.select(key)
  }

  /** What is begun goes; true when there was anything. */
  cancel(): boolean {
    const any = this.drawing !== null || this.state.writing !== null
    this.drawing = null
    this.state.writing = null
    this.show()
    return any
  }

  /* ---- keys ---- */

  /** True: it meant something here. */
  key({ key, ctrlKey, metaKey, shiftKey, altKey }: KeyboardEvent): boolean {
    if (altKey) return false
    if (ctrlKey || metaKey) return key.toLowerCase() === 'z' && !shiftKey && this.undo()
    if (key === 'Escape') return this.escape()
    if (key === 'Enter' && this.state.enough) {
      this.finish()
      return true
    }
    return (key === 'Delete' || key === 'Backspace') && this.erase()
  }

  private escape(): boolean {
    if (this.cancel()) return true
    if (this.state.tool) {
      this.choose(null)
      return true
    }
    const any = this.state.selected !== ''
    this.select('')
    return any
  }

  undo(): boolean {
    if (this.drawing) {
      this.back()
      return true
    }
    const key = this.book.undo()
    if (key) this.select(this.book.find(key) ? key : '')
    return key !== null
  }

  private back(): void {
    this.drawing?.back()
    if (this.drawing?.placed.length === 0) this.cancel()
    this.show()
  }

  /** The last point of a draft, the chosen point of a line, or the whole mark. */
  erase(): boolean {
    if (this.drawing) {
      this.back()
      return true
    }
    const mark = this.mine
    if (!mark) return false
    const { point } = this.state
    if (point >= 0 && isFree(mark.kind) && mark.points.length > LEAST[mark.kind]) {
      this.book.change(mark.key, { points: mark.points.filter((_at, i) => i !== point) })
      this.state.point = mark.kind === 'count' ? mark.points.length - 1 : -1
    } else {
      this.book.remove(mark.key)
      this.select('')
    }
    return true
  }
}
