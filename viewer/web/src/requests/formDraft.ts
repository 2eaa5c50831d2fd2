/* The form of a request while it is typed: on the server, for its writer alone. Sending it (`send`) ends the draft. */
import { reactive } from 'vue'
import type { RequestForm, Sex } from '@/api/types'
import { SelfSaving, isStale, type SavePhase } from '@/ui/selfSaving'
import { SEXES } from './state'

export interface StoredForm {
  revision: number
  updated_at: number
  /** what was typed and not sent; null: nothing */
  form: RequestForm | null
}

/** `base`: what the request itself says; for one that is not there yet an empty form. */
export type FoundForm = StoredForm & { base: RequestForm }

export interface FormDoor {
  load(): Promise<FoundForm>
  save(body: { revision: number; form: RequestForm | null }): Promise<{ revision: number; updated_at: number }>
}

/** What is kept in memory when the login ends under somebody's hands. */
export interface KeptForm {
  form: RequestForm
  revision: number
}

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

export class FormDraft extends SelfSaving<FoundForm, string> {
  readonly state = reactive({
    phase: 'loading' as SavePhase,
    form: emptyForm(),
    revision: 0,
    savedAt: 0,
    /** when what was found here at opening had been typed; 0: nothing was */
    restoredAt: 0,
    error: null as unknown,
    theirs: null as FoundForm | null,
  })
  /** Of the request itself, and of what the server has; seen by the page's own watching, as the state is. */
  private readonly texts = reactive({ base: textOf(emptyForm()), saved: textOf(emptyForm()) })

  constructor(private readonly door: FormDoor) {
    super()
  }

  get dirty(): boolean {
    return this.state.phase !== 'loading' && textOf(this.state.form) !== this.texts.saved
  }

  /** There is something that was not sent. */
  get differs(): boolean {
    return this.state.phase !== 'loading' && textOf(this.state.form) !== this.texts.base
  }

  /** `kept`: what was on the page when the login ended. What is being typed stays. */
  async load(kept?: KeptForm): Promise<void> {
    const found = await this.fetch()
    if (this.dirty || this.running || this.state.phase === 'conflict') return
    const first = this.state.phase === 'loading'
    this.adopt(found)
    this.show(found)
    if (first && this.texts.saved !== this.texts.base) this.state.restoredAt = found.updated_at
    this.state.phase = 'clean'
    if (!kept || textOf(kept.form) === this.texts.saved) return
    this.state.form = formOf(kept.form)
    if (kept.revision === found.revision) return this.typed()
    this.state.theirs = found
    this.state.phase = 'conflict'
  }

  /** Sends the form itself by `put`, with the draft that it was made of; then there is no draft any more. */
  async send<T>(put: (form: RequestForm, draft: number) => Promise<T>): Promise<T> {
    await this.settled()
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
      if (isStale(error)) await this.refused(error, textOf(form))
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

  protected fetch(): Promise<FoundForm> {
    return this.door.load()
  }
  protected mine(): string {
    return textOf(this.state.form)
  }
  protected isSame(found: FoundForm, text: string): boolean {
    return textOf(found.form ?? found.base) === text
  }
  protected show(found: FoundForm): void {
    this.state.form = formOf(found.form ?? found.base)
  }

  protected adopt(found: FoundForm): void {
    this.texts.base = textOf(found.base)
    this.texts.saved = found.form ? textOf(found.form) : this.texts.base
    this.state.revision = found.revision
    this.state.savedAt = found.form ? found.updated_at : 0
  }

  protected async put(text: string): Promise<void> {
    const form = text === this.texts.base ? null : (JSON.parse(text) as RequestForm)
    const { revision, updated_at } = await this.door.save({ revision: this.state.revision, form })
    this.texts.saved = text
    this.state.revision = revision
    this.state.savedAt = form ? updated_at : 0
  }
}
