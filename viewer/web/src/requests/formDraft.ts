/* The form of a request while it is typed: on the server, for its writer alone. Sending it (`send`) ends the draft. */
import { reactive } from 'vue'
import type { RequestForm, Sex } from '@/api/types'
import type { SavePhase } from '@/ui/selfSaving'
import { UnsentDraft, type FoundDraft } from '@/ui/unsentDraft'
import { SEXES } from './state'

export interface StoredForm extends FoundDraft {
  /** what was typed and not sent; null: nothing */
  form: RequestForm | null
}

/** `base`: what the request itself says; for one that is not there yet an empty form. */
export type FoundForm = StoredForm & { base: RequestForm }

export interface FormDoor {
  load(): Promise<FoundForm>
  save(body: { revision: number; form: RequestForm | null }): Promise<FoundDraft>
}

/** What is kept in memory when the login ends under somebody's hands. */
export interface KeptForm {
  form: RequestForm
  revision: number
}

export const emptyForm = (urgency: RequestForm['urgency'] = 'ordinary'): RequestForm => ({
  kind: 'C',
  urgency,
  patient: { name: '', sex: '', birth_date: '', identity_number: '', phone: '' },
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
    patient: { name, sex: SEXES.includes(sex as Sex) ? sex : '', birth_date, identity_number, phone },
    diagnosis: from.diagnosis,
    question: from.question,
  }
}
const textOf = (form: RequestForm) => JSON.stringify(formOf(form))

const read = (text: string) => JSON.parse(text) as RequestForm

export class FormDraft extends UnsentDraft<FoundForm> {
  readonly state = reactive({
    phase: 'loading' as SavePhase,
    form: emptyForm(),
    revision: 0,
    savedAt: 0,
    restoredAt: 0,
    error: null as unknown,
    theirs: null as FoundForm | null,
  })

  constructor(private readonly door: FormDoor) {
    super(textOf(emptyForm()))
  }

  /** `kept`: what was on the page when the login ended. What is being typed stays. */
  load(kept?: KeptForm): Promise<void> {
    return this.restore(kept && { text: textOf(kept.form), revision: kept.revision })
  }

  /** Sends the form itself by `put`, with the draft that it was made of; then there is no draft any more. */
  send<T>(put: (form: RequestForm, draft: number) => Promise<T>): Promise<T> {
    return this.sendBy(
      (text, draft) => put(read(text), draft),
      (text) => text,
    )
  }

  protected fetch(): Promise<FoundForm> {
    return this.door.load()
  }
  protected mine(): string {
    return textOf(this.state.form)
  }
  protected place(text: string): void {
    this.state.form = read(text)
  }
  protected baseOf(found: FoundForm): string {
    return textOf(found.base)
  }
  protected keptOf(found: FoundForm): string | null {
    return found.form && textOf(found.form)
  }
  protected keep(text: string | null, revision: number): Promise<FoundDraft> {
    return this.door.save({ revision, form: text === null ? null : read(text) })
  }
}
