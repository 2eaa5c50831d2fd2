/* What has to reach the server before somebody logs out: editors that save themselves a moment after the last key. */
import { onBeforeUnmount } from 'vue'

type Flush = () => Promise<boolean>
const editors = new Set<Flush>()

/** Saves what is not saved; false when something could not be. */
export async function flushAll(): Promise<boolean> {
  const done = await Promise.all([...editors].map((flush) => flush().catch(() => false)))
  return !done.includes(false)
}

/** While the component is there, its `flush` is called before a logout. */
export function useUnsent(flush: Flush): void {
  editors.add(flush)
  onBeforeUnmount(() => editors.delete(flush))
}
