import { expect, test } from 'vitest'
import { readFileSync } from 'node:fs'
import { requestMessages } from '@/requests/messages'
import {
  TONES,
  badge,
  canEnterNow,
  canOpen,
  mayTake,
  contradiction,
  fromIdentity,
  isAmended,
  narrow,
  plainIdentity,
  masked,
  missingCategories,
  nextStep,
  unread,
} from '@/requests/state'
import { askedAs, differs, heldText, movedText } from '@/requests/times'
import { reportMessages } from '@/reports/messages'
import type { ConsultRequest, State } from '@/api/types'
import { daysBetween, lengthText, localInput, sizeText } from '@/ui/format'
import { i18n } from '@/i18n'

test('an identity number gives sex and date of birth, if its check digit is right', () => {
  expect(fromIdentity('11010519491231002X')).toEqual({ birth_date: '1949-12-31', sex: 'female' })
  expect(fromIdentity('110105194912310021')).toBe(null)
  expect(fromIdentity('440524188001010014')).toEqual({ birth_date: '1880-01-01', sex: 'male' })
  expect(fromIdentity('')).toBe(null)
})

test('an identity number is held against sex and date of birth, as far as they are said', () => {
  const say = (sex: string, birth_date: string) =>
    contradiction({ identity_number: '11010519491231002X', sex, birth_date })
  expect([say('', ''), say('female', '1949-12-31'), say('unknown', '1949-12-31')]).toEqual(['', '', ''])
  expect([say('male', '1949-12-31'), say('female', '1949-12-30')]).toEqual(['other_sex', 'other_birth'])
  expect(contradiction({ identity_number: 'E12345678', sex: 'male', birth_date: '' })).toBe('')
})

test('signing the report closes no door: it is open as long as the room is', () => {
  const enters = (state: State, room: string | null) => canEnterNow({ state, room })
  expect((['IN_SESSION', 'AWAITING_REPORT', 'WRITTEN', 'REPORTED'] as const).map((s) => enters(s, 'r'))).toEqual(
    Array(4).fill(true),
  )
  expect([enters('REPORTED', null), enters('SCHEDULED', 'r'), enters('CLOSED', null)]).toEqual([false, false, false])
})

test('the badge says what a request waits for, in every state, urgent or not', () => {
  const say = (state: State, urgent: boolean) =>
    badge(state, urgent)
      .words.split('.')
      .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], requestMessages.zh)
  // state, ordinary, urgent: where any expert may accept it, it waits for one (consult/state.c: accept)
  const rows: [State, string, string][] = [
    ['UPLOADING', '待提交', '待接诊'],
    ['RETURNED', '已退回', '已退回'],
    ['PENDING_REVIEW', '待审核', '待接诊'],
    ['SCHEDULED', '已安排', '已安排'],
    ['IN_SESSION', '会诊中', '会诊中'],
    ['AWAITING_REPORT', '待写报告', '待写报告'],
    ['WRITTEN', '报告待审核', '报告待审核'],
    ['REPORTED', '已出报告', '已出报告'],
    ['CLOSED', '已结束', '已结束'],
    ['REJECTED', '未通过', '未通过'],
    ['CANCELLED', '已取消', '已取消'],
  ]
  expect(rows.map(([state]) => state).sort()).toEqual(Object.keys(TONES).sort())
  expect(rows.map(([state]) => [state, say(state, false), say(state, true)])).toEqual(rows)
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

test('another time is told with the one before', () => {
  const say = (key: string, named: Record<string, string>) => `${key} ${Object.values(named).join(' | ')}`
  const text = (reason: string) => movedText(reason, (ms) => `@${ms}`, say)
  expect(text('100/30 → 200/30')).toBe('request.held.moved @100 | @200')
  expect(text('100/30 → 100/45')).toBe(
    'request.held.moved @100 · request.detail.minutes 30 | @100 · request.detail.minutes 45',
  )
  expect([text(''), text('患者转院')]).toEqual(['', ''])
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

test('an identity number is the same however it was pasted', () => {
  for (const text of [
    '420106 19530712 3246',
    '４２０１０６１９５３０７１２３２４６',
    '420106\u00a019530712\u3000324\u200b6\n',
    ' 420106195307123246 ',
  ])
    expect(plainIdentity(text)).toBe('420106195307123246')
  expect(plainIdentity('Ｈ１２３４５６７（８）')).toBe('H1234567(8)')
  expect(plainIdentity('张')).toBe('张')
  expect(narrow('１３９－７１００ １２３４')).toBe('139-7100 1234')
})

test('a report that says something else than what was read is told', () => {
  expect([isAmended(0), isAmended(1), isAmended(1, 0)]).toEqual([false, false, false])
  expect([isAmended(2), isAmended(2, 1), isAmended(3, 2)]).toEqual([true, true, true])
  expect(isAmended(2, 2)).toBe(false)
})

test('an amended report is to be read by its referring doctor, also in a closed request', () => {
  const row = { report_unread: 2, referrer: { id: 'r', name: '' } }
  expect([unread(row, 'r'), unread(row, 'e'), unread({ ...row, report_unread: 0 }, 'r')]).toEqual(['mine', 'other', ''])
  for (const state of ['REPORTED', 'CLOSED'] as const) {
    const request = { ...row, state, actions: [], record: '' } as unknown as ConsultRequest
    expect([nextStep(request, 'r'), nextStep(request, 'e')]).toEqual([
      'read',
      state === 'CLOSED' ? 'closed' : 'reported',
    ])
  }
  for (const lang of ['zh', 'en'] as const) expect(requestMessages[lang].request.todo.read).toBeTruthy()
})

test('a request that was never handed in was begun, not asked for', () => {
  expect([askedAs('UPLOADING'), askedAs('RETURNED'), askedAs('CLOSED')]).toEqual(['begun', 'created', 'created'])
})

test('page and paper call the same things by the same names', () => {
  const paper = readFileSync('../../consult/paper/printer/sheet.c', 'utf8')
  const { field, held } = requestMessages.zh.request
  const { findings, conclusion, advice, reason, opinions, later, absent } = reportMessages.zh.report
  const fields = ['name', 'sex', 'age', 'birth_date', 'identity_number', 'hospital', 'department', 'referrer'] as const
  const asked = ['experts', 'diagnosis', 'question', 'scheduled_at'] as const
  const words = [
    ...[...fields, ...asked].map((key) => field[key]),
    ...[held.planned, held.took_place, findings, conclusion, advice, reason, opinions, later, absent],
    ...Object.values(requestMessages.zh.sex),
  ]
  expect(words.filter((word) => !paper.includes(`"${word}"`))).toEqual([])
  for (const key of ['number', 'urgency', 'lead'] as const) expect(paper).toContain(`"${field[key]}：`)
  expect(masked('42010619530712324X')).toBe('420106********324X')
})

test('a slide is downloaded by who may see its label, everything else by everybody', () => {
  const takes = (kind: 'slide' | 'document', ...rights: string[]) =>
    mayTake({ kind }, (right) => rights.includes(right))
  expect([takes('slide', 'slide.label'), takes('slide', 'report.write'), takes('document')]).toEqual([
    true,
    false,
    true,
  ])
})
