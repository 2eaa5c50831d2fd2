import { afterEach, expect, test, vi } from 'vitest'
import type { Router } from 'vue-router'
import { ahead, pageOf, soon } from '@/ui/ahead'

afterEach(() => vi.unstubAllGlobals())

function browser(saveData: boolean) {
  const idle: (() => void)[] = []
  vi.stubGlobal('window', { requestIdleCallback: true })
  vi.stubGlobal('requestIdleCallback', (then: () => void) => idle.push(then))
  vi.stubGlobal('navigator', { connection: { saveData } })
  return { rest: () => idle.shift()?.(), waits: () => idle.length }
}
const turns = () => new Promise((resolve) => setTimeout(resolve, 0))

test('one after the other, when the page is idle; what fails stops nothing', async () => {
  const { rest } = browser(false)
  const asked: string[] = []
  const done = ahead(
    () => (asked.push('first'), Promise.reject(new Error('no network'))),
    () => (asked.push('second'), Promise.resolve()),
  )
  expect(asked).toEqual([])
  rest()
  await turns()
  expect(asked).toEqual(['first'])
  rest()
  await done
  expect(asked).toEqual(['first', 'second'])
})

test('nothing for who saves data', async () => {
  const { waits } = browser(true)
  const load = vi.fn(() => Promise.resolve())
  await ahead(load)
  soon(load)
  expect(waits()).toBe(0)
  expect(load).not.toHaveBeenCalled()
})

test('the program of a page by its route; one that is there already needs nothing', async () => {
  const load = vi.fn(() => Promise.resolve())
  const routes = [
    { name: 'far', components: { default: load } },
    { name: 'here', components: { default: {} } },
  ]
  const router = { getRoutes: () => routes } as unknown as Router
  await pageOf(router, 'far')()
  await pageOf(router, 'here')()
  await pageOf(router, 'nowhere')()
  expect(load).toHaveBeenCalledTimes(1)
})
