import { expect, test } from 'vitest'
import { arranged, numberWord, piecesOf, renumbered } from '@/reports/figures'
import type { Figure, ReportTexts } from '@/api/types'

test('numbers of pictures are found in a text, and only those that there are', () => {
  expect(piecesOf('腺体异型【图1】，见[Fig. 2]；【图9】', 2)).toEqual([
    { text: '腺体异型', figure: 0 },
    { text: '【图1】', figure: 1 },
    { text: '，见', figure: 0 },
    { text: '[Fig. 2]', figure: 2 },
    { text: '；【图9】', figure: 0 },
  ])
  expect(piecesOf('', 2)).toEqual([])
  expect([numberWord(3, true), numberWord(3, false)]).toEqual(['【图3】', '[Fig. 3]'])
})

test('pictures that change places take their numbers along, and a number without a picture goes', () => {
  expect(renumbered('【图1】【图2】[Fig. 3]', [3, 1])).toBe('【图2】[Fig. 1]')
  const figure = (id: string) => ({ id, caption: '' }) as Figure
  const texts: ReportTexts = {
    findings: '见【图2】',
    conclusion: '【图1】',
    advice: '',
    reason: '【图1】',
    figures: [figure('a'), figure('b')],
  }
  const now = arranged(texts, [2])
  expect([now.figures.map(({ id }) => id), now.findings, now.conclusion, now.reason]).toEqual([
    ['b'],
    '见【图1】',
    '',
    '【图1】',
  ])
})
