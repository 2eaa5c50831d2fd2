/* When a consultation was planned, and when it really was. */
import type { ConsultRequest, Held } from '@/api/types'
import { clockOf, isoDay } from '@/ui/format'

type Say = (key: string, named: Record<string, string>) => string

/** "11月3日 09:30 – 10:12"; what goes on says so. `time`: how a moment is written. */
export function heldText(held: Held, time: (ms: number) => string, t: Say): string {
  const from = time(held.started_at)
  if (held.ongoing) return t('request.held.ongoing', { from })
  if (held.ended_at === null) return t('request.held.since', { from })
  const [start, end] = [new Date(held.started_at), new Date(held.ended_at)]
  return `${from} – ${isoDay(start) === isoDay(end) ? clockOf(end) : time(held.ended_at)}`
}

/** Whether it began in another minute than it was planned for. */
export function differs({ scheduled_at, held }: Pick<ConsultRequest, 'scheduled_at' | 'held'>): boolean {
  const minute = (ms: number) => Math.floor(ms / 60000)
  return held !== null && scheduled_at > 0 && minute(held.started_at) !== minute(scheduled_at)
}
