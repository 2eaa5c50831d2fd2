/* Which messages stand on the page. */

export interface Message {
  close(): void
}

/** What is told now stands at once, and what has stood longest makes room for it: somebody has just pressed a button and waits for a word. */
export class Standing<T extends Message> {
  /** In the order in which they came. */
  private readonly messages = new Set<T>()

  constructor(private readonly most: () => number) {}

  /** The same one again, as of a text that is told twice, takes no second place. */
  add(message: T): void {
    this.messages.add(message)
    for (const oldest of [...this.messages].slice(0, -this.most())) {
      this.messages.delete(oldest)
      oldest.close()
    }
  }

  /** It has closed by itself, or was closed. */
  gone(message: T): void {
    this.messages.delete(message)
  }
}
