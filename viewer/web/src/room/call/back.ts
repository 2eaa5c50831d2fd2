/* What cannot be said while the connection is being made anew, and is said as soon as it is back. */
import { watch } from 'vue'
import { Disconnected } from './rpc'

/** Longer than a change of networks takes; nobody is surprised by what comes after it. */
const WAIT_MS = 30_000

/** Resolves once `is` is true, or after `ms`. */
function whenever(is: () => boolean, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    const stop = watch(is, (now) => now && done(), { flush: 'sync' })
    function done() {
      clearTimeout(timer)
      stop()
      resolve()
    }
    if (is()) done()
  })
}

/** `wait`: tells the person that it waits. @throws as `act` does, Disconnected when the connection stays away. */
export async function onceBack(isThere: () => boolean, act: () => Promise<void>, wait: () => void): Promise<void> {
  if (isThere()) {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error
    }
  }
  wait()
  await whenever(isThere, WAIT_MS)
  await act()
}
