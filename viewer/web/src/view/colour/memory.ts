/* How a person set a slide's colours, as long as the tab is open; and the table of its profile. */
import { LIMITS, UNTOUCHED, type ColourTable, type Tuning } from './curve'

const key = (file: string): string => `colour:${file}`

function within(value: unknown, name: keyof typeof LIMITS): number {
  const { from, to } = LIMITS[name]
  return typeof value === 'number' && value >= from && value <= to ? value : UNTOUCHED[name]
}

export function remembered(file: string, store: Pick<Storage, 'getItem'> = sessionStorage): Tuning {
  let kept: Partial<Record<keyof Tuning, unknown>> = {}
  try {
    kept = (JSON.parse(store.getItem(key(file)) ?? '{}') ?? {}) as typeof kept
  } catch {
    // somebody else's, or storage is forbidden
  }
  return {
    brightness: within(kept.brightness, 'brightness'),
    contrast: within(kept.contrast, 'contrast'),
    gamma: within(kept.gamma, 'gamma'),
    corrected: kept.corrected !== false,
  }
}

export function remember(file: string, tuning: Tuning, store: Pick<Storage, 'setItem'> = sessionStorage): void {
  try {
    store.setItem(key(file), JSON.stringify(tuning))
  } catch {
    // full or forbidden: it holds until the picture is closed
  }
}

/** @throws when it cannot be had, or is none */
export async function tableAt(url: string, side: number): Promise<ColourTable> {
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`${answer.status}`)
  const bytes = await answer.arrayBuffer()
  if (side < 2 || bytes.byteLength !== 6 * side ** 3) throw new Error('no colour table')
  return { side, halves: new Uint16Array(bytes) }
}
