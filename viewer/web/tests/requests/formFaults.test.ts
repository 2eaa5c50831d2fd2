import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { RequestForm } from '@/api/types'
import { faultsOf, phoneValid } from '@/requests/formFaults'

const TODAY = '2026-11-30'
const form = (patient: Partial<RequestForm['patient']> = {}, diagnosis = '占位'): RequestForm => ({
  kind: 'C',
  urgency: 'ordinary',
  patient: { name: '李明', sex: 'female', birth_date: '1949-12-31', identity_number: '', phone: '', ...patient },
  diagnosis,
  question: '',
})

test('everything that is wrong is said at once, each at its field', () => {
  expect(faultsOf(form(), TODAY)).toEqual({})
  const empty = form({ name: ' ', sex: '', birth_date: '', identity_number: '张', phone: '12' }, '')
  expect(faultsOf(empty, TODAY)).toEqual({
    name: 'missing',
    sex: 'missing',
    birth_date: 'missing',
    identity_number: 'format',
    phone: 'format',
    diagnosis: 'missing',
  })
})

test('dates and identity numbers', () => {
  const say = (patient: Partial<RequestForm['patient']>) => faultsOf(form(patient), TODAY)
  expect([say({ birth_date: '2026-11-30' }), say({ birth_date: '2026-12-01' })]).toEqual([{}, { birth_date: 'future' }])
  const identity = (identity_number: string, more: Partial<RequestForm['patient']> = {}) =>
    say({ identity_number, ...more }).identity_number
  expect(['11010519491231002X', 'E12345678', '110105491231002', 'H1234567(8)'].map((one) => identity(one))).toEqual(
    Array(4).fill(undefined),
  )
  expect(
    ['110105194912310021', '1101051949123100', '11010519491231002', '11010519490231002X'].map((one) => identity(one)),
  ).toEqual(Array(4).fill('checksum'))
  expect([identity('A'.repeat(30)), identity('A'.repeat(31))]).toEqual([undefined, 'format'])
  expect(identity('11010519491231002X', { sex: 'male' })).toBe('other_sex')
  expect(identity('11010519491231002X', { birth_date: '1949-12-30' })).toBe('other_birth')
})

test('telephone numbers are judged as the server judges them: by its own examples', () => {
  const text = readFileSync('../../tests/unit/consult/request/test_patient.c', 'utf8')
  const list = (name: string) =>
    [...(new RegExp(`${name}\\[\\] = \\{([^}]*)\\}`).exec(text)?.[1] ?? '').matchAll(/"([^"]*)"/g)].map(
      ([, one]) => one ?? '',
    )
  const [good, bad] = [list('good'), list('bad')]
  expect([good.length, bad.length].every((n) => n > 5)).toBe(true)
  expect(good.filter((one) => !phoneValid(one))).toEqual([])
  expect(bad.filter((one) => phoneValid(one))).toEqual([])
})
