/** A finger that sweeps over the tiles turns the page, along the way it went. */
const SWEEP_PX = 48

export function useSweep(turn: (by: number) => void) {
  let from: { x: number; y: number } | null = null
  function begin({ touches }: TouchEvent) {
    const one = touches.length === 1 ? touches[0] : undefined
    from = one ? { x: one.clientX, y: one.clientY } : null
  }
  function end({ changedTouches }: TouchEvent) {
    const one = changedTouches[0]
    if (!from || !one) return
    const [dx, dy] = [one.clientX - from.x, one.clientY - from.y]
    const along = Math.abs(dx) > Math.abs(dy) ? dx : dy
    if (Math.abs(along) >= SWEEP_PX) turn(along < 0 ? 1 : -1)
    from = null
  }
  return { begin, end }
}
