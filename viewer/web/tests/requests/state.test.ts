import { expect, test } from 'vitest'
import { requestMessages } from '@/requests/messages'
import { TONES, canEnterNow, canOpen, fromIdentity, masked, missingCategories } from '@/requests/state'
import { differs, heldText } from '@/requests/times'
import type { State } from '@/api/types'
import { daysBetween, lengthText, localInput, sizeText } from '@/ui/format'
import { i18n } from '@/i18n'

test('an identity number gives sex and date of birth, if its check digit is right', () => {
  expect(fromIdentity('11010519491231002X')).toEqual({ birth_date: '1949-12-31', sex: 'female' })
  expect(fromIdentity('110105194912310021')).toBe(null)
  expect(fromIdentity('440524188001010014')).toEqual({ birth_date: '1880-01-01', sex: 'male' })
  expect(fromIdentity('')).toBe(null)
})

test('signing the report closes no door: it is open as long as the room is', () => {
  const enters = (state: State, room: string | null) => canEnterNow({ state, room })
  expect((['IN_SESSION', 'AWAITING_REPORT', 'WRITTEN', 'REPORTED'] as const).map((s) => enters(s, 'r'))).toEqual(
    Array(4).fill(true),
  )
  expect([enters('REPORTED', null), enters('SCHEDULED', 'r'), enters('CLOSED', null)]).toEqual([false, false, false])
})

test('planned and real times', () => {
  const at = (hour: number, minute: number, day = 22) => new Date(2026, 10, day, hour, minute, 20).getTime()
  const say = (key: string, { from }: Record<string, string>) => `${key} ${from}`
  const text = (ended_at: number | null, ongoing = false) =>
    heldText({ started_at: at(9, 26), ended_at, ongoing }, (ms) => localInput(ms), say)
  expect(text(at(9, 49))).toBe('2026-11-22T09:26 – 09:49')
  expect(text(at(0, 10, 23))).toBe('2026-11-22T09:26 – 2026-11-23T00:10')
  expect(text(null, true)).toBe('request.held.ongoing 2026-11-22T09:26')
  expect(text(null)).toBe('request.held.since 2026-11-22T09:26')
  const held = { started_at: at(10, 0), ended_at: null, ongoing: true }
  expect(differs({ scheduled_at: at(10, 0) - 20000, held })).toBe(false)
  expect(differs({ scheduled_at: at(9, 59), held })).toBe(true)
  expect([differs({ scheduled_at: 0, held }), differs({ scheduled_at: at(9, 0), held: null })]).toEqual([false, false])
})

test('masked numbers keep only their ends', () => {
  expect(masked('11010519491231002X')).toBe('110105********002X')
  expect(masked('13800001234')).toBe('138******34')
  expect(masked('123')).toBe('***')
  expect(masked('')).toBe('')
})

test('the consent is required', () => {
  expect(missingCategories([])).toEqual(['consent'])
  expect(missingCategories([{ category: 'consent' }])).toEqual([])
})

test('sizes, lengths and days in words', () => {
  expect([sizeText(12), sizeText(1536), sizeText(250 << 20), sizeText(3 * 2 ** 30)]).toEqual([
    '12 B',
    '1.5 KB',
    '250 MB',
    '3.0 GB',
  ])
  expect([lengthText(0), lengthText(65_000), lengthText(3_723_000)]).toEqual(['0:00', '1:05', '1:02:03'])
  expect(daysBetween(new Date(2026, 10, 20, 23, 59), new Date(2026, 10, 21, 0, 1))).toBe(1)
  expect(localInput(new Date(2026, 0, 2, 3, 4).getTime())).toBe('2026-01-02T03:04')
})

function keys(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([key, inner]) => keys(inner, `${path}.${key}`))
}

test('both languages say the same things', () => {
  const { messages } = i18n.global as unknown as { messages: { value: Record<string, unknown> } }
  expect(keys(messages.value.en).sort()).toEqual(keys(messages.value['zh-CN']).sort())
  expect(Object.keys(requestMessages.zh.request.state).sort()).toEqual(Object.keys(TONES).sort())
})

test('a file can be looked at when there is something to see, also before its overview is made', () => {
  const open = (state: 'ready' | 'preparing' | 'converting' | 'stuck' | 'failed', kind: 'slide' | 'other' = 'slide') =>
    canOpen({ state, kind })
  expect([open('ready'), open('preparing')]).toEqual([true, true])
  expect([open('converting'), open('stuck'), open('failed'), open('ready', 'other')]).not.toContain(true)
})
