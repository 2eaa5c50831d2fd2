import { afterEach, expect, test, vi } from 'vitest'
import { UNTOUCHED } from '@/view/colour/curve'
import { remember, remembered, tableAt } from '@/view/colour/memory'

afterEach(() => vi.unstubAllGlobals())

test('a slide’s colours are remembered, each slide’s its own', () => {
  const kept = new Map<string, string>()
  const store = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  }
  remember('A', { ...UNTOUCHED, gamma: 1.5, corrected: false }, store)
  expect(remembered('A', store)).toEqual({ brightness: 0, contrast: 1, gamma: 1.5, corrected: false })
  expect(remembered('B', store)).toEqual(UNTOUCHED)
})

test('what cannot be is not believed', () => {
  const of = (text: string) => remembered('A', { getItem: () => text })
  expect(of('{"gamma":0,"contrast":"2","brightness":null}')).toEqual(UNTOUCHED)
  expect(of('nonsense')).toEqual(UNTOUCHED)
  expect(of('null')).toEqual(UNTOUCHED)
})

test('a table has as many colours as it says', async () => {
  vi.stubGlobal('fetch', async () => new Response(new Uint8Array(48)))
  expect((await tableAt('/c', 2)).halves).toHaveLength(24)
  await expect(tableAt('/c', 33)).rejects.toThrow('no colour table')
  vi.stubGlobal('fetch', async () => new Response('', { status: 415 }))
  await expect(tableAt('/c', 2)).rejects.toThrow('415')
})
