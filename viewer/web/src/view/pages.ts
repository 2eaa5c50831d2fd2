/* Pages of a PDF as pictures, through pdf.js. One document at a time; the library is loaded when first needed. */
import workerUrl from 'pdfjs-dist/legacy/build/pdf.worker.min.mjs?url'

const PIXELS = 3200

export interface PagePicture {
  url: string
  /** Points of the page per pixel of the picture. */
  unit: number
}

export class PdfPages {
  private constructor(private readonly document: import('pdfjs-dist').PDFDocumentProxy) {}

  static async open(url: string): Promise<PdfPages> {
    const pdf = await import('pdfjs-dist/legacy/build/pdf.mjs')
    pdf.GlobalWorkerOptions.workerSrc = workerUrl
    const base = `${location.origin}/pdfjs/`
    const task = pdf.getDocument({ url, cMapUrl: `${base}cmaps/`, cMapPacked: true, standardFontDataUrl: `${base}standard_fonts/`, isEvalSupported: false, withCredentials: true })
    return new PdfPages(await task.promise)
  }

  get count(): number {
    return this.document.numPages
  }

  /** The caller revokes the URL. */
  async picture(number: number): Promise<PagePicture> {
    const page = await this.document.getPage(Math.min(Math.max(1, number), this.count))
    const natural = page.getViewport({ scale: 1 })
    const scale = PIXELS / Math.max(natural.width, natural.height)
    const viewport = page.getViewport({ scale })
    const canvas = document.createElement('canvas')
    canvas.width = Math.round(viewport.width)
    canvas.height = Math.round(viewport.height)
    const canvasContext = canvas.getContext('2d')
    if (!canvasContext) throw new Error('no canvas')
    await page.render({ canvasContext, viewport, background: '#fff' }).promise
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
    if (!blob) throw new Error('no picture')
    return { url: URL.createObjectURL(blob), unit: natural.width / canvas.width }
  }

  async close(): Promise<void> {
    await this.document.destroy()
  }
}
