/* The room ends soon: the server says so a minute before (`room.ending`), everybody sees how long it is still open. */
import { reactive } from 'vue'

/** Why a room ends: the talk was ended for all, or what became of its request. */
export type EndingReason = 'finished' | 'closed' | 'cancelled'

/** So long after the time is up a page that heard nothing more leaves by itself. */
const SILENCE_MS = 5000

export class Ending {
  readonly state = reactive({
    reason: null as EndingReason | null,
    /** The wall clock's time at which it ends. */
    at: 0,
    secondsLeft: 0,
  })
  private timer: ReturnType<typeof setInterval> | undefined

  /** `over`: the time is up, and the server has said nothing. */
  constructor(private readonly over: () => void) {}

  take({ seconds, reason }: { seconds: number; reason: EndingReason }): void {
    this.state.reason = reason
    this.state.at = Date.now() + seconds * 1000
    this.tick()
    clearInterval(this.timer)
    this.timer = setInterval(() => this.tick(), 250)
  }

  /** The time is up, by a clock that may be a second behind the server's. */
  get due(): boolean {
    return this.state.reason !== null && this.state.secondsLeft <= 1
  }

  close(): void {
    clearInterval(this.timer)
  }

  private tick(): void {
    const left = this.state.at - Date.now()
    this.state.secondsLeft = Math.max(0, Math.ceil(left / 1000))
    if (left > -SILENCE_MS) return
    this.close()
    this.over()
  }
}
