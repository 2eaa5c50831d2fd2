/* The whole list as its address says it. The address has no patient's name: that lives in memory, as long as the tab and the login do. */
import type { Tab } from '@/api/types'
import { dayPlus, isoDay, momentOf } from '@/ui/format'

export const TABS: Tab[] = ['uploading', 'pending', 'completed']
export const RANGES = ['all', 'today', 'tomorrow', 'week', 'own'] as const
export const SORTS = ['urgent', 'scheduled', '-scheduled', '-created', 'created', 'number'] as const
export const SIZE = 20

export interface ListFilter {
  tab: Tab
  page: number
  state: string
  hospital: string
  expert: string
  number: string
  by: 'scheduled' | 'created'
  range: (typeof RANGES)[number]
  from: string
  to: string
  sort: (typeof SORTS)[number]
}

const DAY = /^\d{4}-\d\d-\d\d$/
const one = <T extends string>(value: unknown, of: readonly T[], otherwise: T): T =>
  of.includes(value as T) ? (value as T) : otherwise

/** A request's number or a part of one, "C20261130-0007", "20261130", "0007"; no telephone or identity number, which stand in no address. */
const NUMBER = /^(?:[A-Za-z]?20\d{5,6}(?:-\d{0,6})?|[A-Za-z]?\d{1,6}|\d{0,6}-\d{1,6})$/

/** What an address says; whatever is missing or wrong in it is as usual. */
export function filterOf(query: Record<string, unknown>): ListFilter {
  const text = (key: string, like: RegExp) =>
    typeof query[key] === 'string' && like.test(query[key]) ? (query[key] as string) : ''
  return {
    tab: one(query.tab, TABS, 'pending'),
    page: Math.max(1, Math.floor(Number(query.page)) || 1),
    state: text('state', /^[A-Z_]+$/),
    hospital: text('hospital', /^\w+$/),
    expert: text('expert', /^\w+$/),
    number: text('number', NUMBER),
    by: one(query.by, ['scheduled', 'created'] as const, 'scheduled'),
    range: one(query.range, RANGES, 'all'),
    from: text('from', DAY),
    to: text('to', DAY),
    sort: one(query.sort, SORTS, 'urgent'),
  }
}

/** The address's query: only what is not as usual. */
export function queryOf(filter: ListFilter): Record<string, string> {
  const usual = filterOf({})
  const out: Record<string, string> = { tab: filter.tab }
  for (const key of Object.keys(usual) as (keyof ListFilter)[])
    if (key !== 'tab' && filter[key] !== usual[key]) out[key] = String(filter[key])
  return out
}

/** What stands on a tab: how many there are of it; where something is looked for, in front of that how many of them were found. A state is
 * looked for in the open tab only. `whole`: null as long as nobody knows. */
export function tabCount(
  name: Tab,
  open: ListFilter,
  searched: boolean,
  found: Record<Tab, number>,
  whole: Record<Tab, number> | null,
): string {
  if (!searched) return `${found[name]}`
  if (open.state && name !== open.tab) return whole ? `${whole[name]}` : '…'
  return `${found[name]} / ${whole ? whole[name] : '…'}`
}

const dayStart = (day: string, add = 0) => momentOf(dayPlus(day, add))

/** From when to when, by days of the installation; null: open. */
export function boundsOf(filter: ListFilter, now = new Date()): { from: number | null; to: number | null } {
  const day = (add: number) => dayStart(isoDay(now), add)
  if (filter.range === 'today') return { from: day(0), to: day(1) }
  if (filter.range === 'tomorrow') return { from: day(1), to: day(2) }
  if (filter.range === 'week')
    return filter.by === 'scheduled' ? { from: day(0), to: day(7) } : { from: day(-6), to: day(1) }
  if (filter.range === 'own')
    return { from: filter.from ? dayStart(filter.from) : null, to: filter.to ? dayStart(filter.to, 1) : null }
  return { from: null, to: null }
}

/** What was typed into the one box: a request's number goes into the address, a name does not. */
export function searchedFor(text: string): { number: string; name: string } {
  const words = text.trim()
  return NUMBER.test(words) ? { number: words, name: '' } : { number: '', name: words }
}

/** Where the list was left, for the way back to it. */
export const left = { user: '', address: '/requests', name: '' }

export function listAddress(): string {
  return left.address
}
