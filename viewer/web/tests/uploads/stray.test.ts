import { expect, test } from 'vitest'
import { catchStrayFiles } from '@/uploads/stray'

const drag = (type: string, types: string[]) =>
  Object.assign(new Event(type, { cancelable: true }), { dataTransfer: { types } })

test('files that nothing takes are caught and told; what a box took, and text, is left alone', () => {
  const page = new EventTarget()
  const told: boolean[] = []
  const stop = catchStrayFiles(page, (nearby) => told.push(nearby))
  for (const [type, types, prevented] of [
    ['dragover', ['Files'], true],
    ['drop', ['Files'], true],
    ['dragover', ['text/plain'], false],
    ['drop', ['text/plain'], false],
  ] as const) {
    const event = drag(type, [...types])
    page.dispatchEvent(event)
    expect(event.defaultPrevented, `${type} ${types[0]}`).toBe(prevented)
  }
  expect(told).toEqual([false])
  const taken = drag('drop', ['Files'])
  taken.preventDefault()
  page.dispatchEvent(taken)
  expect(told.length).toBe(1)
  stop()
  page.dispatchEvent(drag('drop', ['Files']))
  expect(told.length).toBe(1)
})
