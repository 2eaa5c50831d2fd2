/* How wide a panel beside something is: dragged or by keys, within bounds, remembered for its user. */

export interface Bounds {
  least: number
  most: number
}

const STEP = 16
const STRIDE = 64

/** What stands beside the panel keeps `beside` pixels of `whole`, but the panel is never under `least`. */
export function boundsOf(whole: number, beside: number, least: number, most: number): Bounds {
  return { least, most: Math.max(least, Math.min(most, Math.floor(whole - beside))) }
}

export function within(width: number, { least, most }: Bounds): number {
  return Math.round(Math.min(most, Math.max(least, width)))
}

/** Width after a key at the handle on the panel's left, or null for a key that means nothing here. */
export function widthByKey(key: string, far: boolean, width: number, bounds: Bounds): number | null {
  const step = far ? STRIDE : STEP
  switch (key) {
    case 'ArrowLeft':
      return within(width + step, bounds)
    case 'ArrowRight':
      return within(width - step, bounds)
    case 'Home':
      return bounds.most
    case 'End':
      return bounds.least
    default:
      return null
  }
}

const nameOf = (panel: string, user: string) => `consilium.width.${panel}.${user}`

export function rememberedWidth(panel: string, user: string, standard: number): number {
  try {
    const width = Number(localStorage.getItem(nameOf(panel, user)))
    return Number.isFinite(width) && width > 0 ? width : standard
  } catch {
    return standard
  }
}

export function rememberWidth(panel: string, user: string, width: number): void {
  try {
    localStorage.setItem(nameOf(panel, user), String(width))
  } catch {
    // a private window: it is remembered until the page is left
  }
}
