/*
 * What saves itself while it is typed, on the server and never over what another window saved meanwhile. A moment after the last key, at
 * the latest some seconds after the first; what a broken network refused is tried again. Reports and forms say what is saved and how.
 */
import { Problem } from '@/api/problem'

export type SavePhase = 'loading' | 'clean' | 'dirty' | 'saving' | 'failed' | 'conflict'

export interface SavingState<Found> {
  phase: SavePhase
  error: unknown
  /** what stands on the server after a conflict */
  theirs: Found | null
}

const QUIET_MS = 1200
const LONGEST_MS = 8000
const AGAIN_MS = 4000

const UNANSWERED = 8

/* What the network or a restart broke heals by itself. */
const isPassing = (error: unknown) =>
  !(error instanceof Problem) || error.status === 0 || error.status >= 500 || error.status === 429

/** The server has another revision than the one that was seen. */
export const isStale = (error: unknown) =>
  error instanceof Problem && error.status === 409 && error.field === 'revision'

/** `Found`: what the server has; `Mine`: a copy of what is typed. */
export abstract class SelfSaving<Found, Mine> {
  abstract readonly state: SavingState<Found>
  /** Acts on the server that run or wait for their turn: one at a time. */
  protected running = 0
  private last: Promise<unknown> = Promise.resolve()
  /** What was sent and of which nobody knows whether it arrived. */
  private unanswered: Mine[] = []
  private timer: ReturnType<typeof setTimeout> | undefined
  private dirtySince = 0
  private closed = false

  /** The server does not have it yet; never while loading. */
  abstract get dirty(): boolean
  protected abstract fetch(): Promise<Found>
  protected abstract mine(): Mine
  /** Sends it, and takes over what the answer says. */
  protected abstract put(mine: Mine): Promise<void>
  protected abstract isSame(found: Found, mine: Mine): boolean
  /** Takes what was found for what is saved; what is typed stays. */
  protected abstract adopt(found: Found): void
  /** What is saved is what is typed. */
  protected abstract show(found: Found): void

  /** After every change of what is typed. */
  typed(): void {
    const { state } = this
    if (state.phase === 'loading' || state.phase === 'conflict') return
    if (!this.dirty) {
      if (!this.running) state.phase = 'clean'
      return
    }
    if (state.phase === 'clean') this.dirtySince = Date.now()
    if (state.phase !== 'saving') state.phase = 'dirty'
    this.flushIn(Math.max(0, Math.min(QUIET_MS, this.dirtySince + LONGEST_MS - Date.now())))
  }

  /** Saves what is not saved; true when the server has what stands here, or nothing was loaded that could be changed. */
  flush(): Promise<boolean> {
    return this.alone(async () => {
      for (;;) {
        if (this.state.phase === 'conflict') return false
        if (!this.dirty) return true
        const done = await this.save()
        if (!done || this.closed) return done
      }
    })
  }

  /**
   * After a conflict: what stands here replaces the other. It is sent even where both were the same when they were shown: the other window
   * may have saved since, and then both are shown again.
   */
  async keepMine(): Promise<boolean> {
    if (this.state.phase !== 'conflict') return false
    this.adopt(this.state.theirs as Found)
    this.state.theirs = null
    this.state.phase = 'dirty'
    if (!(await this.alone(() => this.save()))) return false
    return this.flush()
  }

  /** An act upon what is saved was refused for another revision: both are shown, unless they are the same. */
  async stale(error: unknown): Promise<void> {
    await this.alone(() => this.refused(error, this.mine()))
  }

  takeTheirs(): void {
    if (this.state.phase !== 'conflict') return
    const theirs = this.state.theirs as Found
    this.adopt(theirs)
    this.show(theirs)
    this.state.theirs = null
    this.state.phase = 'clean'
  }

  close(): void {
    this.closed = true
    clearTimeout(this.timer)
  }

  /** Does it when nothing else is on its way; nothing goes by itself before something is typed again. */
  protected async alone<T>(task: () => Promise<T>): Promise<T> {
    clearTimeout(this.timer)
    this.running++
    const turn = this.last.then(() => {
      clearTimeout(this.timer)
      return task()
    })
    this.last = turn.catch(() => undefined)
    try {
      return await turn
    } finally {
      this.running--
    }
  }

  /**
   * True when what stands on the server is our own, by a save whose answer was lost, also when more was typed since; otherwise both
   * are there to choose from.
   */
  protected async refused(error: unknown, mine: Mine): Promise<boolean> {
    if (!isStale(error)) return this.failed(error)
    try {
      const theirs = await this.fetch()
      if ([mine, ...this.unanswered].some((one) => this.isSame(theirs, one))) {
        this.adopt(theirs)
        this.saved()
        return true
      }
      this.state.theirs = theirs
      this.state.phase = 'conflict'
      return false
    } catch (problem) {
      return this.failed(problem)
    }
  }

  private async save(): Promise<boolean> {
    const mine = this.mine()
    this.state.phase = 'saving'
    try {
      await this.put(mine)
      this.saved()
      return true
    } catch (error) {
      if (isPassing(error)) this.unanswered = [mine, ...this.unanswered].slice(0, UNANSWERED)
      return this.refused(error, mine)
    }
  }

  private saved(): void {
    this.unanswered = []
    this.state.error = null
    this.state.phase = this.dirty ? 'dirty' : 'clean'
  }

  private failed(error: unknown): boolean {
    this.state.error = error
    this.state.phase = 'failed'
    if (isPassing(error) && !this.closed) this.flushIn(AGAIN_MS)
    return false
  }

  private flushIn(ms: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.flush(), ms)
  }
}
