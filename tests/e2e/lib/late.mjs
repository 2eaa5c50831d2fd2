// By how much a page is late of itself: what its machine owes it, no server can make up for. A limit of time counts beyond that, in the same run.
const EVERY_MS = 50

/** From now on the page notes by how much each turn of a timer comes too late. */
export const watchLate = (who) =>
  who.eval(`(() => {
  window.__late = []
  clearInterval(window.__ticking)
  let due = performance.now() + ${EVERY_MS}
  window.__ticking = setInterval(() => { const at = performance.now(); window.__late.push(Math.max(0, at - due)); due = at + ${EVERY_MS} }, ${EVERY_MS})
})()`)

/** The list of it, in ms, since watchLate. */
export const late = (who) => who.eval('window.__late')

const STALLED_MS = 50,
  ATTEMPTS = 3

/**
 * A measurement that fails while the pages' own timers stood still for longer says nothing of the server: it is made again, twice at most. Where the machine
 * kept up, the first failure counts.
 */
export async function unlessStalled(pages, measure) {
  for (let left = ATTEMPTS - 1; ; left--) {
    for (const page of pages) await watchLate(page)
    try {
      return await measure()
    } catch (e) {
      let own = 0
      for (const page of pages) own = Math.max(own, ...(await late(page)))
      if (!left || own < STALLED_MS) throw e
      console.log(`        once more, since a page was ${Math.round(own)} ms late of itself: ${e.message}`)
    }
  }
}
