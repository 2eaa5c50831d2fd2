/* One page's pictures: the last one of the whole page, and of a large one what is looked at. Drawn at exactly the size on screen. */
import { covers, pieceOf, type Box, type Sheet } from './column'
import type { Drawing, PdfPages } from './pages'

interface Piece {
  canvas: HTMLCanvasElement
  /** Of the page, when it was drawn. */
  size: Sheet
  rotation: number
  box: Box
}

export class Print {
  private whole: Piece | null = null
  private part: Piece | null = null
  private drawing: (Omit<Piece, 'canvas'> & { drawing: Drawing }) | null = null

  /** `ready`: something came, draw again; `fail`: it cannot be drawn. */
  constructor(
    private readonly pages: PdfPages,
    readonly page: number,
    private readonly ready: () => void,
    private readonly fail: () => void,
  ) {}

  get blank(): boolean {
    return !this.whole && !this.part
  }

  /** Is what is seen there as sharp as it gets? */
  sharp(size: Sheet, rotation: number, seen: Box): boolean {
    return [this.whole, this.part].some((piece) => piece && fits(piece, size, rotation, seen))
  }

  /** Has `seen` of the page drawn, unless it is or is being drawn. */
  want(size: Sheet, rotation: number, seen: Box, view: Sheet): void {
    if (this.sharp(size, rotation, seen)) return
    if (this.drawing && fits(this.drawing, size, rotation, seen)) return
    this.stop()
    const box = pieceOf(size, seen, view)
    const drawing = this.pages.draw(this.page, size.width, rotation, box)
    if (!drawing) return
    const now = (this.drawing = { size, rotation, box, drawing })
    drawing.done.then(
      () => {
        if (this.drawing === now) this.take(now)
      },
      () => {
        if (this.drawing !== now) return
        this.drawing = null
        this.fail()
      },
    )
  }

  private take({ size, rotation, box, drawing }: NonNullable<Print['drawing']>): void {
    this.drawing = null
    const piece = { canvas: drawing.canvas, size, rotation, box }
    const all = box.width >= size.width && box.height >= size.height
    if (all) {
      release(this.whole)
      this.whole = piece
    }
    release(this.part)
    this.part = all ? null : piece
    this.ready()
  }

  /** Puts on screen what there is; what is of another size is stretched until its own has come. */
  paint(context: CanvasRenderingContext2D, at: Box, rotation: number): void {
    for (const piece of [this.whole, this.part]) {
      if (!piece || piece.rotation !== rotation) continue
      const x = at.width / piece.size.width
      const y = at.height / piece.size.height
      const { left, top, width, height } = piece.box
      context.drawImage(piece.canvas, at.left + left * x, at.top + top * y, width * x, height * y)
    }
  }

  stop(): void {
    this.drawing?.drawing.cancel()
    this.drawing = null
  }

  close(): void {
    this.stop()
    release(this.whole)
    release(this.part)
    this.whole = this.part = null
  }
}

const fits = (piece: Omit<Piece, 'canvas'>, size: Sheet, rotation: number, seen: Box) =>
  piece.size.width === size.width &&
  piece.size.height === size.height &&
  piece.rotation === rotation &&
  covers(piece.box, seen)

/** Some browsers keep a canvas's memory until much later. */
function release(piece: Piece | null): void {
  if (piece) piece.canvas.width = piece.canvas.height = 0
}
