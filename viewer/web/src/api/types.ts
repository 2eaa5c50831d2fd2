/* What the REST interface says, as docs/protocol.md describes it. */

export interface Named {
  id: string
  name: string
}

export interface User {
  id: string
  username: string
  name: string
  title: string
  hospital: Named
  department: Named
  roles: string[]
  rights: string[]
}

export interface Session {
  user: User
  csrf: string
}

export interface Page<T> {
  items: T[]
  total: number
}

export type Tab = 'uploading' | 'pending' | 'completed'
export type Urgency = 'ordinary' | 'urgent'
export type Sex = 'male' | 'female' | 'unknown'

export type State =
  | 'UPLOADING'
  | 'RETURNED'
  | 'PENDING_REVIEW'
  | 'SCHEDULED'
  | 'IN_SESSION'
  | 'AWAITING_REPORT'
  | 'WRITTEN'
  | 'REPORTED'
  | 'CLOSED'
  | 'REJECTED'
  | 'CANCELLED'

export interface RequestRow {
  id: string
  number: string
  kind: string
  urgency: Urgency
  state: State
  patient: { name: string; sex: Sex; age: number | null }
  diagnosis: string
  hospital: Named
  referrer: Named
  lead: Named | null
  /** 0: no time yet */
  scheduled_at: number
  scheduled_minutes: number
  created_at: number
  room: string | null
  /** of a return, a rejection or a cancellation */
  reason: string
}

/** When a consultation really took place. */
export interface Held {
  started_at: number
  /** null: it goes on, or nobody knows */
  ended_at: number | null
  ongoing: boolean
}

export interface RequestList extends Page<RequestRow> {
  counts: Record<Tab, number>
}

export interface Patient {
  name: string
  sex: Sex
  birth_date: string
  identity_number: string
  phone: string
  age?: number | null
}

/** What the form sends. */
export interface RequestForm {
  kind: 'C'
  urgency: Urgency
  patient: Omit<Patient, 'age'>
  diagnosis: string
  question: string
}

export interface FileInfo {
  id: string
  name: string
  category: string
  type: string
  size: number
  sha256: string
  kind: 'slide' | 'document' | 'image' | 'other'
  /** preparing: a slide whose overview is being made; stuck: the server could not, and tries again by itself */
  state: 'ready' | 'converting' | 'preparing' | 'stuck' | 'failed'
  pages: number | null
  created_at?: number
}

export interface Author extends Named {
  title: string
}

export interface Opinion {
  id: string
  author: Author
  text: string
  at: number
}

export interface ReportTexts {
  findings: string
  conclusion: string
  advice: string
  /** why an amendment takes the place of the version before; '' in the first */
  reason: string
}

/** The lead expert sees the draft (`signed_at` null) and in `signed` what was last signed; others what was last signed. */
export interface Report extends ReportTexts {
  version: number
  revision: number
  author: Author
  updated_at: number
  signed_at: number | null
  signed?: Report | null
}

export interface HistoryRow {
  at: number
  actor: Named
  action: string
  from: string
  to: string
  reason: string
}

export interface Expert extends Named {
  title: string
  hospital: string
  lead: boolean
}

export interface ConsultRequest extends Omit<RequestRow, 'patient' | 'reason' | 'referrer'> {
  patient: Patient
  held: Held | null
  question: string
  revision: number
  referrer: Named & { title: string; department: string }
  experts: Expert[]
  files: FileInfo[]
  report: Report | null
  record: string
  opinions: Opinion[]
  return_reason: string
  updated_at: number
  history: HistoryRow[]
  actions: string[]
}

export interface Doctor {
  id: string
  name: string
  title: string
  hospital: string
  department: string
  roles: string[]
}

export interface Directory {
  hospitals: { id: string; name: string; city: string; departments: Named[] }[]
  doctors: Doctor[]
}

/** An account as administrators see it. */
export interface Account {
  id: string
  username: string
  name: string
  title: string
  hospital: string
  department: string
  active: boolean
  /** how long it is locked still; 0: it is not */
  locked_ms: number
}

export interface Minutes {
  month: string
  rule: 'aggregate' | 'max_tier'
  quota: number
  total: number
  tiers: { tier: string; ms: number; minutes: number; weight: number; weighted: number }[]
  items: { id: string; name: string; weighted: number; ms: number[] }[]
  days: { day: string; weighted_ms: number }[]
}

export interface Segment {
  room: string
  title: string
  request: string
  participant: string
  user: string
  name: string
  kind: string
  start: number
  ms: number
  area_sum: number
  area_max: number
  tier_aggregate: number
  tier_max: number
  weighted_ms: number
  end_cause: string
}

/** Some lists name things as `{id, name}`, some as plain text. */
export function nameOf(value: Named | string | null | undefined): string {
  if (!value) return ''
  return typeof value === 'string' ? value : value.name
}
