/* Pages of a PDF as zoomable pictures, through pdf.js: each zoom level is drawn when it is first looked at. The library is loaded when first needed. */
import OpenSeadragon from 'openseadragon'
import workerUrl from 'pdfjs-dist/legacy/build/pdf.worker.min.mjs?url'

/** Longer side of the sharpest drawing, and how often it is halved. */
const PIXELS = 3584
const HALVINGS = 3

export interface PagePicture {
  source: OpenSeadragon.TileSource
  /** Points of the page per pixel of the picture. */
  unit: number
}

type Page = import('pdfjs-dist').PDFPageProxy
type Job = {
  tile: { level: number }
  userData: { task?: { cancel(): void } }
  finish(data: unknown, request: unknown, error?: string): void
}

let serial = 0

function drawPage(page: Page, scale: number): { canvas: HTMLCanvasElement; task: import('pdfjs-dist').RenderTask } {
  const viewport = page.getViewport({ scale })
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(viewport.width))
  canvas.height = Math.max(1, Math.round(viewport.height))
  const canvasContext = canvas.getContext('2d')
  if (!canvasContext) throw new Error('no canvas')
  return { canvas, task: page.render({ canvasContext, viewport, background: '#fff' }) }
}

/** One tile per level: the whole page. */
function pageSource(page: Page, scale: number): OpenSeadragon.TileSource {
  const { width, height } = page.getViewport({ scale })
  const side = Math.ceil(Math.max(width, height))
  const top = Math.ceil(Math.log2(side))
  const name = `page:${++serial}`
  const source = new OpenSeadragon.TileSource({
    width: Math.round(width),
    height: Math.round(height),
    tileSize: side,
    tileOverlap: 0,
    minLevel: top - HALVINGS,
    maxLevel: top,
  } as never)
  return Object.assign(source, {
    getTileUrl: (level: number) => `${name}/${level}`,
    downloadTileStart(job: Job) {
      const { canvas, task } = drawPage(page, scale / 2 ** (top - job.tile.level))
      job.userData.task = task
      task.promise.then(
        () => job.finish(canvas, null),
        (error: unknown) => job.finish(null, null, String(error)),
      )
    },
    downloadTileAbort: (job: Job) => job.userData.task?.cancel(),
  })
}

export class PdfPages {
  private constructor(private readonly document: import('pdfjs-dist').PDFDocumentProxy) {}

  static async open(url: string): Promise<PdfPages> {
    const pdf = await import('pdfjs-dist/legacy/build/pdf.mjs')
    pdf.GlobalWorkerOptions.workerSrc = workerUrl
    const base = `${location.origin}/pdfjs/`
    const task = pdf.getDocument({
      url,
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

  async picture(number: number): Promise<PagePicture> {
    const page = await this.document.getPage(Math.min(Math.max(1, number), this.count))
    const natural = page.getViewport({ scale: 1 })
    const scale = PIXELS / Math.max(natural.width, natural.height)
    return { source: pageSource(page, scale), unit: natural.width / Math.round(natural.width * scale) }
  }

  async close(): Promise<void> {
    await this.document.destroy()
  }
}
