/*
 * A consultation record or an opinion while it is typed: a tab that a phone ends, or a network that is gone when he presses the button, takes no
 * word away.
 */
import { reactive } from 'vue'
import type { SavePhase } from '@/ui/selfSaving'
import { UnsentDraft, type FoundDraft } from '@/ui/unsentDraft'

export interface FoundText extends FoundDraft {
  /** what was typed and not sent; null: nothing */
  text: string | null
  /** what the request has */
  sent: string
}

export interface TextDoor {
  load(): Promise<FoundText>
  save(body: { revision: number; text: string | null }): Promise<FoundDraft>
}

export class TypedText extends UnsentDraft<FoundText> {
  readonly state = reactive({
    phase: 'loading' as SavePhase,
    text: '',
    revision: 0,
    savedAt: 0,
    restoredAt: 0,
    error: null as unknown,
    theirs: null as FoundText | null,
  })

  constructor(private readonly door: TextDoor) {
    super('')
  }

  /** Blanks around it are no reason to send it again. */
  override get differs(): boolean {
    return this.state.phase !== 'loading' && this.state.text.trim() !== this.texts.base.trim()
  }

  /** `stays`: it goes on standing here after it was sent. */
  send<T>(put: (text: string, draft: number) => Promise<T>, stays: boolean): Promise<T> {
    return this.sendBy(
      (text, draft) => put(text.trim(), draft),
      (text) => (stays ? text.trim() : ''),
    )
  }

  protected fetch(): Promise<FoundText> {
    return this.door.load()
  }
  protected mine(): string {
    return this.state.text
  }
  protected place(text: string): void {
    this.state.text = text
  }
  protected baseOf(found: FoundText): string {
    return found.sent
  }
  protected keptOf(found: FoundText): string | null {
    return found.text
  }
  protected keep(text: string | null, revision: number): Promise<FoundDraft> {
    return this.door.save({ revision, text })
  }
}
