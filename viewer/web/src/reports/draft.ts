/* A report being written: saved by itself a moment after the last key, never over what somebody else saved meanwhile. */
import { reactive } from 'vue'
import { Problem } from '@/api/problem'
import type { Report, ReportTexts } from '@/api/types'

export type DraftPhase = 'loading' | 'clean' | 'dirty' | 'saving' | 'failed' | 'conflict'

export interface DraftDoor {
  load(): Promise<Report | null>
  save(texts: ReportTexts & { revision: number }): Promise<{ revision: number }>
  /** Gives the draft of an amendment up. */
  discard(revision: number): Promise<unknown>
}

export interface DraftState {
  phase: DraftPhase
  texts: ReportTexts
  /** of what was last seen on the server; 0: nothing there yet */
  revision: number
  savedAt: number
  error: unknown
  /** what stands on the server after a conflict */
  theirs: Report | null
  /** the newest signed version */
  signed: Report | null
  /** whether a draft stands on the server, that is: something to sign */
  stored: boolean
}

const QUIET_MS = 1200
const LONGEST_MS = 8000
const AGAIN_MS = 4000

const empty = (): ReportTexts => ({ findings: '', conclusion: '', advice: '', reason: '' })
const copy = ({ findings, conclusion, advice, reason }: ReportTexts): ReportTexts => ({
  findings,
  conclusion,
  advice,
  reason,
})
/* An amendment begins with what was signed, but for reasons of its own. */
const begin = (report: Report): ReportTexts => ({ ...copy(report), reason: report.signed_at ? '' : report.reason })
export const sameTexts = (a: ReportTexts, b: ReportTexts) =>
  a.findings === b.findings && a.conclusion === b.conclusion && a.advice === b.advice && a.reason === b.reason

export class Draft {
  readonly state: DraftState = reactive({
    phase: 'loading',
    texts: empty(),
    revision: 0,
    savedAt: 0,
    error: null,
    theirs: null,
    signed: null,
    stored: false,
  })
  private saved: ReportTexts = empty()
  private timer: ReturnType<typeof setTimeout> | undefined
  private dirtySince = 0
  private running: Promise<boolean> | null = null
  private closed = false

  constructor(private readonly door: DraftDoor) {}

  get dirty(): boolean {
    return this.state.phase !== 'loading' && !sameTexts(this.state.texts, this.saved)
  }

  /** Loads what stands on the server; what is being typed stays. */
  async load(): Promise<void> {
    const report = await this.door.load()
    if (this.dirty || this.running || this.state.phase === 'conflict') return
    this.adopt(report)
    this.state.texts = copy(this.saved)
    this.state.phase = 'clean'
  }

  /** After every change of the texts. */
  typed(): void {
    if (this.state.phase === 'loading' || this.state.phase === 'conflict') return
    if (!this.dirty) {
      if (!this.running) this.state.phase = 'clean'
      return
    }
    if (this.state.phase === 'clean') this.dirtySince = Date.now()
    if (this.state.phase !== 'saving') this.state.phase = 'dirty'
    clearTimeout(this.timer)
    this.timer = setTimeout(
      () => void this.flush(),
      Math.max(0, Math.min(QUIET_MS, this.dirtySince + LONGEST_MS - Date.now())),
    )
  }

  /** Saves what is not saved; true when the server has what stands here. */
  async flush(): Promise<boolean> {
    clearTimeout(this.timer)
    if (this.running) await this.running
    if (this.state.phase === 'conflict' || this.state.phase === 'loading') return false
    if (!this.dirty) return true
    this.running = this.save()
    const done = await this.running
    this.running = null
    if (done && this.dirty && !this.closed) return this.flush()
    return done
  }

  /** After a conflict: my texts replace the others. */
  async keepMine(): Promise<boolean> {
    if (this.state.phase !== 'conflict') return false
    this.adopt(this.state.theirs)
    this.state.theirs = null
    this.state.phase = 'dirty'
    return this.flush()
  }

  takeTheirs(): void {
    if (this.state.phase !== 'conflict') return
    this.adopt(this.state.theirs)
    this.state.texts = copy(this.saved)
    this.state.theirs = null
    this.state.phase = 'clean'
  }

  /** Gives the amendment up, here and on the server; nothing is saved any more. Throws when the server refuses: then all stays. */
  async discard(): Promise<void> {
    clearTimeout(this.timer)
    if (this.running) await this.running
    clearTimeout(this.timer)
    try {
      if (this.state.stored) await this.door.discard(this.state.revision)
    } catch (error) {
      this.typed()
      throw error
    }
    if (this.state.signed) this.saved = begin(this.state.signed)
    this.state.texts = copy(this.saved)
    this.state.stored = false
    this.state.phase = 'clean'
    this.close()
  }

  close(): void {
    this.closed = true
    clearTimeout(this.timer)
  }

  private adopt(report: Report | null): void {
    this.saved = report ? begin(report) : empty()
    this.state.revision = report?.revision ?? 0
    this.state.savedAt = report?.updated_at ?? 0
    this.state.stored = report !== null && report.signed_at === null
    this.state.signed = report?.signed_at ? report : (report?.signed ?? null)
  }

  private async save(): Promise<boolean> {
    const texts = copy(this.state.texts)
    this.state.phase = 'saving'
    try {
      const { revision } = await this.door.save({ ...texts, revision: this.state.revision })
      this.saved = texts
      this.state.revision = revision
      this.state.savedAt = Date.now()
      this.state.stored = true
      this.state.error = null
      this.state.phase = this.dirty ? 'dirty' : 'clean'
      return true
    } catch (error) {
      if (error instanceof Problem && error.status === 409 && error.field === 'revision') return this.conflict(texts)
      return this.failed(error)
    }
  }

  private failed(error: unknown): boolean {
    this.state.error = error
    this.state.phase = 'failed'
    // what the network or a restart broke heals by itself
    const passing = !(error instanceof Problem) || error.status === 0 || error.status >= 500 || error.status === 429
    if (passing && !this.closed) this.timer = setTimeout(() => void this.flush(), AGAIN_MS)
    return false
  }

  /** Somebody else saved: perhaps the same person in another window, perhaps our own save whose answer was lost. */
  private async conflict(mine: ReportTexts): Promise<boolean> {
    try {
      const theirs = await this.door.load()
      if (theirs && sameTexts(theirs, mine)) {
        this.adopt(theirs)
        this.state.phase = this.dirty ? 'dirty' : 'clean'
        return true
      }
      this.state.theirs = theirs
      this.state.phase = 'conflict'
      return false
    } catch (error) {
      return this.failed(error)
    }
  }
}
