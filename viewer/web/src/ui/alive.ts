/* Signs of somebody's hands. A page that nobody touches gives none, whatever it draws, asks or is told. */

const SIGNS = ['input', 'keydown', 'pointerdown', 'wheel', 'touchmove', 'pointermove'] as const
/** In pixels: a browser tells of a mouse that rests too, when the page moves under it. */
const MOVED = 3

export function watchHands(root: EventTarget, sign: () => void): () => void {
  let x: number | null = null
  let y = 0
  const seen = (event: Event) => {
    if (!event.isTrusted) return
    if (event.type === 'pointermove') {
      const { screenX, screenY } = event as PointerEvent
      const moved = x !== null && Math.abs(screenX - x) + Math.abs(screenY - y) >= MOVED
      if (x !== null && !moved) return
      x = screenX
      y = screenY
      if (!moved) return
    }
    sign()
  }
  for (const name of SIGNS) root.addEventListener(name, seen, { capture: true, passive: true })
  return () => {
    for (const name of SIGNS) root.removeEventListener(name, seen, { capture: true })
  }
}
