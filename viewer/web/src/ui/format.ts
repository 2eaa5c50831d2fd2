import { computed } from 'vue'
import { useI18n } from 'vue-i18n'

const two = (n: number) => String(n).padStart(2, '0')

/** "2026-11-21" in the browser's own zone. */
export function isoDay(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

export function clockOf(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}`
}

/** What an <input type="datetime-local"> wants. */
export function localInput(ms: number): string {
  const date = new Date(ms)
  return `${isoDay(date)}T${clockOf(date)}`
}

export function daysBetween(from: Date, to: Date): number {
  return Math.round(
    (new Date(to.getFullYear(), to.getMonth(), to.getDate()).getTime() -
      new Date(from.getFullYear(), from.getMonth(), from.getDate()).getTime()) /
      86400000,
  )
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
    const date = new Date(ms),
      away = daysBetween(new Date(), date)
    if (away >= -1 && away <= 1) return t(`word.day${away + 1}`)
    const sameYear = date.getFullYear() === new Date().getFullYear()
    if (english.value)
      return date.toLocaleDateString('en-GB', {
        day: 'numeric',
        month: 'short',
        ...(sameYear ? {} : { year: 'numeric' }),
      })
    return `${sameYear ? '' : `${date.getFullYear()}年`}${date.getMonth() + 1}月${date.getDate()}日`
  }

  /** "今天 14:00", "11月3日 09:30" */
  function time(ms: number): string {
    return `${day(ms)} ${clockOf(new Date(ms))}`
  }

  /** Always with the year: for papers. */
  function full(ms: number): string {
    const date = new Date(ms)
    return english.value
      ? `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })}, ${clockOf(date)}`
      : `${date.getFullYear()}年${date.getMonth() + 1}月${date.getDate()}日 ${clockOf(date)}`
  }

  return { day, time, full, size: sizeText }
}
