/** What Chromium on phones knows of the way out (Network Information API): "wifi", "cellular", …; elsewhere undefined. */
interface WayOut extends EventTarget {
  type?: string
}

/** Tells of another network: from the ward's to the carrier's, a cable pulled out and put in again. Gives what ends it. */
export function onNetworkChange(changed: () => void): () => void {
  const way = (navigator as Navigator & { connection?: WayOut }).connection
  let type = way?.type
  const online = () => changed()
  // the event tells of changes of the measured speed, too
  const moved = () => {
    if (way?.type === type) return
    type = way?.type
    if (type !== 'none') changed()
  }
  window.addEventListener('online', online)
  way?.addEventListener('change', moved)
  return () => {
    window.removeEventListener('online', online)
    way?.removeEventListener('change', moved)
  }
}
