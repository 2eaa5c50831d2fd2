import type { ConsultRequest, FileInfo, RequestRow, State } from '@/api/types'

export type Tone = 'grey' | 'amber' | 'blue' | 'green' | 'violet' | 'teal' | 'red'

/** One colour for one meaning: amber waits for the hospital's own people, blue for a time, green is now, red is over without a result. */
export const TONES: Record<State, Tone> = {
  UPLOADING: 'grey',
  RETURNED: 'red',
  PENDING_REVIEW: 'amber',
  SCHEDULED: 'blue',
  IN_SESSION: 'green',
  AWAITING_REPORT: 'violet',
  WRITTEN: 'violet',
  REPORTED: 'teal',
  CLOSED: 'grey',
  REJECTED: 'red',
  CANCELLED: 'grey',
}

export const SEXES = ['male', 'female', 'unknown'] as const

/** In the order of the form; the server requires the consent. */
export const CATEGORIES = [
  'consent',
  'pathology',
  'imaging',
  'ecg',
  'lab',
  'exam',
  'admission',
  'progress',
  'operation',
  'orders',
  'other',
] as const
export const REQUIRED: readonly string[] = ['consent']

export function missingCategories(files: { category: string }[]): string[] {
  return REQUIRED.filter((category) => !files.some((file) => file.category === category))
}

/** There is something to look at. To all it is shown only when it is ready. */
export function canOpen(file: Pick<FileInfo, 'state' | 'kind'>): boolean {
  return (file.state === 'ready' || file.state === 'preparing') && file.kind !== 'other'
}

/** What the person in front of the screen should know or do next: a key of request.next. */
export function nextStep(request: ConsultRequest): string {
  const may = (action: string) => request.actions.includes(action)
  switch (request.state) {
    case 'UPLOADING':
      return may('accept')
        ? 'accept'
        : !may('submit')
          ? 'filling'
          : request.urgency === 'urgent'
            ? 'fill_urgent'
            : 'fill'
    case 'RETURNED':
      return may('submit') ? 'mend' : 'mending'
    case 'PENDING_REVIEW':
      if (may('schedule')) return 'review'
      return may('accept') ? 'accept' : request.urgency === 'urgent' ? 'reviewing_urgent' : 'reviewing'
    case 'SCHEDULED':
      return may('room') ? 'enter' : 'waiting'
    case 'IN_SESSION':
      return 'session'
    case 'AWAITING_REPORT':
      return may('draft') ? 'write' : 'writing'
    case 'WRITTEN':
      return 'auditing'
    case 'REPORTED':
      return may('close') ? (request.record ? 'close' : 'record') : 'reported'
    default:
      return request.state.toLowerCase()
  }
}

/** From an 18-digit Chinese identity number: date of birth and sex, or null. */
export function fromIdentity(text: string): { birth_date: string; sex: 'male' | 'female' } | null {
  const match = /^\d{6}((?:18|19|20)\d{2})(\d{2})(\d{2})\d{2}(\d)([\dXx])$/.exec(text.trim())
  if (!match) return null
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
  const sum = weights.reduce((total, weight, i) => total + weight * Number(text.trim()[i]), 0)
  if ('10X98765432'[sum % 11] !== match[5]?.toUpperCase()) return null
  const date = new Date(Number(match[1]), Number(match[2]) - 1, Number(match[3]))
  if (date.getMonth() !== Number(match[2]) - 1) return null
  return { birth_date: `${match[1]}-${match[2]}-${match[3]}`, sex: Number(match[4]) % 2 ? 'male' : 'female' }
}

/** Only what the eye needs to recognise a number: first and last few characters. */
export function masked(text: string): string {
  if (text.length <= 4) return '*'.repeat(text.length)
  const head = text.length > 12 ? 6 : 3,
    tail = text.length > 12 ? 4 : 2
  return text.slice(0, head) + '*'.repeat(text.length - head - tail) + text.slice(-tail)
}

export function isOver(state: State): boolean {
  return state === 'CLOSED' || state === 'REJECTED' || state === 'CANCELLED'
}

/** Its room is open and the talk has begun; also after the report was signed in it, so that who was dropped comes back. */
export function canEnterNow(row: Pick<RequestRow, 'state' | 'room'>): boolean {
  return ['IN_SESSION', 'AWAITING_REPORT', 'WRITTEN', 'REPORTED'].includes(row.state) && row.room !== null
}
