/* What a signed report says beside its text: what was known when it was signed, on the page as on paper. */
import type { ConsultRequest, Expert, Held, Opinion, Report } from '@/api/types'
import { wall } from '@/ui/format'
import { AGE_IN_DAYS } from '@/requests/age'

export interface AsSigned {
  scheduled_at: number
  held: Held | null
  /** the author among them, wherever he wrote it */
  came: Expert[]
  missed: Expert[]
  age: number | null
  /** of who is younger than two years */
  ageDays: number | null
  opinions: Opinion[]
  /** signed after this version: no part of it */
  later: Opinion[]
}

/** Whole days at a moment, of who is younger than two years. */
export function daysAt(birth: string, ms: number): number | null {
  const [year, month, day] = birth.split('-').map(Number)
  if (!year || !month || !day) return null
  const at = wall(new Date(ms))
  const today = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate())
  const days = Math.round((today - Date.UTC(year, month - 1, day)) / 86400000)
  return days >= 0 && days < AGE_IN_DAYS ? days : null
}

/** Whole years at a moment, by the installation's calendar; null without a date. */
export function ageAt(birth: string, ms: number): number | null {
  const [year, month, day] = birth.split('-').map(Number)
  if (!year || !month || !day) return null
  const at = wall(new Date(ms))
  const had = at.getUTCMonth() + 1 > month || (at.getUTCMonth() + 1 === month && at.getUTCDate() >= day)
  return Math.max(0, at.getUTCFullYear() - year - (had ? 0 : 1))
}

export function asSigned(request: ConsultRequest, report: Report): AsSigned {
  const { scheduled_at, held, experts } = report.circumstances ?? request
  const at = report.signed_at ?? 0
  const came = (one: Expert) => one.took_part || one.id === report.author.id
  return {
    scheduled_at,
    held,
    came: experts.filter(came),
    missed: experts.filter((one) => !came(one)),
    age: ageAt(request.patient.birth_date, at),
    ageDays: daysAt(request.patient.birth_date, at),
    opinions: request.opinions.filter((one) => one.at <= at),
    later: request.opinions.filter((one) => one.at > at),
  }
}

/** "王建国 主任医师（省肿瘤医院）", as it is printed. */
export function personOf({ name, title, hospital }: Pick<Expert, 'name' | 'title' | 'hospital'>): string {
  return `${[name, title].filter(Boolean).join(' ')}${hospital ? `（${hospital}）` : ''}`
}
