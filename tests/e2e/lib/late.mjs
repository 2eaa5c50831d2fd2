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
