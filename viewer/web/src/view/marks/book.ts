/*
 * The marks of one file: as the server has them, and what of one's own is not there yet. What is drawn goes to the server at once; what a
 * broken network refused is sent again until it has arrived, also when the file was closed meanwhile. It stays in this page's memory: words
 * about a patient are kept nowhere else on a device.
 */
import { reactive } from 'vue'
import { api } from '@/api/client'
import { Problem } from '@/api/problem'
import type { Calibration } from '../lens/optics'
import { rounded, type Kind, type Point } from './shape'

export interface Look {
  kind: Kind
  points: Point[]
  colour: string
  text: string
  z: number
}

export interface Mark extends Look {
  /** The page's own name of it: before the server has one, too. */
  key: string
  author: { id: string; name: string }
  own: boolean
}

/** As the server writes it. */
export interface SentMark {
  id: string
  client: string
  kind: Kind
  points: [number, number][]
  colour: string
  text: string
  z: number
  revision: number
  own: boolean
  author: { id: string; name: string }
}

export interface MarksAnswer {
  may_write: boolean
  marks: SentMark[]
  calibration?: Calibration | null
}

/** What the server has of a mark of one's own; revision 0: never any. */
interface Stored {
  id: string
  revision: number
  look: string
}

interface Step {
  key: string
  before: Look | null
  after: Look | null
}

const POLL_MS = 4000
const AGAIN_MS = 3000
const STEPS = 100

/* What the network or a restart broke heals by itself. */
const isPassing = (error: unknown) =>
  !(error instanceof Problem) || error.status === 0 || error.status >= 500 || error.status === 429

export const lookOf = ({ kind, points, colour, text, z }: Look): Look => ({
  kind,
  points: points.map(({ x, y }) => ({ x, y })),
  colour,
  text,
  z,
})
const textOf = (look: Look | null) => (look ? JSON.stringify(lookOf({ ...look, points: rounded(look.points) })) : '')
const bodyOf = (look: Look) => ({ ...look, points: rounded(look.points).map(({ x, y }) => [x, y]) })
const markOf = (sent: SentMark): Mark => ({
  key: sent.own ? sent.client : sent.id,
  kind: sent.kind,
  points: sent.points.map(([x, y]) => ({ x, y })),
  colour: sent.colour,
  text: sent.text,
  z: sent.z,
  author: sent.author,
  own: sent.own,
})

export class Book {
  readonly state = reactive({
    loaded: false,
    mayWrite: false,
    marks: [] as Mark[],
    /** How many of one's own the server does not have as they are. */
    unsaved: 0,
    failing: false,
    mayUndo: false,
    /** What somebody measured of the slide, as far as the server said. */
    calibration: undefined as Calibration | null | undefined,
  })
  /** Something of one's own could not be kept; the reason. */
  onRefused: (error: unknown) => void = () => undefined
  private readonly stored = new Map<string, Stored>()
  private readonly steps: Step[] = []
  private etag = ''
  private saving: Promise<void> | null = null
  private saves = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private again: ReturnType<typeof setTimeout> | undefined
  private readers = 0

  constructor(
    readonly file: string,
    readonly author: { id: string; name: string },
  ) {}

  private get path(): string {
    return `/api/v1/files/${this.file}/marks`
  }

  /* ---- reading ---- */

  open(): void {
    if (this.readers++ === 0) void this.poll()
  }

  close(): void {
    if (--this.readers === 0) clearTimeout(this.timer)
  }

  get isOpen(): boolean {
    return this.readers > 0
  }

  private async poll(): Promise<void> {
    clearTimeout(this.timer)
    try {
      if (!document.hidden) await this.refresh()
    } catch {
      // asked again
    }
    clearTimeout(this.timer)
    if (this.readers > 0) this.timer = setTimeout(() => void this.poll(), POLL_MS)
  }

  /** What others drew meanwhile. An answer that was on its way while something of one's own was saved is old. */
  async refresh(): Promise<void> {
    const saves = this.saves
    const found = await api.fresh<MarksAnswer>(this.path, this.etag)
    if (!found || this.saving || saves !== this.saves) return
    this.etag = found.etag
    this.adopt(found.value)
  }

  private adopt(answer: MarksAnswer): void {
    const waiting = this.state.marks.filter((mark) => this.isDirty(mark.key))
    const gone = [...this.stored.keys()].filter((key) => this.isDirty(key) && !this.find(key))
    const marks = answer.marks.map(markOf)
    this.state.mayWrite = answer.may_write
    this.state.calibration = answer.calibration
    for (const sent of answer.marks) if (sent.own && !this.isDirty(sent.client)) this.remember(sent)
    const kept = marks
      .filter(({ key }) => !gone.includes(key))
      .map((mark) => waiting.find(({ key }) => key === mark.key) ?? mark)
    const fresh = waiting.filter(({ key }) => !kept.some((mark) => mark.key === key))
    this.state.marks = [...kept, ...fresh]
    this.state.loaded = true
  }

  /** The server's name of a mark; '' before it has one. */
  idOf({ key, own }: Pick<Mark, 'key' | 'own'>): string {
    return own ? (this.stored.get(key)?.id ?? '') : key
  }

  private remember(sent: SentMark): void {
    this.stored.set(sent.client, { id: sent.id, revision: sent.revision, look: textOf(markOf(sent)) })
  }

  /* ---- drawing ---- */

  find(key: string): Mark | undefined {
    return this.state.marks.find((mark) => mark.key === key)
  }

  /** Its key. */
  add(look: Look): string {
    const key = newKey()
    this.step({ key, before: null, after: lookOf(look) })
    return key
  }

