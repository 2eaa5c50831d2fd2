/* Who types is there, although typing sends nothing: the login does not end under his hands. A page that nobody touches sends nothing. */

const EVERY_MS = 60_000
const SIGNS = ['input', 'keydown', 'pointerdown'] as const

/** Calls `touch` at the first sign of somebody's hands, then at most once a minute while there are others. */
export function keepAlive(root: EventTarget, touch: () => Promise<unknown>): () => void {
  let last = -Infinity
  const sign = (event: Event) => {
    if (!event.isTrusted || Date.now() - last < EVERY_MS) return
    last = Date.now()
    void touch().catch(() => undefined)
  }
  for (const name of SIGNS) root.addEventListener(name, sign, { capture: true, passive: true })
  return () => {
    for (const name of SIGNS) root.removeEventListener(name, sign, { capture: true })
  }
}
