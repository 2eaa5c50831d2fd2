/* Whether the page is locked: everything behind the lock waits, what was typed stays where it is (account/lock.ts locks and unlocks). */
import { readonly, ref } from 'vue'

const state = ref(false)
export const locked = readonly(state)
const hooks = new Set<() => void>()
let waiting: (() => void)[] = []

export function setLocked(on: boolean): void {
  if (state.value === on) return
  state.value = on
  if (on) return
  const going = waiting
  waiting = []
  for (const go of going) go()
  for (const hook of hooks) hook()
}

/** At once where the page is not locked. */
export function unlocked(): Promise<void> {
  return state.value ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve()
}

/** Calls `hook` whenever the same person is there again. Gives what ends that. */
export function onUnlock(hook: () => void): () => void {
  hooks.add(hook)
  return () => hooks.delete(hook)
}
