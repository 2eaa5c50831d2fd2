import { createI18n } from 'vue-i18n'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Problem, fieldMessage, plainMessage, problemFrom, refusedField } from '@/api/problem'
import { withQuery } from '@/api/client'
import { common } from '@/i18n/common'
import { RpcError, problemOfCall } from '@/room/call/rpc'

const t = (key: string, named?: Record<string, unknown>) => (named ? `${key}:${named.detail}` : key)
const speaks = (locale: 'zh' | 'en') => {
  const { global } = createI18n({ legacy: false, locale, missingWarn: false, messages: common })
  return (key: string, named: Record<string, unknown> = {}) => global.t(key, named)
}

test('a problem becomes one plain sentence', () => {
  expect(plainMessage(new Problem(0, 'network', '', null, ''), t)).toBe('problem.network')
  expect(plainMessage(new Problem(403, 'Forbidden', 'no', null, ''), t)).toBe('problem.forbidden')
  expect(plainMessage(new Problem(502, '', '', null, ''), t)).toBe('problem.server')
  expect(plainMessage(new Problem(422, '', 'the content is a ZIP', 'filename', ''), t)).toBe('problem.field.content')
  expect(plainMessage(new Problem(422, '', 'must be plain', 'filename', '', 'format'), t)).toBe(
    'problem.field.file_name',
  )
  expect(plainMessage(new Problem(422, '', 'too long', 'Upload-Metadata', ''), t)).toBe('problem.field.file_name')
  expect(plainMessage(new Problem(422, '', 'a password', 'file.password', ''), t)).toBe('problem.field.file_password')
  expect(plainMessage(new Problem(409, 'Conflict', 'consent is missing', null, ''), t)).toBe('problem.conflict')
  expect(plainMessage(new Error('x'), t)).toBe('problem.unknown')
})

test('an expert whose place others took is told so, a stranger nothing', () => {
  expect(plainMessage(problemFrom(404, { wrong: 'parted' }), speaks('zh'))).toBe('会诊专家已调整，您不再参加这次会诊。')
  expect(plainMessage(problemFrom(404, {}), speaks('zh'))).toBe('没有找到相关内容，可能已被删除。')
})

test('a refused field says what is wrong with it, by its name where it does not stand beside it', () => {
  const long = problemFrom(422, { field: 'diagnosis', wrong: 'too_long', min: 1, max: 2000, detail: 'The text must …' })
  expect(refusedField(long)).toBe('diagnosis')
  expect(fieldMessage(long, speaks('zh'))).toBe('最多 2000 个字，请缩短。')
  expect(plainMessage(long, speaks('zh'))).toBe('诊断：最多 2000 个字，请缩短。')
  expect(plainMessage(long, speaks('en'))).toBe('Diagnosis: At most 2000 characters. Please shorten it.')
  const date = problemFrom(422, { field: 'patient.birth_date', wrong: 'format' })
  expect([refusedField(date), plainMessage(date, speaks('zh'))]).toEqual(['birth_date', '出生日期不正确。'])
  // too long is not "fill it in first", which the same field says when a report is signed without it
  const findings = (status: number, wrong: string) => problemFrom(status, { field: 'findings', wrong, max: 6000 })
  expect(plainMessage(findings(422, 'too_long'), speaks('zh'))).toBe('检查所见：最多 6000 个字，请缩短。')
  expect(plainMessage(findings(409, ''), speaks('zh'))).toBe('请先填写“检查所见”。')
  expect(refusedField(findings(409, ''))).toBe(null)
})

test("the server's English stands in no page", () => {
  for (const status of [400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 502, 503])
    for (const field of [null, 'diagnosis', 'files', 'filename', 'nobody.knows'])
      for (const wrong of ['', 'too_long', 'format', 'a_new_word']) {
        const problem = problemFrom(status, { title: 'Title', detail: 'Detail', field, wrong, max: 3 })
        const text = plainMessage(problem, speaks('zh')).replace(/PDF|JPEG/g, '') // names of formats, in every language
        expect(text, JSON.stringify(problem)).toMatch(/^[^A-Za-z]+$/)
      }
  const refused = new RpcError(1009, 'Not possible', { detail: 'this file is not ready', field: 'file' })
  expect(plainMessage(problemOfCall(refused), speaks('zh'))).toBe('这份资料现在不能打开，请刷新后再试。')
  expect(plainMessage(problemOfCall(new Error('gone')), speaks('zh'))).toBe('网络连接不上，请检查网络后重试。')
})

test('every word of the server has a sentence in both languages', () => {
  const table = readFileSync(new URL('../../../../base/err.h', import.meta.url), 'utf8')
  const words = [...table.matchAll(/^ {4}X\(\w+, "(\w+)", "/gm)].map((found) => found[1])
  expect(words.length).toBeGreaterThan(7)
  for (const word of words)
    for (const locale of ['zh', 'en'] as const) expect(common[locale].problem.wrong).toHaveProperty(word as string)
  expect(Object.keys(common.zh.problem.label)).toEqual(Object.keys(common.en.problem.label))
  expect(Object.keys(common.zh.problem.field)).toEqual(Object.keys(common.en.problem.field))
})

test('empty query values are left out', () => {
  expect(withQuery('/a', { tab: 'pending', name: '', from: null, page: 2 })).toBe('/a?tab=pending&page=2')
  expect(withQuery('/a')).toBe('/a')
})
