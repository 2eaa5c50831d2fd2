/* Which slides lie beside the open one, and how. It goes with the region to whoever follows (docs/protocol.md, `view.state`). */
import type { ArrangementMessage } from '@/room/call/protocol'
import { SAME, type Similar } from './similar'

export const MOST_BESIDE = 3
/** The server's: a slide so small beside another is none. */
const LEAST = 1e-4

export interface Pane {
  readonly file: string
  /** From the open slide to this one. */
  readonly on: Similar
}

export interface Arrangement {
  /** Over each other instead of beside. */
  readonly over: boolean
  /** How much of those on top is seen, 0 to 1. */
  readonly shown: number
  readonly panes: readonly Pane[]
}

export const ALONE: Arrangement = { over: false, shown: 0.5, panes: [] }

export const toMessage = ({ over, shown, panes }: Arrangement): ArrangementMessage => ({
  over,
  shown,
  panes: panes.map(({ file, on }) => ({ file, ...on })),
})

/** What a server from before, or a stranger's page, may have let through is left out: a slide twice, one that has no size. */
export function fromMessage(said: ArrangementMessage | undefined): Arrangement {
  if (!said) return ALONE
  let all: Arrangement = { over: said.over, shown: said.shown, panes: [] }
  for (const { file, a, b, x, y, over } of said.panes)
    if (Math.hypot(a, b) >= LEAST) all = withPane(all, file, { a, b, x, y, over })
  return all
}

export const withPane = (all: Arrangement, file: string, on: Similar): Arrangement => ({
  ...all,
  panes: all.panes.some((one) => one.file === file)
    ? all.panes.map((one) => (one.file === file ? { file, on } : one))
    : [...all.panes, { file, on }].slice(-MOST_BESIDE),
})
export const withoutPane = (all: Arrangement, file: string): Arrangement => ({
  ...all,
  panes: all.panes.filter((one) => one.file !== file),
})

/* How two slides were laid on each other by two points is kept on this device: the same two lie so the next time. */
const nameOf = (here: string, there: string) => `consilium.beside.${here}.${there}`

export function keepLock(here: string, there: string, on: Similar): void {
  try {
    localStorage.setItem(nameOf(here, there), JSON.stringify(on))
  } catch {
    // a private window: it is remembered until the page is left
  }
}

export function keptLock(here: string, there: string): Similar | null {
  try {
    const kept = JSON.parse(localStorage.getItem(nameOf(here, there)) ?? 'null') as Partial<Similar> | null
    const whole = kept && [kept.a, kept.b, kept.x, kept.y].every((value) => Number.isFinite(value))
    return whole && (kept.a || kept.b) ? { ...SAME, ...kept, over: !!kept.over } : null
  } catch {
    return null
  }
}
