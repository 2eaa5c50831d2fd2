import { effectScope } from 'vue'
import { afterEach, expect, test, vi } from 'vitest'
import { useScreen } from '@/room/screen'

afterEach(() => vi.unstubAllGlobals())

test('what the screen is follows the window until its user goes', () => {
  const list = Object.assign(new EventTarget(), { matches: true })
  vi.stubGlobal('window', { matchMedia: () => list })
  const turn = (matches: boolean) => {
    list.matches = matches
    list.dispatchEvent(new Event('change'))
  }
  const scope = effectScope()
  const small = scope.run(() => useScreen('(max-width: 600px)'))
  expect(small?.value).toBe(true)
  turn(false)
  expect(small?.value).toBe(false)
  scope.stop()
  turn(true)
  expect(small?.value).toBe(false)
})
