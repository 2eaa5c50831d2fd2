/* When a consultation was planned, and when it really was. */
import type { ConsultRequest, Held, State } from '@/api/types'
import { clockOf, isoDay } from '@/ui/format'

type Say = (key: string, named: Record<string, string>) => string

/** "11月3日 09:30 – 10:12"; what goes on says so, or that it did when a report was `signed`. `time`: how a moment is written. */
export function heldText(held: Held, time: (ms: number) => string, t: Say, signed = false): string {
  const from = time(held.started_at)
  if (held.ongoing) return t(`request.held.${signed ? 'at_signature' : 'ongoing'}`, { from })
  if (held.ended_at === null) return t('request.held.since', { from })
  const [start, end] = [new Date(held.started_at), new Date(held.ended_at)]
  return `${from} – ${isoDay(start) === isoDay(end) ? clockOf(end) : time(held.ended_at)}`
}

/** Since when a request is one: the words of `request.list` and of `request.field`, 'begun' while it was never handed in. */
export function askedAs(state: State): 'created' | 'begun' {
  return state === 'UPLOADING' ? 'begun' : 'created'
}

/** Whether it began in another minute than it was planned for. */
export function differs({ scheduled_at, held }: Pick<ConsultRequest, 'scheduled_at' | 'held'>): boolean {
  const minute = (ms: number) => Math.floor(ms / 60000)
  return held !== null && scheduled_at > 0 && minute(held.started_at) !== minute(scheduled_at)
}

/** "从 … 改到 …" of a history row's "ms/minutes → ms/minutes"; lengths only where they differ. '' for another text. */
export function movedText(reason: string, time: (ms: number) => string, t: Say): string {
  const match = /^(\d+)\/(\d+) → (\d+)\/(\d+)$/.exec(reason)
  if (!match) return ''
  const [at, minutes, toAt, toMinutes] = match.slice(1) as [string, string, string, string]
  const say = (ms: string, n: string) =>
    minutes === toMinutes ? time(Number(ms)) : `${time(Number(ms))} · ${t('request.detail.minutes', { n })}`
  return t('request.held.moved', { from: say(at, minutes), to: say(toAt, toMinutes) })
}
