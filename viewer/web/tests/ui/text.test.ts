import { expect, test } from 'vitest'
import { cleanText, keepClean, wellFormed } from '@/ui/text'

/* The same inputs as tests/unit/base/test_text.c. */
test.each([
  ['检\v查', '检\n查', '检 查'],
  ['检\f查', '检\n查', '检 查'],
  ['检\r查', '检\n查', '检 查'],
  ['检\r\n查', '检\n查', '检 查'],
  ['检\n\r\n查', '检\n\n查', '检 查'],
  ['检\u0085查', '检\n查', '检 查'],
  ['检\u2028查\u2029', '检\n查\n', '检 查 '],
  ['检\t查', '检\t查', '检 查'],
  ['\u0001\u001b检\u0000\u001f\u007f查\u0080\u009f', '检查', '检查'],
  ['检\u00a0\ufeff查 ', '检\u00a0\ufeff查 ', '检\u00a0\ufeff查 '],
])('invisible characters end lines or go: %j', (text, lines, line) => {
  expect(cleanText(text, true)).toBe(lines)
  expect(cleanText(text, false)).toBe(line)
})

test('half a character is left out, whole ones stay', () => {
  expect(wellFormed('a\ud842b\udfb7')).toBe('ab')
  expect(wellFormed('𠮷\ud842')).toBe('𠮷')
})

test('a field is clean before it is read, and its caret stays where it was', () => {
  const box = Object.assign(new EventTarget(), {
    type: 'textarea',
    value: '',
    selectionStart: 0,
    setSelectionRange(at: number) {
      this.selectionStart = at
    },
  })
  let read = ''
  keepClean(box)
  box.addEventListener('input', () => (read = box.value))
  const type = (value: string, caret: number) => {
    Object.assign(box, { value, selectionStart: caret })
    box.dispatchEvent(new Event('input'))
  }
  type('第一行\v\u0007第二行。后', 8)
  expect([read, box.value, box.selectionStart]).toEqual([box.value, '第一行\n第二行。后', 7])
  box.type = 'date'
  type('\u0007', 1)
  expect(box.value).toBe('\u0007')
})