  /** A further change of the same mark within a moment, such as typing, is undone with the one before (`joined`). */
  change(key: string, change: Partial<Look>, joined = false): void {
    const mark = this.find(key)
    if (!mark?.own) return
    const before = lookOf(mark)
    const after = { ...before, ...change }
    const last = this.steps.at(-1)
    if (textOf(before) === textOf(after)) return
    if (joined && last?.key === key && last.before && last.after) {
      this.steps.pop()
      this.step({ key, before: last.before, after })
    } else this.step({ key, before, after })
  }

  remove(key: string): void {
    const mark = this.find(key)
    if (mark?.own) this.step({ key, before: lookOf(mark), after: null })
  }

  /** While it is being dragged: seen, not yet sent. */
  preview(key: string, points: Point[]): void {
    const mark = this.find(key)
    if (mark?.own) mark.points = points
  }

  /** What was changed last is as it was; its key. */
  undo(): string | null {
    const step = this.steps.pop()
    if (!step) return null
    this.set(step.key, step.before)
    this.state.mayUndo = this.steps.length > 0
    return step.key
  }

  private step(step: Step): void {
    this.steps.push(step)
    if (this.steps.length > STEPS) this.steps.shift()
    this.state.mayUndo = true
    this.set(step.key, step.after)
  }

  private set(key: string, look: Look | null): void {
    const mark = this.find(key)
    if (!look) this.state.marks = this.state.marks.filter((one) => one.key !== key)
    else if (mark) Object.assign(mark, lookOf(look))
    else this.state.marks = [...this.state.marks, { ...lookOf(look), key, author: this.author, own: true }]
    if (!this.stored.has(key)) this.stored.set(key, { id: '', revision: 0, look: '' })
    this.count()
    void this.flush()
  }

  /* ---- saving ---- */

  private isDirty(key: string): boolean {
    const stored = this.stored.get(key)
    return stored !== undefined && textOf(this.find(key) ?? null) !== stored.look
  }

  private count(): void {
    this.state.unsaved = [...this.stored.keys()].filter((key) => this.isDirty(key)).length
    if (this.state.unsaved === 0) this.state.failing = false
  }

  /** True when the server has everything. */
  async flush(): Promise<boolean> {
    clearTimeout(this.again)
    while (this.saving) await this.saving
    this.saving = this.saveAll().finally(() => (this.saving = null))
    await this.saving
    return this.state.unsaved === 0
  }

  private async saveAll(): Promise<void> {
    try {
      for (let key = this.nextDirty(); key; key = this.nextDirty()) {
        await this.save(key)
        this.saves++
        this.count()
      }
    } catch {
      this.state.failing = true
      this.again = setTimeout(() => void this.flush(), AGAIN_MS)
    }
  }

  private nextDirty(): string | undefined {
    return [...this.stored.keys()].find((key) => this.isDirty(key))
  }

  private async save(key: string): Promise<void> {
    const stored = this.stored.get(key) as Stored
    const mark = this.find(key)
    const look = mark ? lookOf(mark) : null
    try {
      if (look) await this.put(key, stored, look)
      else if (stored.id) {
        const { revision } = await api.delete<{ revision: number }>(
          `${this.path}/${stored.id}?revision=${stored.revision}`,
        )
        this.stored.set(key, { ...stored, revision, look: '' })
      } else this.stored.delete(key)
    } catch (error) {
      if (isPassing(error)) throw error
      await this.refused(key, look, error)
    }
  }

  private async put(key: string, stored: Stored, look: Look): Promise<void> {
    const body = bodyOf(look)
    const mark = this.find(key)
    const sent = stored.id
      ? await api.put<SentMark>(`${this.path}/${stored.id}`, { ...body, revision: stored.revision })
      : await api.post<SentMark>(this.path, { ...body, id: key })
    this.remember(sent)
    if (textOf(markOf(sent)) === textOf(look)) return
    // a new one: what was sent once more, in an older look; otherwise words without what cannot be seen in them
    if (!stored.id) this.stored.set(key, { id: sent.id, revision: sent.revision, look: '' })
    else if (mark && textOf(mark) === textOf(look)) Object.assign(mark, lookOf(markOf(sent)))
  }

  /**
   * Another window's change stands, unless it is this very one whose answer was lost; what must not be drawn goes. Either way the server's is
   * shown.
   */
  private async refused(key: string, look: Look | null, error: unknown): Promise<void> {
    const found = await api.get<MarksAnswer>(this.path)
    const sent = found.marks.find((one) => one.own && one.client === key)
    if (sent) {
      this.remember(sent)
      if (look && textOf(markOf(sent)) === textOf(look)) return
    } else this.stored.delete(key)
    this.state.marks = this.state.marks.filter((mark) => mark.key !== key)
    if (sent) this.state.marks = [...this.state.marks, markOf(sent)]
    this.state.mayWrite = found.may_write
    this.onRefused(error)
  }
}

/** 22 letters and digits that nobody else has. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(11))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/* A file that was closed with something unsaved is still the same book when it is opened again. */
const books = new Map<string, Book>()

export function bookOf(file: string, author: { id: string; name: string }): Book {
  for (const [name, book] of books) if (!book.isOpen && book.state.unsaved === 0) books.delete(name)
  const name = `${file} ${author.id}`
  const book = books.get(name) ?? new Book(file, author)
  books.set(name, book)
  return book
}

/** Something in any of them has not reached the server. */
export const anyUnsaved = (): boolean => [...books.values()].some((book) => book.state.unsaved > 0)
export const flushBooks = async (): Promise<boolean> =>
  (await Promise.all([...books.values()].map((book) => book.flush()))).every(Boolean)
