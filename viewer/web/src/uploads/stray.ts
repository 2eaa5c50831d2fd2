/* Files that are let fall where nothing takes them: by itself a browser leaves the app and shows them in its place. */
import { onBeforeUnmount, watch } from 'vue'

let places = 0

/** This component has boxes that take files, as long as it is there and `takes` says so. */
export function useDropPlace(takes: () => boolean): void {
  let counted = 0
  const count = (now: number) => {
    places += now - counted
    counted = now
  }
  watch(takes, (now) => count(now ? 1 : 0), { immediate: true })
  onBeforeUnmount(() => count(0))
}

const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false

/** Keeps the app where it is. `tell` is called for each drop that nothing took; `nearby`: there are boxes on this page. */
export function catchStrayFiles(target: EventTarget, tell: (nearby: boolean) => unknown): () => void {
  const over = (event: Event) => {
    if (!event.defaultPrevented && holdsFiles(event as DragEvent)) event.preventDefault()
  }
  const drop = (event: Event) => {
    if (event.defaultPrevented || !holdsFiles(event as DragEvent)) return
    event.preventDefault()
    tell(places > 0)
  }
  target.addEventListener('dragover', over)
  target.addEventListener('drop', drop)
  return () => {
    target.removeEventListener('dragover', over)
    target.removeEventListener('drop', drop)
  }
}
