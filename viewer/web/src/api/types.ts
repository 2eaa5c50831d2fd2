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
  /** how long a login lasts without a sign of its person; how much of that is left, and of its whole life */
  idle_ms: number
  idle_left_ms: number
  life_left_ms: number
  /** of the installation, east of UTC */
  zone_minutes: number
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

export interface Lead extends Named {
  /** the account is, and the consultation is not over: he cannot come */
  disabled?: boolean
}

export interface RequestRow {
  id: string
  number: string
  kind: string
  urgency: Urgency
  state: State
  /** age_days: of who is younger than two years */
  patient: { name: string; sex: Sex; age: number | null; age_days: number | null }
  diagnosis: string
  hospital: Named
  referrer: Named
  lead: Lead | null
  /** 0: no time yet */
  scheduled_at: number
  scheduled_minutes: number
  created_at: number
  /** first handed in; of what was not yet, begun */
  requested_at: number
  /** the version of an amended report that the referring doctor has not read yet; 0: none */
  report_unread: number
  room: string | null
  /** of a return, a rejection or a cancellation */
  reason: string
  /** what the reader is to do next: a key of request.todo, or nothing */
  todo: string
}

/** What waits for the reader, and the consultations of some days. */
export interface Desk {
  mine: RequestRow[]
  days: RequestRow[]
}

/** An expert's consultation, as far as whoever schedules has to know of it. */
export interface Busy {
  expert: string
  name: string
  request: string
  number: string
  at: number
  minutes: number
  hospital: string
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
  age_days?: number | null
}

/** What the form sends. */
export interface RequestForm {
  kind: 'C'
  urgency: Urgency
  /** sex is '' until somebody chose it */
  patient: Omit<Patient, 'age' | 'sex'> & { sex: Sex | '' }
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
  /** preparing: a slide whose overview is being made; tiling: a picture that is being made a slide; stuck: the server could not, and tries again by itself */
  state: 'ready' | 'converting' | 'preparing' | 'tiling' | 'stuck' | 'failed'
  pages: number | null
  /** hundredths, while the server works on it */
  progress?: number
  created_at?: number
}

export interface Author extends Named {
  title: string
}

/** What somebody wrote in the room. */
export interface Message {
  seq: number
  id: string
  at: number
  author: Author
  text: string
  file: FileInfo | null
  /** There was a file, which has been deleted since. */
  file_gone: boolean
}

export interface MessagePage {
  messages: Message[]
  last: number
  more: boolean
}

export interface Opinion {
  id: string
  author: Author
  text: string
  at: number
}

/** A picture of a place on a slide, as `view.state` says places; `width`, `height`: its pixels; `mpp`: µm of one, 0 without a scale. */
export interface Figure {
  id: string
  file: string
  caption: string
  cx: number
  cy: number
  w: number
  h: number
  rotation: number
  mirror: boolean
  z: number
  width: number
  height: number
  mpp: number
}

/** A study of DICOM images. */
export interface Study {
  uid: string
  /** YYYYMMDD */
  date: string
  description: string
  modalities: string[]
  series: number
  instances: number
  /** Images that came once more with other content. */
  conflicts: number
  /** Where a small picture is; '' without one. */
  picture: string
}

export interface ReportTexts {
  findings: string
  conclusion: string
  advice: string
  /** why an amendment takes the place of the version before; '' in the first */
  reason: string
  figures: Figure[]
}

/** What stands around a report's text. */
export interface Circumstances {
  scheduled_at: number
  held: Held | null
  experts: Expert[]
}

/** The lead expert sees the draft (`signed_at` null) and in `signed` what was last signed; others what was last signed. */
export interface Report extends ReportTexts {
  version: number
  revision: number
  author: Author
  updated_at: number
  signed_at: number | null
  signed?: Report | null
  /** of a signed version: fixed by its signature */
  circumstances?: Circumstances
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
  /** was in the room while the consultation took place, or signed something */
  took_part: boolean
  /** as a Lead's */
  disabled?: boolean
}

export interface ConsultRequest extends Omit<RequestRow, 'patient' | 'reason' | 'referrer' | 'todo'> {
  patient: Patient
  held: Held | null
  question: string
  revision: number
  referrer: Named & { title: string; department: string }
  experts: Expert[]
  files: FileInfo[]
  studies: Study[]
  report: Report | null
  record: string
  opinions: Opinion[]
  return_reason: string
  /** How many were written in its room. */
  messages: number
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
  /** disabled ones, of whom there are consultations */
  former_experts: Named[]
}

/** An account as administrators see it. */
export interface Account {
  id: string
  username: string
  name: string
  title: string
  hospital: string
  department: string
  roles: string[]
  active: boolean
  /** how long it is locked still; 0: it is not */
  locked_ms: number
  /** not over, of which the account is an expert */
  consultations: number
}

export interface Minutes {
  month: string
  rule: 'aggregate' | 'max_tier'
  quota: number
  total: number
  /** area_to: pixels that still belong to the tier; null: no bound */
  tiers: { tier: string; area_to: number | null; ms: number; minutes: number; weight: number; weighted: number }[]
  /** weighted: a whole share of the total; weighted_ms: exact, the sum of the segments' */
  items: { id: string; name: string; weighted: number; weighted_ms: number; ms: number[] }[]
  days: { day: string; weighted_ms: number; weighted: number }[]
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
  /** A picture in the room claimed a size that is not believed: it was counted by what came. */
  doubted: boolean
}

/** Some lists name things as `{id, name}`, some as plain text. */
export function nameOf(value: Named | string | null | undefined): string {
  if (!value) return ''
  return typeof value === 'string' ? value : value.name
}

/** What lets a device into a room; the token itself is told once, when it is made. Times in ms. */
export interface RoomToken {
  id: string
  publish: boolean
  sessions: number
  created: number
  expires: number
}
