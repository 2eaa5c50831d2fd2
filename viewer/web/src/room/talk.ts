/* Push to talk: who is muted is heard while he holds a key. */
import { reactive } from 'vue'

export interface Mic {
  /** There is a microphone, and it is off. */
  isMuted(): boolean
  set(on: boolean): void
}

export class PushToTalk {
  readonly state = reactive({ talking: false })

  constructor(private readonly mic: Mic) {}

  /** False: the key is not ours, since nobody is muted here. */
  hold(): boolean {
    if (this.state.talking) return true
    if (!this.mic.isMuted()) return false
    this.state.talking = true
    this.mic.set(true)
    return true
  }

  /** Also when the key's end will never be heard: the window lost the keyboard, the page goes. */
  release(): void {
    if (!this.state.talking) return
    this.state.talking = false
    // a host, or the button, may have switched it off meanwhile
    if (!this.mic.isMuted()) this.mic.set(false)
  }
}
