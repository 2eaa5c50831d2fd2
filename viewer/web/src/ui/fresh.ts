import { onBeforeUnmount, onMounted } from 'vue'

/** Calls `load` when somebody comes back to the page, and now and then while it is being looked at. */
export function useFresh(load: () => Promise<unknown> | void, everyMs: number): void {
  let last = Date.now()
  let timer: ReturnType<typeof setInterval> | undefined
  const run = () => {
    if (document.visibilityState !== 'visible') return
    last = Date.now()
    void load()
  }
  const back = () => {
    if (Date.now() - last > 3000) run()
  }
  onMounted(() => {
    timer = setInterval(run, everyMs)
    window.addEventListener('focus', back)
    document.addEventListener('visibilitychange', back)
  })
  onBeforeUnmount(() => {
    clearInterval(timer)
    window.removeEventListener('focus', back)
    document.removeEventListener('visibilitychange', back)
  })
}
