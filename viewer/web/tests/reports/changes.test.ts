import { expect, test } from 'vitest'
import { changesOf, partsThatDiffer } from '@/reports/changes'
import { unprintableText } from '@/reports/unprintable'

/* [gone] and {new} in the text */
const shown = (before: string, after: string) =>
  changesOf(before, after)
    .map(({ kind, text }) => (kind === 'same' ? text : kind === 'gone' ? `[${text}]` : `{${text}}`))
    .join('')

test('Chinese is compared by character, words and numbers stay whole', () => {
  expect(shown('（右肺上叶）浸润性腺癌，中分化。', '（右肺上叶）浸润性腺癌，低分化。')).toBe(
    '（右肺上叶）浸润性腺癌，[中]{低}分化。',
  )
  expect(shown('Ki-67 约 30%', 'Ki-67 约 35%')).toBe('Ki-67 约 [30%]{35%}')
  expect(shown('肿物 3.5cm', '肿物 3.8cm')).toBe('肿物 [3.5cm]{3.8cm}')
  expect(shown('见癌', '未见癌')).toBe('{未}见癌')
  expect(shown('Адам күн', 'Адам түн')).toBe('Адам [күн]{түн}')
})

test('one letter between two changes is read with them, a mark or a line break is not', () => {
  expect(shown('甲乙丙', '丁乙戊')).toBe('[甲乙丙]{丁乙戊}')
  expect(shown('甲，丙', '丁，戊')).toBe('[甲]{丁}，[丙]{戊}')
  expect(shown('甲\n丙', '丁\n戊')).toBe('[甲]{丁}\n[丙]{戊}')
})

test('the pieces are both texts, whatever they are', () => {
  const texts = ['', '一', '見𰪿', 'a\r\nb', '腺癌。'.repeat(50), '肠腺\n癌'.repeat(40), '𠮷'.repeat(9), 'x y z']
  for (const before of texts)
    for (const after of texts) {
      const pieces = changesOf(before, after)
      const without = (kind: string) =>
        pieces
          .filter((piece) => piece.kind !== kind)
          .map((piece) => piece.text)
          .join('')
      expect([without('new'), without('gone')]).toEqual([before, after])
    }
  expect(changesOf('一', '一')).toEqual([{ kind: 'same', text: '一' }])
})

test('texts that have nothing in common are told at once', () => {
  const long = (from: number) => String.fromCodePoint(...Array.from({ length: 6000 }, (_, n) => from + n))
  const began = performance.now()
  const pieces = changesOf(long(0x4e00), long(0x7000))
  expect(pieces.map((piece) => piece.kind)).toEqual(['gone', 'new'])
  expect(performance.now() - began).toBeLessThan(10_000)
})

test('what cannot be printed is named by its place and its number', () => {
  const t = (key: string, named?: Record<string, unknown>) =>
    key === 'problem.at_field' ? `${String(named?.field)}：${String(named?.text)}` : key
  const list = [
    { field: 'patient.name', characters: ['𱬖'] },
    { field: 'findings', characters: ['𰪿', '\u{10ff00}'] },
  ]
  expect(unprintableText(list, t)).toBe(
    'request.field.name：𱬖 (U+31B16); report.findings：𰪿 (U+30ABF) \u{10ff00} (U+10FF00)',
  )
  const many = [
    { field: 'advice', characters: Array.from({ length: 12 }, (_, n) => String.fromCodePoint(0x30000 + n)) },
  ]
  expect(unprintableText(many, t)).toMatch(/U\+30009\) …$/)
})

test('a conflict shows the parts that differ alone, an amendment its reason apart', () => {
  const here = { findings: 'a', conclusion: 'b', advice: '', reason: 'x', figures: [] }
  const there = { ...here, conclusion: 'c', reason: 'y' }
  expect([partsThatDiffer(here, there, true), partsThatDiffer(here, there, false)]).toEqual([
    ['reason', 'conclusion'],
    ['conclusion'],
  ])
  expect(partsThatDiffer(here, here, true)).toEqual([])
})
