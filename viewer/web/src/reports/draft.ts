/* A report being written. */
import { reactive } from 'vue'
import type { Report, ReportTexts } from '@/api/types'
import { SelfSaving, type SavingState } from '@/ui/selfSaving'

/** Of a picture the server knows everything but its caption. */
export type SentTexts = Omit<ReportTexts, 'figures'> & { figures: { id: string; caption: string }[] }

export interface DraftDoor {
  load(): Promise<Report | null>
  save(texts: SentTexts & { revision: number }): Promise<{ revision: number }>
  /** Gives the draft of an amendment up. */
  discard(revision: number): Promise<unknown>
}

export interface DraftState extends SavingState<Report> {
  texts: ReportTexts
  /** of what was last seen on the server; 0: nothing there yet */
  revision: number
  savedAt: number
  /** the newest signed version */
  signed: Report | null
  /** whether a draft stands on the server, that is: something to sign */
  stored: boolean
}

const empty = (): ReportTexts => ({ findings: '', conclusion: '', advice: '', reason: '', figures: [] })
const copy = ({ findings, conclusion, advice, reason, figures }: ReportTexts): ReportTexts => ({
  findings,
  conclusion,
  advice,
  reason,
  figures: figures.map((figure) => ({ ...figure })),
})
/* An amendment begins with what was signed, but for reasons of its own. */
const begin = (report: Report): ReportTexts => ({ ...copy(report), reason: report.signed_at ? '' : report.reason })
const shownBy = ({ figures }: ReportTexts) => JSON.stringify(figures.map(({ id, caption }) => [id, caption]))
export const sameFigures = (a: ReportTexts, b: ReportTexts) => shownBy(a) === shownBy(b)
export const sameTexts = (a: ReportTexts, b: ReportTexts) =>
  a.findings === b.findings &&
  a.conclusion === b.conclusion &&
  a.advice === b.advice &&
  a.reason === b.reason &&
  sameFigures(a, b)

export class Draft extends SelfSaving<Report | null, ReportTexts> {
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
  private stands: ReportTexts = empty()

  constructor(private readonly door: DraftDoor) {
    super()
  }

  get dirty(): boolean {
    return this.state.phase !== 'loading' && !sameTexts(this.state.texts, this.stands)
  }

  /** Loads what stands on the server; what is being typed stays. */
  async load(): Promise<void> {
    const report = await this.fetch()
    if (this.dirty || this.running || this.state.phase === 'conflict') return
    this.adopt(report)
    this.show()
    this.state.phase = 'clean'
  }

  /** Gives the amendment up, here and on the server; nothing is saved any more. Throws when the server refuses: then all stays. */
  async discard(): Promise<void> {
    await this.alone(() => this.giveUp())
  }

  private async giveUp(): Promise<void> {
    try {
      if (this.state.stored) await this.door.discard(this.state.revision)
    } catch (error) {
      this.typed()
      throw error
    }
    if (this.state.signed) this.stands = begin(this.state.signed)
    this.show()
    this.state.stored = false
    this.state.phase = 'clean'
    this.close()
  }

  protected fetch(): Promise<Report | null> {
    return this.door.load()
  }
  protected mine(): ReportTexts {
    return copy(this.state.texts)
  }
  protected isSame(report: Report | null, texts: ReportTexts): boolean {
    return report !== null && sameTexts(report, texts)
  }
  protected show(): void {
    this.state.texts = copy(this.stands)
  }

  protected adopt(report: Report | null): void {
    this.stands = report ? begin(report) : empty()
    this.state.revision = report?.revision ?? 0
    this.state.savedAt = report?.updated_at ?? 0
    this.state.stored = report !== null && report.signed_at === null
    this.state.signed = report?.signed_at ? report : (report?.signed ?? null)
  }

  protected async put(texts: ReportTexts): Promise<void> {
    const { revision } = await this.door.save({
      ...texts,
      figures: texts.figures.map(({ id, caption }) => ({ id, caption })),
      revision: this.state.revision,
    })
    this.stands = texts
    this.state.revision = revision
    this.state.savedAt = Date.now()
    this.state.stored = true
  }
}
