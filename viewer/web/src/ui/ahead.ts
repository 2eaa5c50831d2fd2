/*
 * What is likely to be wanted next is fetched while nobody waits for anything: a page's program while somebody reads the page before it,
 * the list's while a password is typed. What fails is asked for again when it is really wanted.
 */
import type { Router } from 'vue-router'

type Load = () => Promise<unknown>

/** At the latest so long after it was asked for, however busy the page is. */
const AT_THE_LATEST_MS = 1500

/** Somebody pays for every byte, or asked to be spared. */
export const spares = () => (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true

function idle(): Promise<void> {
  return new Promise((resolve) => {
    if ('requestIdleCallback' in window) requestIdleCallback(() => resolve(), { timeout: AT_THE_LATEST_MS })
    else setTimeout(resolve, 200)
  })
}

/** One after the other, the likeliest first, whenever the page is idle. */
export async function ahead(...loads: Load[]): Promise<void> {
  if (spares()) return
  for (const load of loads) {
    await idle()
    await load().catch(() => undefined)
  }
}

/** The program of a page, by its route's name. */
export function pageOf(router: Router, name: string): Load {
  return async () => {
    const page: unknown = router.getRoutes().find((route) => route.name === name)?.components?.default
    if (typeof page === 'function') await (page as Load)()
  }
}

/** At once: a hand is on its way to it. */
export function soon(load: Load): void {
  if (!spares()) void load().catch(() => undefined)
}
