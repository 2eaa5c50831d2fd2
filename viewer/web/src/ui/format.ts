import { computed, ref } from 'vue'
import { useI18n } from 'vue-i18n'

const two = (n: number) => String(n).padStart(2, '0')

/* Minutes east of UTC of the installation, in whose zone every time is shown and typed, wherever the browser is; null: not known
 * yet, then the browser's own. */
const zone = ref<number | null>(null)
const MINUTE = 60000

export function setZone(minutes: number | undefined) {
  zone.value = minutes ?? null
}

/** A date whose UTC fields say what clocks show at that moment. */
export function wall(at: Date): Date {
  return new Date(at.getTime() + (zone.value ?? -at.getTimezoneOffset()) * MINUTE)
}

/** The moment of "2026-11-21T09:30" or of the midnight of "2026-11-21"; NaN for another text. */
export function momentOf(text: string): number {
  const full = text.length === 10 ? `${text}T00:00` : text
  return zone.value === null ? new Date(full).getTime() : Date.parse(`${full}Z`) - zone.value * MINUTE
}

/** "2026-11-21" and so many days; '' where there is no such day. */
export function dayPlus(day: string, days: number): string {
  const date = new Date(`${day}T00:00Z`)
  date.setUTCDate(date.getUTCDate() + days)
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 10)
}

/** How the zone is called where it is not the browser's: minutes east of UTC; null: nothing to say. */
export function foreignZone(now = new Date()): number | null {
  return zone.value === null || zone.value === -now.getTimezoneOffset() ? null : zone.value
}

/** "UTC+5:30" */
export function zoneText(minutes: number): string {
  const size = Math.abs(minutes)
  return `UTC${minutes < 0 ? '−' : '+'}${Math.floor(size / 60)}${size % 60 ? `:${two(size % 60)}` : ''}`
}

/** "2026-11-21" */
export function isoDay(date: Date): string {
  const at = wall(date)
  return `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`
}

export function clockOf(date: Date): string {
  const at = wall(date)
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`
}

/** What an <input type="datetime-local"> wants. */
export function localInput(ms: number): string {
  const date = new Date(ms)
  return `${isoDay(date)}T${clockOf(date)}`
}

export function daysBetween(from: Date, to: Date): number {
  const day = (date: Date) => Date.parse(isoDay(date))
  return Math.round((day(to) - day(from)) / 86400000)
}

/** "1.5 MB" */
export function sizeText(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB']
  let value = bytes,
    unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** "1:02:03", "4:05" */
export function lengthText(ms: number): string {
  const s = Math.floor(ms / 1000),
    h = Math.floor(s / 3600)
  return h ? `${h}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`
}

export function useFormat() {
  const { locale, t } = useI18n()
  const english = computed(() => locale.value === 'en')

  function day(ms: number): string {
    const away = daysBetween(new Date(), new Date(ms)),
      date = wall(new Date(ms))
    if (away >= -1 && away <= 1) return t(`word.day${away + 1}`)
    const sameYear = date.getUTCFullYear() === wall(new Date()).getUTCFullYear()
    if (english.value)
      return date.toLocaleDateString('en-GB', {
        day: 'numeric',
        month: 'short',
        timeZone: 'UTC',
        ...(sameYear ? {} : { year: 'numeric' }),
      })
    return `${sameYear ? '' : `${date.getUTCFullYear()}年`}${date.getUTCMonth() + 1}月${date.getUTCDate()}日`
  }

  /** "今天 14:00", "11月3日 09:30" */
  function time(ms: number): string {
    return `${day(ms)} ${clockOf(new Date(ms))}`
  }

  /** Always with the year: for papers. */
  function full(ms: number): string {
    const clock = clockOf(new Date(ms)),
      date = wall(new Date(ms))
    return english.value
      ? `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })}, ${clock}`
      : `${date.getUTCFullYear()}年${date.getUTCMonth() + 1}月${date.getUTCDate()}日 ${clock}`
  }

  return { day, time, full, size: sizeText }
}
