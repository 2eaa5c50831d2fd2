import { afterEach, expect, test, vi } from 'vitest'
import { useRemembered } from '@/ui/remembered'

afterEach(() => vi.unstubAllGlobals())
const CHOICES = ['grid', 'stage'] as const

test('a choice is remembered for its user alone, and only while it is one', () => {
  const kept = new Map<string, string>()
  vi.stubGlobal('localStorage', {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
  })
  const choice = useRemembered('layout', 'a', CHOICES, 'grid')
  expect(choice.value).toBe('grid')
  choice.value = 'stage'
  expect(useRemembered('layout', 'a', CHOICES, 'grid').value).toBe('stage')
  expect(useRemembered('layout', 'b', CHOICES, 'grid').value).toBe('grid')
  expect(useRemembered('layout', 'a', ['grid', 'other'], 'grid').value).toBe('grid')
})

test('a browser that keeps nothing has the choice until the page is left', () => {
  const never = () => {
    throw new Error('denied')
  }
  vi.stubGlobal('localStorage', { getItem: never, setItem: never })
  const choice = useRemembered('layout', 'a', CHOICES, 'grid')
  choice.value = 'stage'
  expect(choice.value).toBe('stage')
})
