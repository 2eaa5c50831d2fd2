/* Looks for a word in a document, page after page from the one on screen; what is found is there at once. */
import { reactive } from 'vue'
import { hitsOf, type Hit, type Reach, type Run } from './find'

export interface Texts {
  readonly count: number
  text(page: number): Promise<Run[]>
}

export class Search {
  readonly state = reactive({
    /** How many there are so far, and which one is looked at (1…). */
    hits: 0,
    current: 0,
    busy: false,
    /** Nothing in the document can be searched: its pages are pictures. */
    wordless: false,
  })
  private hits: Hit[] = []
  private turn = 0

  /** `show`: all that was found, and the one that is looked at. */
  constructor(
    private readonly show: (hits: Hit[], hit: Hit | null) => void,
    private readonly reach: Reach,
  ) {}

  async look(texts: Texts, text: string, from: number): Promise<void> {
    const turn = ++this.turn
    this.hits = []
    Object.assign(this.state, { hits: 0, current: 0, busy: text.trim() !== '', wordless: false })
    this.show([], null)
    if (!this.state.busy) return
    let words = false
    for (let i = 0; i < texts.count; i++) {
      const page = ((from - 1 + i) % texts.count) + 1
      const runs = await texts.text(page).catch(() => [])
      if (turn !== this.turn) return
      words ||= runs.some((run) => run.text.trim() !== '')
      this.add(hitsOf(page, runs, text, this.reach))
    }
    this.state.busy = false
    this.state.wordless = !words
  }

  /** The next one (1) or the one before (-1), around the end. */
  go(by: 1 | -1): void {
    const { hits } = this
    if (!hits.length) return
    this.state.current = ((this.state.current - 1 + by + hits.length) % hits.length) + 1
    this.show(hits, hits[this.state.current - 1] ?? null)
  }

  stop(): void {
    this.turn++
    this.hits = []
    Object.assign(this.state, { hits: 0, current: 0, busy: false, wordless: false })
    this.show([], null)
  }

  private add(found: Hit[]): void {
    if (!found.length) return
    const looked = this.hits[this.state.current - 1] ?? found[0] ?? null
    // in the order of the pages, wherever the search began
    this.hits = [...this.hits, ...found].sort((a, b) => a.page - b.page)
    this.state.hits = this.hits.length
    this.state.current = looked ? this.hits.indexOf(looked) + 1 : 0
    this.show(this.hits, looked)
  }
}

let measure: CanvasRenderingContext2D | null = null
/** By the widths of letters in the system's own font: near enough for a mark. */
export const reachOnScreen: Reach = (text, n) => {
  measure ??= document.createElement('canvas').getContext('2d')
  if (!measure) return n / text.length
  measure.font = '20px sans-serif'
  return measure.measureText(text.slice(0, n)).width / (measure.measureText(text).width || 1)
}
