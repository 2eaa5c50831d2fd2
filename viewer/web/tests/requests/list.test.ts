import { expect, test } from 'vitest'
import type { ConsultRequest } from '@/api/types'
import { boundsOf, filterOf, queryOf, searchedFor, tabCount } from '@/requests/list'
import { bothInside, halfHourOn, leadName, nextStep, touches } from '@/requests/state'

test('an address says how the list was left, and only what is not as usual', () => {
  const query = {
    tab: 'completed',
    page: '3',
    state: 'CLOSED',
    number: 'C20261130-0007',
    sort: '-created',
    range: 'week',
  }
  expect(queryOf(filterOf(query))).toEqual(query)
  expect(queryOf(filterOf({}))).toEqual({ tab: 'pending' })
  expect(queryOf(filterOf({ tab: 'x', page: '-1', sort: 'name', state: 'a b', name: '张三', from: '1' }))).toEqual({
    tab: 'pending',
  })
})

test('a number goes into the address, a name does not', () => {
  expect(searchedFor(' C20261130-0007 ')).toEqual({ number: 'C20261130-0007', name: '' })
  expect(searchedFor('0007')).toEqual({ number: '0007', name: '' })
  expect(searchedFor('张三')).toEqual({ number: '', name: '张三' })
  expect(searchedFor('Chen')).toEqual({ number: '', name: 'Chen' })
  expect(searchedFor('')).toEqual({ number: '', name: '' })
})

test('no telephone and no identity number stands in an address', () => {
  for (const personal of [
    '13800138000',
    '110101199003071233',
    '11010119900307123X',
    '010-62345678',
    '62345678',
    '0571-87654321',
  ]) {
    expect(searchedFor(personal).number, personal).toBe('')
    expect(filterOf({ number: personal }).number, personal).toBe('')
  }
  for (const part of ['C20261130-0007', 'c20261130', '2026113', '20261130-', '1130-0007', '-0007', '7', '000123'])
    expect(filterOf({ number: part }).number, part).toBe(part)
})

test('days are those of the installation, of the consultation or of the filing', () => {
  const now = new Date(2026, 10, 30, 1, 24)
  const day = (n: number) => new Date(2026, 10, 30 + n).getTime()
  const bounds = (query: Record<string, string>) => boundsOf(filterOf(query), now)
  expect(bounds({})).toEqual({ from: null, to: null })
  expect(bounds({ range: 'today' })).toEqual({ from: day(0), to: day(1) })
  expect(bounds({ range: 'tomorrow' })).toEqual({ from: day(1), to: day(2) })
  expect(bounds({ range: 'week' })).toEqual({ from: day(0), to: day(7) })
  expect(bounds({ range: 'week', by: 'created' })).toEqual({ from: day(-6), to: day(1) })
  expect(bounds({ range: 'own', from: '2026-11-30', to: '2026-11-30' })).toEqual({ from: day(0), to: day(1) })
})

test('a tab says how many there are of it, whatever is looked for', () => {
  const whole = { uploading: 2, pending: 12, completed: 340 },
    found = { uploading: 0, pending: 3, completed: 1 }
  const say = (query: Record<string, string>, searched = true, known = true) =>
    (['uploading', 'pending', 'completed'] as const).map((name) =>
      tabCount(name, filterOf(query), searched, searched ? found : whole, known ? whole : null),
    )
  expect(say({}, false, false)).toEqual(['2', '12', '340'])
  expect(say({ hospital: 'H' })).toEqual(['0 / 2', '3 / 12', '1 / 340'])
  expect(say({ hospital: 'H' }, true, false)).toEqual(['0 / …', '3 / …', '1 / …'])
  expect(say({ state: 'SCHEDULED' })).toEqual(['2', '3 / 12', '340'])
})

test('consultations that touch each other', () => {
  const one = { at: 600_000, minutes: 10 }
  expect([0, 60_000, 1_199_999, 1_200_000].map((at) => touches(one, at, 10))).toEqual([false, true, true, false])
  // seconds that nobody is shown make no clash
  expect(touches({ at: 645_000, minutes: 10 }, 1_200_000, 10)).toBe(false)
  expect(touches({ at: 1_200_000, minutes: 10 }, 645_000, 10)).toBe(false)
})

test('half an hour on is half an hour on, at a time that can be said', () => {
  const at = (minute: number, second = 0) => ((7 * 60 + minute) * 60 + second) * 1000
  expect(halfHourOn(at(20))).toBe(at(50))
  expect(halfHourOn(at(20, 1))).toBe(at(55))
})

test('the centre is offered "did not come" only while a side is missing', () => {
  const request = { referrer: { id: 'r' }, experts: [{ id: 'a' }, { id: 'b' }] } as unknown as ConsultRequest
  const both = (...ids: string[]) =>
    bothInside(
      request,
      ids.map((id) => ({ id, name: '' })),
    )
  expect([both(), both('r'), both('a', 'b'), both('r', 'b'), bothInside(request, null)]).toEqual([
    ...[false, false, false],
    true,
    false,
  ])
})

test('a disabled expert is named as one, and the centre is to replace him', () => {
  const t = (_: string, { name }: { name: string }) => `${name}!`
  expect([leadName({ id: 'a', name: 'A' }, t), leadName({ id: 'a', name: 'A', disabled: true }, t)]).toEqual([
    'A',
    'A!',
  ])
  expect(leadName(null, t)).toBe('')
  const request = (state: string, lead: boolean, actions: string[]) =>
    nextStep({ state, actions, experts: [{ id: 'a', lead, disabled: true }] } as unknown as ConsultRequest)
  expect(request('SCHEDULED', false, ['experts'])).toBe('replace')
  expect(request('SCHEDULED', false, ['room'])).toBe('enter')
  expect(request('AWAITING_REPORT', false, ['experts'])).toBe('writing')
  expect(request('AWAITING_REPORT', true, ['experts'])).toBe('replace')
})
