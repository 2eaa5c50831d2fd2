import { effectScope, nextTick, ref } from 'vue'
import { expect, test } from 'vitest'
import { usePanel } from '@/room/panel'

const setUp = (phoneAtFirst: boolean) => {
  const phone = ref(phoneAtFirst)
  const scope = effectScope()
  const panel = scope.run(() =>
    usePanel(
      () => phone.value,
      () => !phone.value,
    ),
  )
  if (!panel) throw new Error('no panel')
  const become = async (small: boolean) => {
    phone.value = small
    await nextTick()
  }
  return { panel, become }
}

test('a panel that nobody touched is open where there is room for it', async () => {
  const { panel, become } = setUp(false)
  expect(panel.open.value).toBe(true)
  await become(true)
  expect(panel.open.value).toBe(false)
  await become(false)
  expect(panel.open.value).toBe(true)
})

test('what somebody opened on a phone stays, and where it was, when the phone is turned', async () => {
  const { panel, become } = setUp(true)
  panel.open.value = true
  panel.tab.value = 'chat'
  await become(false)
  await become(true)
  expect([panel.open.value, panel.tab.value]).toEqual([true, 'chat'])
  panel.open.value = false
  panel.open.value = true
  expect(panel.tab.value).toBe('chat')
})

test('who writes in a panel that stood open keeps it when the window becomes small', async () => {
  const { panel, become } = setUp(false)
  panel.tab.value = 'chat'
  await become(true)
  expect(panel.open.value).toBe(true)
})
