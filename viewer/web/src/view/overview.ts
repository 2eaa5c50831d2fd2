/* A slide without a pyramid gets its whole view in the background: until then only full size can be seen. */
import { ref } from 'vue'

const LOOK_MS = 5000

export class Overview {
  /** The server is making it. */
  readonly coming = ref(false)
  private turn = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  /** `again`: it is there now, and what failed before can be asked for once more. */
  constructor(private readonly again: () => void) {}

  /** Looks until it is there. `stateOf`: the file's state. */
  follow(stateOf: () => Promise<string>): void {
    this.stop()
    void this.look(stateOf, this.turn)
  }

  stop(): void {
    this.turn++
    this.coming.value = false
    clearTimeout(this.timer)
  }

  private async look(stateOf: () => Promise<string>, turn: number): Promise<void> {
    // a network that is away says nothing of the slide
    const state = await stateOf().catch(() => (this.coming.value ? 'preparing' : ''))
    if (turn !== this.turn) return
    const before = this.coming.value
    this.coming.value = state === 'preparing'
    if (this.coming.value) this.timer = setTimeout(() => void this.look(stateOf, turn), LOOK_MS)
    else if (before) this.again()
  }
}
