import { expect, test } from 'vitest'
import { Problem, plainMessage } from '@/api/problem'
import { withQuery } from '@/api/client'

const t = (key: string, named?: Record<string, unknown>) => (named ? `${key}:${named.detail}` : key)

test('a problem becomes one plain sentence', () => {
  expect(plainMessage(new Problem(0, 'network', '', null, ''), t)).toBe('problem.network')
  expect(plainMessage(new Problem(403, 'Forbidden', 'no', null, ''), t)).toBe('problem.forbidden')
  expect(plainMessage(new Problem(502, '', '', null, ''), t)).toBe('problem.server')
  expect(plainMessage(new Problem(409, 'Conflict', 'consent is missing', null, ''), t)).toBe(
    'problem.with_detail:consent is missing',
  )
  expect(plainMessage(new Problem(422, '', 'the content is a ZIP', 'filename', ''), t)).toBe('problem.field.content')
  expect(plainMessage(new Problem(422, '', 'a password', 'file.password', ''), t)).toBe('problem.field.file_password')
  expect(plainMessage(new Error('x'), t)).toBe('problem.unknown')
})

test('empty query values are left out', () => {
  expect(withQuery('/a', { tab: 'pending', name: '', from: null, page: 2 })).toBe('/a?tab=pending&page=2')
  expect(withQuery('/a')).toBe('/a')
})
