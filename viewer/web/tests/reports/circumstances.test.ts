import { expect, test } from 'vitest'
import type { ConsultRequest, Expert, Opinion, Report } from '@/api/types'
import { ageAt, asSigned } from '@/reports/circumstances'
import { heldText } from '@/requests/times'

const SIGNED = new Date(2026, 10, 30, 10, 20).getTime()
const expert = (id: string, took_part: boolean): Expert => ({
  id,
  name: id,
  title: '',
  hospital: '',
  lead: id === 'lead',
  took_part,
})
const opinion = (id: string, at: number): Opinion => ({ id, at, text: id, author: { id, name: id, title: '' } })
const ongoing = { started_at: SIGNED - 1_200_000, ended_at: null, ongoing: true }
const over = { started_at: SIGNED - 1_200_000, ended_at: SIGNED + 900_000, ongoing: false }

test('a signed version says what was known at its signature, not what is now', () => {
  const report = {
    signed_at: SIGNED,
    author: { id: 'lead', name: '', title: '' },
    circumstances: {
      scheduled_at: 1,
      held: ongoing,
      experts: [expert('lead', false), expert('b', true), expert('c', false)],
    },
  } as unknown as Report
  const request = {
    patient: { birth_date: '1961-12-01' },
    scheduled_at: 2,
    held: over,
    experts: [expert('lead', true), expert('b', true), expert('c', true)],
    opinions: [opinion('b', SIGNED - 1), opinion('c', SIGNED + 1)],
  } as unknown as ConsultRequest
  const said = asSigned(request, report)
  expect([said.scheduled_at, said.held]).toEqual([1, ongoing])
  const ids = (list: { id: string }[]) => list.map(({ id }) => id)
  expect([ids(said.came), ids(said.missed)]).toEqual([['lead', 'b'], ['c']])
  expect([ids(said.opinions), ids(said.later)]).toEqual([['b'], ['c']])
  expect(said.age).toBe(64)
  expect(
    heldText(
      ongoing,
      () => 'T',
      (key) => key,
      true,
    ),
  ).toBe('request.held.at_signature')
})

test('an age is that of the day', () => {
  const at = (month: number, day: number) => ageAt('1961-05-02', new Date(2026, month - 1, day).getTime())
  expect([at(5, 1), at(5, 2), at(12, 1)]).toEqual([64, 65, 65])
  expect([ageAt('', SIGNED), ageAt('2026-11-30', SIGNED)]).toEqual([null, 0])
})
