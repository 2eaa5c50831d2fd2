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

export interface RequestRow {
  id: string
  number: string
  kind: string
  urgency: Urgency
  state: string
  patient: { name: string; sex: Sex; age: number | null }
  diagnosis: string
  hospital: Named | string
  referrer: Named | string | null
  lead: Named | string | null
  scheduled_at: number | null
  created_at: number
  room: string | null
  flags: string[]
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

export interface FileInfo {
  id: string
  name: string
  category: string
  type: string
  size: number
  sha256: string
  kind: 'slide' | 'document' | 'image' | 'other'
  state: 'ready' | 'converting' | 'failed'
  pages: number | null
}

export interface Opinion {
  author?: Named | string
  name?: string
  text: string
  at?: number
}

export interface Report {
  findings: string
  conclusion: string
  advice: string
  version: number
  state?: string
  signed_at?: number | null
  signed_by?: Named | string | null
  opinions?: Opinion[]
}

export interface HistoryRow {
  at: number
  actor: Named | string | null
  from: string
  to: string
  reason: string
}

export interface ConsultRequest extends Omit<RequestRow, 'patient'> {
  patient: Patient
  question: string
  experts: { id: string; name: string; lead: boolean }[]
  files: FileInfo[]
  report: Report | null
  record: { text: string } | string | null
  opinions?: Opinion[]
  return_reason: string | null
  history: HistoryRow[]
  actions: string[]
}

export interface Doctor {
  id: string
  name: string
  title: string
  hospital: Named | string
  department: Named | string
  roles: string[]
}

export interface Directory {
  hospitals: { id: string; name: string; city: string; departments: Named[] }[]
  doctors: Doctor[]
}

export interface Minutes {
  month: string
  rule: string
  quota: number
  total: number
  tiers: { tier: string; ms: number; minutes: number; weight: number; weighted: number }[]
  items: { id: string; name: string; weighted: number; ms: number[] }[]
  days: { day: string; weighted_ms: number }[]
}

/** Some lists name things as `{id, name}`, some as plain text. */
export function nameOf(value: Named | string | null | undefined): string {
  if (!value) return ''
  return typeof value === 'string' ? value : value.name
}
