/* The pages of a PDF through pdf.js: their sizes, their pictures at any size, their text. The library is loaded when first needed. */
import type { PDFDocumentProxy, PDFPageProxy, RenderTask } from 'pdfjs-dist'
import workerUrl from 'pdfjs-dist/legacy/build/pdf.worker.min.mjs?url'
import type { Box, Sheet } from './column'
import type { Run } from './find'

export interface Drawing {
  canvas: HTMLCanvasElement
  done: Promise<unknown>
  cancel(): void
}

/** A canvas with the part `piece` of a page that is `width` pixels wide as it stands on screen. */
function drawing(page: PDFPageProxy, width: number, rotation: number, piece: Box): Drawing {
  const turned = (page.rotate + rotation) % 360
  const scale = width / page.getViewport({ scale: 1, rotation: turned }).width
  const viewport = page.getViewport({ scale, rotation: turned, offsetX: -piece.left, offsetY: -piece.top })
  const canvas = document.createElement('canvas')
  canvas.width = piece.width
  canvas.height = piece.height
  const canvasContext = canvas.getContext('2d', { alpha: false })
  if (!canvasContext) throw new Error('no canvas')
  const task: RenderTask = page.render({ canvasContext, viewport, background: '#fff' })
  return { canvas, done: task.promise, cancel: () => task.cancel() }
}

/** Two transformations, the second one first. */
function product(m: number[], n: number[]): [number, number, number, number, number, number] {
  const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = m
  const [u = 1, v = 0, w = 0, x = 1, y = 0, z = 0] = n
  return [a * u + c * v, b * u + d * v, a * w + c * x, b * w + d * x, a * y + c * z + e, b * y + d * z + f]
}

async function runsOf(page: PDFPageProxy): Promise<Run[]> {
  const { transform } = page.getViewport({ scale: 1 })
  const runs: Run[] = []
  for (const item of (await page.getTextContent()).items) {
    if (!('str' in item) || !item.str) continue
    const [a, b, c, d, x, y] = product(transform, item.transform as number[])
    const size = Math.hypot(a, b) || 1
    runs.push({
      text: item.str,
      x,
      y,
      along: { x: (a / size) * item.width, y: (b / size) * item.width },
      up: { x: c, y: d },
    })
  }
  return runs
}

async function library() {
  const pdf = await import('pdfjs-dist/legacy/build/pdf.mjs')
  pdf.GlobalWorkerOptions.workerSrc = workerUrl
  return { pdf, worker: new pdf.PDFWorker() }
}
let loaded: ReturnType<typeof library> | null = null

/** The library and its worker: once for all documents of this tab. May be called before one is opened, so that it need not wait. */
export function readyToRead(): ReturnType<typeof library> {
  loaded ??= library().catch((error: unknown) => {
    loaded = null
    throw error
  })
  return loaded
}

export class PdfPages {
  private readonly pages = new Map<number, PDFPageProxy>()
  private readonly loading = new Map<number, Promise<void>>()
  private readonly texts = new Map<number, Promise<Run[]>>()

  private constructor(private readonly document: PDFDocumentProxy) {}

  static async open(url: string): Promise<PdfPages> {
    const { pdf, worker } = await readyToRead()
    const base = `${location.origin}/pdfjs/`
    const task = pdf.getDocument({
      url,
      worker,
      cMapUrl: `${base}cmaps/`,
      cMapPacked: true,
      standardFontDataUrl: `${base}standard_fonts/`,
      isEvalSupported: false,
      withCredentials: true,
    })
    return new PdfPages(await task.promise)
  }

  get count(): number {
    return this.document.numPages
  }

  within(page: number): number {
    return Math.min(Math.max(1, Math.round(page) || 1), this.count)
  }

  has(page: number): boolean {
    return this.pages.has(page)
  }

  /** Its size can be asked for and it can be drawn afterwards. */
  load(page: number): Promise<void> {
    const loading = this.loading.get(page) ?? this.document.getPage(page).then((got) => void this.pages.set(page, got))
    this.loading.set(page, loading)
    // what failed is asked for again the next time
    loading.catch(() => this.loading.delete(page))
    return loading
  }

  /** In points. Of a page that is not loaded: as large as the first that is, since most documents have one size. */
  sheet(page: number): Sheet {
    const known = this.pages.get(page) ?? this.pages.values().next().value
    if (!known) return { width: 595, height: 842 }
    const { width, height } = known.getViewport({ scale: 1 })
    return { width, height }
  }

  draw(page: number, width: number, rotation: number, piece: Box): Drawing | null {
    const loaded = this.pages.get(page)
    return loaded ? drawing(loaded, width, rotation, piece) : null
  }

  text(page: number): Promise<Run[]> {
    const text = this.texts.get(page) ?? this.load(page).then(() => runsOf(this.pages.get(page) as PDFPageProxy))
    this.texts.set(page, text)
    text.catch(() => this.texts.delete(page))
    return text
  }

  async close(): Promise<void> {
    await this.document.destroy()
  }
}
