/*
 * The form of a request while it is typed: saved by itself a moment after the last key, on the server, for its writer alone; never over
 * what another window saved or sent meanwhile. Sending it (`send`) ends the draft.
 */
import { reactive } from 'vue'
import { Problem } from '@/api/problem'
import type { RequestForm, Sex } from '@/api/types'
import { SEXES } from './state'

export type FormPhase = 'loading' | 'clean' | 'dirty' | 'saving' | 'failed' | 'conflict'

export interface StoredForm {
  revision: number
  updated_at: number
  /** what was typed and not sent; null: nothing */
  form: RequestForm | null
}

export interface FormDoor {
  /** `base`: what the request itself says; for one that is not there yet an empty form. */
  load(): Promise<StoredForm & { base: RequestForm }>
  save(body: { revision: number; form: RequestForm | null }): Promise<{ revision: number; updated_at: number }>
}

/** What is kept in memory when the login ends under somebody's hands. */
export interface KeptForm {
  form: RequestForm
  revision: number
}

const QUIET_MS = 1200
const LONGEST_MS = 8000
const AGAIN_MS = 4000

export const emptyForm = (urgency: RequestForm['urgency'] = 'ordinary'): RequestForm => ({
  kind: 'C',
  urgency,
  patient: { name: '', sex: 'unknown', birth_date: '', identity_number: '', phone: '' },
  diagnosis: '',
  question: '',
})

/** A form, or a request that has one. */
type HasForm = Omit<RequestForm, 'kind'>

/** Always the same fields in the same order, so that texts can be compared. */
export function formOf(from: HasForm): RequestForm {
  const { name, sex, birth_date, identity_number, phone } = from.patient
  return {
    kind: 'C',
    urgency: from.urgency === 'urgent' ? 'urgent' : 'ordinary',
    patient: { name, sex: SEXES.includes(sex) ? sex : ('unknown' as Sex), birth_date, identity_number, phone },
    diagnosis: from.diagnosis,
    question: from.question,
  }
}
const textOf = (form: RequestForm) => JSON.stringify(formOf(form))

export class FormDraft {
  readonly state = reactive({
    phase: 'loading' as FormPhase,
    form: emptyForm(),
    revision: 0,
    savedAt: 0,
    /** when what was found here at opening had been typed; 0: nothing was */
    restoredAt: 0,
    error: null as unknown,
    /** what stands on the server after a conflict */
    theirs: null as (StoredForm & { base: RequestForm }) | null,
  })
  /** Of the request itself, and of what the server has; seen by the page's own watching, as the state is. */
  private readonly texts = reactive({ base: textOf(emptyForm()), saved: textOf(emptyForm()) })
  private timer: ReturnType<typeof setTimeout> | undefined
  private dirtySince = 0
  private running: Promise<boolean> | null = null
  private closed = false

  constructor(private readonly door: FormDoor) {}

  /** The server does not have it yet. */
  get dirty(): boolean {
    return this.state.phase !== 'loading' && textOf(this.state.form) !== this.texts.saved
  }

  /** There is something that was not sent. */
  get differs(): boolean {
    return this.state.phase !== 'loading' && textOf(this.state.form) !== this.texts.base
  }

  /** `kept`: what was on the page when the login ended. What is being typed stays. */
  async load(kept?: KeptForm): Promise<void> {
    const found = await this.door.load()
    if (this.dirty || this.running || this.state.phase === 'conflict') return
    const first = this.state.phase === 'loading'
    this.adopt(found)
    this.state.form = formOf(found.form ?? found.base)
    if (first && this.texts.saved !== this.texts.base) this.state.restoredAt = found.updated_at
    this.state.phase = 'clean'
    if (!kept || textOf(kept.form) === this.texts.saved) return
    this.state.form = formOf(kept.form)
    if (kept.revision === found.revision) return this.typed()
    this.state.theirs = found
    this.state.phase = 'conflict'
  }

  /** After every change of the form. */
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
    while (this.running) await this.running
    if (this.state.phase === 'loading') return true
    if (this.state.phase === 'conflict') return false
    if (!this.dirty) return true
    this.running = this.save()
    const done = await this.running
    this.running = null
    if (done && this.dirty && !this.closed) return this.flush()
    return done
  }

  /** Sends the form itself by `put`, with the draft that it was made of; then there is no draft any more. */
  async send<T>(put: (form: RequestForm, draft: number) => Promise<T>): Promise<T> {
    clearTimeout(this.timer)
    while (this.running) await this.running
    const form = formOf(this.state.form)
    const task = put(form, this.state.revision)
    this.running = task.then(
      () => true,
      () => false,
    )
    try {
      const answer = await task
      this.texts.base = this.texts.saved = textOf(form)
      this.state.revision++
      this.state.savedAt = this.state.restoredAt = 0
      this.state.error = null
      this.state.phase = 'clean'
      return answer
    } catch (error) {
      if (isStale(error)) await this.conflict(textOf(form))
      throw error
    } finally {
      this.running = null
      this.typed()
    }
  }

  /** Everything that was typed and not sent goes. */
  discard(): Promise<boolean> {
    this.state.form = JSON.parse(this.texts.base) as RequestForm
    this.state.restoredAt = 0
    this.typed()
    return this.flush()
  }

  /** After a conflict: what stands here replaces the other. */
  keepMine(): Promise<boolean> {
    const { theirs } = this.state
    if (this.state.phase !== 'conflict' || !theirs) return Promise.resolve(false)
    this.adopt(theirs)
    this.state.theirs = null
    this.state.phase = 'dirty'
    return this.flush()
  }

  takeTheirs(): void {
    const { theirs } = this.state
    if (this.state.phase !== 'conflict' || !theirs) return
    this.adopt(theirs)
    this.state.form = formOf(theirs.form ?? theirs.base)
    this.state.theirs = null
    this.state.phase = 'clean'
  }

  close(): void {
    this.closed = true
    clearTimeout(this.timer)
  }

  private adopt(found: StoredForm & { base: RequestForm }): void {
    this.texts.base = textOf(found.base)
    this.texts.saved = found.form ? textOf(found.form) : this.texts.base
    this.state.revision = found.revision
    this.state.savedAt = found.form ? found.updated_at : 0
  }

  private async save(): Promise<boolean> {
    const text = textOf(this.state.form)
    const form = text === this.texts.base ? null : (JSON.parse(text) as RequestForm)
    this.state.phase = 'saving'
    try {
      const { revision, updated_at } = await this.door.save({ revision: this.state.revision, form })
      this.texts.saved = text
      this.state.revision = revision
      this.state.savedAt = form ? updated_at : 0
      this.state.error = null
      this.state.phase = this.dirty ? 'dirty' : 'clean'
      return true
    } catch (error) {
      return isStale(error) ? this.conflict(text) : this.failed(error)
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

  /** Another window saved or sent it, or it was our own save whose answer was lost. */
  private async conflict(mine: string): Promise<boolean> {
    try {
      const theirs = await this.door.load()
      if (textOf(theirs.form ?? theirs.base) === mine) {
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

function isStale(error: unknown): boolean {
  return error instanceof Problem && error.status === 409 && error.field === 'revision'
}
