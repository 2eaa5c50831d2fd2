import { Skip } from '../../lib/check.mjs'

// By how much a page is late of itself: what its machine owes it, no server can make up for. A limit of time counts beyond that, in the same run.
const EVERY_MS = 50

/** From now on the page notes by how much each turn of a timer comes too late. */
export const watchLate = (who) =>
  who.eval(`(() => {
  window.__late = []
  window.__lateAt = []
  clearInterval(window.__ticking)
  let due = performance.now() + ${EVERY_MS}
  window.__ticking = setInterval(() => { const at = performance.now(); window.__late.push(Math.max(0, at - due)); window.__lateAt.push(performance.timeOrigin + at); due = at + ${EVERY_MS} }, ${EVERY_MS})
})()`)

/** The list of it, in ms, since watchLate. */
export const late = (who) => who.eval('window.__late ?? []')

/** The same with the wall clock's time of each turn: [[time, ms late], …]. */
export const lateAt = (who) => who.eval('(window.__late ?? []).map((ms, i) => [window.__lateAt[i], ms])')

/** The longest of it, in ms, over several pages. */
export const latest = async (...pages) => {
  let most = 0
  for (const page of pages) most = Math.max(most, ...(await late(page)))
  return Math.round(most)
}

const STALLED_MS = 50,
  HOPELESS_MS = 150,
  ATTEMPTS = 3

/**
 * A measurement that fails while the pages' own timers stood still for longer says nothing of the server: it is made again, twice at most. Where the machine
 * kept up, the first failure counts. Where it never did, nothing was measured, and that is said: the check is skipped.
 */
export async function unlessStalled(pages, measure) {
  const stood = []
  for (let left = ATTEMPTS - 1; ; left--) {
    for (const page of pages) await watchLate(page)
    try {
      return await measure()
    } catch (e) {
      stood.push(await latest(...pages))
      const hopeless = stood.length === ATTEMPTS && Math.min(...stood) >= HOPELESS_MS
      if (hopeless)
        throw new Skip(`pages stood still for ${stood.join(', ')} ms while it was measured; at last ${e.message}`)
      if (!left || stood.at(-1) < STALLED_MS) throw e
      console.log(`        once more, since a page was ${stood.at(-1)} ms late of itself: ${e.message}`)
    }
  }
}
