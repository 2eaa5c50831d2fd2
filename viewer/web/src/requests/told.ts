import type { Waiting } from './watch'

/** "清河县人民医院 呼吸内科 · C20261130-0007": two of one hospital can be told apart, and nothing is said of the patient. */
export function urgentName({
  hospital,
  department,
  number,
}: Pick<Waiting, 'hospital' | 'department' | 'number'>): string {
  return `${[hospital, department].filter(Boolean).join(' ')} · ${number}`
}

/** Knows which ones were told: each once, and again when it had gone and came back. */
export class Bell {
  constructor(
    private told: Set<string>,
    private readonly tell: (fresh: Waiting[]) => void,
    private readonly remember: (ids: string[]) => void = () => undefined,
  ) {}

  take(waiting: readonly Waiting[]): void {
    const fresh = waiting.filter((one) => !this.told.has(one.id))
    const ids = waiting.map((one) => one.id)
    this.told = new Set(ids)
    // before the sound: a reload in between does not ring twice
    this.remember(ids)
    if (fresh.length) this.tell(fresh)
  }
}
