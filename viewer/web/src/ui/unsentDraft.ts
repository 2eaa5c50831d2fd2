/*
 * What is typed and saves itself until it is sent: a form, a consultation record, an opinion. On the server for its writer alone; sending ends
 * the draft. Everything is compared as one text.
 */
import { reactive } from 'vue'
import { SelfSaving, isStale, type SavingState } from './selfSaving'

export interface FoundDraft {
  revision: number
  updated_at: number
}

export interface DraftState<Found> extends SavingState<Found> {
  revision: number
  savedAt: number
  /** when what was found here at opening had been typed; 0: nothing was */
  restoredAt: number
}

/** What was on the page when the login ended under somebody's hands. */
export interface Kept {
  text: string
  revision: number
}

export abstract class UnsentDraft<Found extends FoundDraft> extends SelfSaving<Found, string> {
  abstract override readonly state: DraftState<Found>
  /** Of the request itself, and of what the server has; seen by the page's own watching, as the state is. */
  protected readonly texts: { base: string; saved: string }

  constructor(nothing: string) {
    super()
    this.texts = reactive({ base: nothing, saved: nothing })
  }

  /** Puts a text in the place of what is typed. */
  protected abstract place(text: string): void
  /** What the request has. */
  protected abstract baseOf(found: Found): string
  /** What was typed and not sent; null: nothing. */
  protected abstract keptOf(found: Found): string | null
  /** null: there is nothing to keep. */
  protected abstract keep(text: string | null, revision: number): Promise<FoundDraft>

  get dirty(): boolean {
    return this.state.phase !== 'loading' && this.mine() !== this.texts.saved
  }

  /** There is something that was not sent. */
  get differs(): boolean {
    return this.state.phase !== 'loading' && this.mine() !== this.texts.base
  }

  /** What is being typed stays. */
  async restore(kept?: Kept): Promise<void> {
    const found = await this.fetch()
    if (this.dirty || this.running || this.state.phase === 'conflict') return
    const first = this.state.phase === 'loading'
    this.adopt(found)
    this.show(found)
    if (first && this.texts.saved !== this.texts.base) this.state.restoredAt = found.updated_at
    this.state.phase = 'clean'
    if (!kept || kept.text === this.texts.saved) return
    this.place(kept.text)
    if (kept.revision === found.revision) return this.typed()
    this.state.theirs = found
    this.state.phase = 'conflict'
  }

  /** Everything that was typed and not sent goes. */
  discard(): Promise<boolean> {
    this.place(this.texts.base)
    this.state.restoredAt = 0
    this.typed()
    return this.flush()
  }

  /** Sends what is typed by `put`, with the draft that it was made of; then there is no draft any more. `stands`: what is there afterwards. */
  protected async sendBy<T>(
    put: (text: string, draft: number) => Promise<T>,
    stands: (text: string) => string,
  ): Promise<T> {
    try {
      return await this.alone(() => this.sendNow(put, stands))
    } finally {
      this.typed()
    }
  }

  private async sendNow<T>(
    put: (text: string, draft: number) => Promise<T>,
    stands: (text: string) => string,
  ): Promise<T> {
    const typed = this.mine()
    try {
      const answer = await put(typed, this.state.revision)
      const now = stands(typed)
      this.texts.base = this.texts.saved = now
      if (now !== typed && this.mine() === typed) this.place(now)
      this.state.revision++
      this.state.savedAt = this.state.restoredAt = 0
      this.state.error = null
      this.state.phase = 'clean'
      return answer
    } catch (error) {
      if (isStale(error)) await this.refused(error, typed)
      throw error
    }
  }

  protected isSame(found: Found, text: string): boolean {
    return this.textOf(found) === text
  }
  protected show(found: Found): void {
    this.place(this.textOf(found))
  }
  protected adopt(found: Found): void {
    this.texts.base = this.baseOf(found)
    this.texts.saved = this.textOf(found)
    this.state.revision = found.revision
    this.state.savedAt = this.keptOf(found) === null ? 0 : found.updated_at
  }
  protected async put(text: string): Promise<void> {
    const kept = text === this.texts.base ? null : text
    const { revision, updated_at } = await this.keep(kept, this.state.revision)
    this.texts.saved = text
    this.state.revision = revision
    this.state.savedAt = kept === null ? 0 : updated_at
  }
  private textOf(found: Found): string {
    return this.keptOf(found) ?? this.baseOf(found)
  }
}
