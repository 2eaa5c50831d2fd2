import type { ConsultRequest, FileInfo, Lead, Named, RequestRow, State, Tab } from '@/api/types'

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

/** What the badge says and its colour. An urgent one waits for an expert as soon as it is there, handed in or not, reviewed by nobody. */
export function badge(state: State, urgent: boolean): { words: string; tone: Tone } {
  if (urgent && (state === 'UPLOADING' || state === 'PENDING_REVIEW'))
    return { words: 'request.waiting_expert', tone: 'amber' }
  return { words: `request.state.${state}`, tone: TONES[state] }
}

/** The states of each tab. */
export const STATES_OF: Record<Tab, State[]> = {
  uploading: ['UPLOADING', 'RETURNED'],
  pending: ['PENDING_REVIEW', 'SCHEDULED', 'IN_SESSION', 'AWAITING_REPORT', 'WRITTEN'],
  completed: ['REPORTED', 'CLOSED', 'REJECTED', 'CANCELLED'],
}

export const SEXES = ['male', 'female', 'unknown'] as const

/** As forms and other programs write a number, with blanks and in full width: the same in plain letters and digits. */
export const narrow = (text: string): string =>
  text.replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0)).replace(/\u3000/g, ' ')
/** Blanks are no part of an identity number, seen or unseen. */
export const plainIdentity = (text: string): string => narrow(text).replace(/[\s\u200b-\u200f\u2060\ufeff]/g, '')

/** What an identity number contradicts: the word of the server's for it, or nothing. */
export function contradiction(patient: { identity_number: string; sex: string; birth_date: string }): string {
  const found = fromIdentity(patient.identity_number)
  if (!found) return ''
  if (patient.sex && patient.sex !== 'unknown' && patient.sex !== found.sex) return 'other_sex'
  return patient.birth_date && patient.birth_date !== found.birth_date ? 'other_birth' : ''
}

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

/** Who may download it: a slide's file holds its label, on which the patient's name may stand. */
export function mayTake(file: Pick<FileInfo, 'kind'>, may: (right: string) => boolean): boolean {
  return file.kind !== 'slide' || may('slide.label')
}

/** What the dialog of people and time is opened for. */
export type ScheduleMode = 'schedule' | 'reschedule' | 'experts' | 'assign'

/** An amended report that somebody has to read, in front of the one who sees it: 'mine', he himself, 'other', its referring doctor; ''. */
export function unread(row: Pick<RequestRow, 'report_unread' | 'referrer'>, me: string): 'mine' | 'other' | '' {
  if (!row.report_unread) return ''
  return row.referrer.id === me ? 'mine' : 'other'
}

/** What the person in front of the screen should know or do next: a key of request.next. */
export function nextStep(request: ConsultRequest, me = ''): string {
  const may = (action: string) => request.actions.includes(action)
  if (unread(request, me) === 'mine') return 'read'
  if (
    may('experts') &&
    request.experts.some((one) => one.disabled && (one.lead || request.state !== 'AWAITING_REPORT'))
  )
    return 'replace'
  switch (request.state) {
    case 'UPLOADING':
      return may('assign')
        ? 'assign'
        : may('accept')
          ? 'accept'
          : !may('submit')
            ? 'filling'
            : request.urgency === 'urgent'
              ? 'fill_urgent'
              : 'fill'
    case 'RETURNED':
      return may('submit') ? 'mend' : 'mending'
    case 'PENDING_REVIEW':
      if (may('assign')) return 'assign'
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

/** Another version of a report than the one that was read; 0 is none. The first is no amendment. */
export const isAmended = (version: number, read = 1): boolean => version > Math.max(1, read)

export function isOver(state: State): boolean {
  return state === 'CLOSED' || state === 'REJECTED' || state === 'CANCELLED'
}

/** Its room is open and the talk has begun; also after the report was signed in it, so that who was dropped comes back. */
export function canEnterNow(row: Pick<RequestRow, 'state' | 'room'>): boolean {
  return ['IN_SESSION', 'AWAITING_REPORT', 'WRITTEN', 'REPORTED'].includes(row.state) && row.room !== null
}

/** Whether a consultation touches a time, in whole minutes as they are shown; one that ends when the other begins does not. */
export function touches(one: { at: number; minutes: number }, at: number, minutes: number): boolean {
  const [first, second] = [Math.floor(one.at / 60000), Math.floor(at / 60000)]
  return first < second + minutes && first + one.minutes > second
}

/** In half an hour, at the next clock time that ends in 0 or 5. */
export function halfHourOn(now: number): number {
  return Math.ceil((now + 30 * 60000) / 300000) * 300000
}

/** The lead's name, and that he cannot come. */
export function leadName(lead: Lead | null, t: (key: string, named: { name: string }) => string): string {
  return !lead ? '' : lead.disabled ? t('request.disabled', { name: lead.name }) : lead.name
}

/** Whose "the other side did not come" makes sense: while both sides are inside, for nobody; null: nobody knows who is. */
export function bothInside(request: Pick<ConsultRequest, 'referrer' | 'experts'>, inside: Named[] | null): boolean {
  const is = (id: string) => inside?.some((one) => one.id === id) ?? false
  return is(request.referrer.id) && request.experts.some((expert) => is(expert.id))
}
