import { onBeforeUnmount, onMounted } from 'vue'
import { locked, onUnlock } from './locked'

/** Calls `load` when somebody comes back to the page, and now and then while it is being looked at; nothing of it keeps a login. */
export function useFresh(load: () => Promise<unknown> | void, everyMs: number): void {
  let last = Date.now()
  let timer: ReturnType<typeof setInterval> | undefined
  let stop: () => void = () => undefined
  const run = () => {
    if (document.visibilityState !== 'visible' || locked.value) return
    last = Date.now()
    void load()
  }
  const back = () => {
    if (Date.now() - last > 3000) run()
  }
  onMounted(() => {
    timer = setInterval(run, everyMs)
    stop = onUnlock(run)
    window.addEventListener('focus', back)
    document.addEventListener('visibilitychange', back)
  })
  onBeforeUnmount(() => {
    clearInterval(timer)
    stop()
    window.removeEventListener('focus', back)
    document.removeEventListener('visibilitychange', back)
  })
}
