/*
 * When a login ends because nobody is there, or because it is old. The server decides and is asked before anything is said or locked: somebody
 * may be there in another tab, or in a room. This knows when to ask, and tells it of hands on this page.
 */

/** What the server says of a login. */
export interface Lasts {
  idle_ms: number
  idle_left_ms: number
  life_left_ms: number
}
/** `ended`: of this person there is no login any more; `unknown`: nobody answered. */
export type Answer = Lasts | 'ended' | 'unknown'
export type Why = 'idle' | 'life' | 'ended'
/** What comes soon, and in how many milliseconds. */
export interface Soon {
  why: 'idle' | 'life'
  left: number
}

export interface IdleCalls {
  look(): Promise<Answer>
  /** Somebody's hands, so many milliseconds ago. */
  report(ago: number): Promise<Answer>
}
export interface IdleSays {
  soon(soon: Soon | null): void
  /** Hides the page until the server has answered. */
  cover(): void
  uncover(): void
  lock(why: Why): void
}

const MINUTE = 60_000
export const LIFE_WARN_MS = 3 * MINUTE
/** A report that did not arrive. */
const AGAIN_MS = 5000
/** Hands are looked at once in so long. */
const HAND_MS = 1000
const NEAR_MS = 5000
const LONGEST_TIMER_MS = 10 * MINUTE

export class IdleWatch {
  private idleMs = 0
  private idleAt = 0
  private lifeAt = 0
  private on = false
  private covered = false
  /** The server has confirmed that the end is near. */
  private sure = false
  private asking: Promise<void> | null = null
  private warns = false
  private handAt = 0
  private toldAt = -Infinity
  private untold = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private reportTimer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly calls: IdleCalls,
    private readonly says: IdleSays,
  ) {}

  /** Somebody is logged in, or has been found to be. */
  begin(lasts: Lasts): void {
    this.on = true
    this.covered = false
    this.take(lasts)
    this.tick()
  }

  /** Nobody is. */
  end(): void {
    this.on = this.covered = this.untold = false
    clearTimeout(this.timer)
    clearTimeout(this.reportTimer)
    this.reportTimer = undefined
    this.warn(null)
  }

  /** A sign of hands on this page. */
  sign(): void {
    const now = Date.now()
    if (!this.on || this.covered || (now - this.handAt < HAND_MS && !this.warns)) return
    // the machine slept, or the timer came late: whoever wakes it has not been here
    if (now >= Math.min(this.idleAt, this.lifeAt)) return this.tick()
    this.handAt = now
    this.untold = true
    this.idleAt = now + this.idleMs
    this.tellInTime()
    this.tick()
  }

  /** Something may have changed elsewhere: another tab, the network, a call that was refused. */
  check(hide = false): Promise<void> {
    if (!this.on) return Promise.resolve()
    if (hide) this.hide()
    return (this.asking ??= this.ask().finally(() => (this.asking = null)))
  }

  /** By the clock; also when somebody comes back to the tab, whose timers were slowed. */
  tick(): void {
    clearTimeout(this.timer)
    if (!this.on) return
    const now = Date.now()
    const idleLeft = this.idleAt - now
    const lifeLeft = this.lifeAt - now
    const near = idleLeft <= this.short || lifeLeft <= LIFE_WARN_MS
    if (idleLeft <= 0 || lifeLeft <= 0) return void this.check(true)
    if (!near) {
      this.sure = false
      this.warn(null)
      return this.later(Math.min(idleLeft - this.short, lifeLeft - LIFE_WARN_MS))
    }
    if (!this.sure) return void this.check()
    const idle = idleLeft <= this.short && idleLeft <= lifeLeft
    this.warn({ why: idle ? 'idle' : 'life', left: idle ? idleLeft : lifeLeft })
    this.later(Math.min(idleLeft, lifeLeft, 1000))
  }

  private async ask(): Promise<void> {
    const answer = await this.calls.look()
    if (this.on) this.settle(answer)
  }

  /** The last minute; less where the whole is short. Also the least time between two reports. */
  private get short(): number {
    return Math.min(MINUTE, this.idleMs / 4)
  }

  private later(ms: number): void {
    this.timer = setTimeout(() => this.tick(), Math.max(20, Math.min(ms, LONGEST_TIMER_MS)))
  }

  private warn(soon: Soon | null): void {
    if (!soon && !this.warns) return
    this.warns = soon !== null
    this.says.soon(soon)
  }

  private hide(): void {
    if (this.covered) return
    this.covered = true
    this.says.cover()
  }

  private take(lasts: Lasts): void {
    const now = Date.now()
    this.idleMs = lasts.idle_ms
    this.idleAt = Math.max(now + lasts.idle_left_ms, this.untold ? this.handAt + lasts.idle_ms : 0)
    this.lifeAt = now + lasts.life_left_ms
    this.sure = true
  }

  private settle(answer: Answer): void {
    if (answer === 'unknown') return this.guess()
    if (answer === 'ended') return this.lock(this.why())
    const again = this.covered
    this.take(answer)
    if (Math.min(this.idleAt, this.lifeAt) <= Date.now()) return this.later(500) // by a hair: it ends now
    this.covered = false
    if (again) this.says.uncover()
    this.tick()
  }

  /** Without the server the page's own clock counts. */
  private guess(): void {
    const left = Math.min(this.idleAt, this.lifeAt) - Date.now()
    if (left <= 0) return this.lock(this.why())
    this.sure = true
    const again = this.covered
    this.covered = false
    if (again) this.says.uncover()
    this.tick()
  }

  private why(): Why {
    const now = Date.now()
    if (this.lifeAt - now < NEAR_MS) return 'life'
    return this.idleAt - now < NEAR_MS ? 'idle' : 'ended'
  }

  private lock(why: Why): void {
    this.end()
    this.says.lock(why)
  }

  private tellInTime(): void {
    if (this.reportTimer !== undefined || !this.untold) return
    const wait = Math.max(0, this.toldAt + this.short - Date.now())
    this.reportTimer = setTimeout(() => void this.tell(), wait)
  }

  private async tell(): Promise<void> {
    const hand = this.handAt
    this.toldAt = Date.now()
    const answer = await this.calls.report(Date.now() - hand)
    this.reportTimer = undefined
    if (!this.on) return
    if (answer === 'unknown') this.toldAt = Date.now() - this.short + AGAIN_MS
    else this.untold = this.handAt > hand
    if (answer === 'ended') return this.lock(this.why())
    if (answer !== 'unknown') {
      this.take(answer)
      if (!this.covered) this.tick()
    }
    this.tellInTime()
  }
}
