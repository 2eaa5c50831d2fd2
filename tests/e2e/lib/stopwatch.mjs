// What runs inside the pages of speed.mjs: from a click until what it brings is there for the eye and the hand. Passed to the browser as source text.

/**
 * Installs window.__stopwatch. What is looked for, all of it:
 *   typing: a field that a hand reaches, nothing over it; seen: something on screen;
 *   still: things on screen that no longer move nor change their words; pixels: canvases whose pictures no longer change.
 * The time is that of the last change, known when nothing changed for QUIET_MS after it: what is replaced by something sharper was not there yet.
 */
export const installStopwatch = `(() => {
  if (window.__stopwatch) return
  const QUIET_MS = 600, GIVE_UP_MS = 30000
  const onScreen = (e) => {
    const box = e.getBoundingClientRect()
    return box.width > 0 && box.height > 0 && getComputedStyle(e).visibility !== 'hidden'
  }
  const all = (selector) => [...document.querySelectorAll(selector)].filter(onScreen)
  const place = (e) => {
    const box = e.getBoundingClientRect()
    return [box.x, box.y, box.width, box.height].map(Math.round).join()
  }
  const reached = (e) => {
    const box = e.getBoundingClientRect()
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
    return !e.disabled && !e.readOnly && top !== null && (e === top || e.contains(top))
  }
  // rows of pixels all over the canvas: one that has nothing but one colour shows nothing yet
  const LINES = 40
  const drawn = (canvas) => {
    const context = canvas.getContext('2d'), step = canvas.height / LINES
    let hash = 0, colours = false, first
    for (let i = 0; i < LINES; i++) {
      const data = new Uint32Array(context.getImageData(0, Math.floor((i + 0.5) * step), canvas.width, 1).data.buffer)
      first ??= data[0]
      for (const one of data) { hash = (Math.imul(hash, 31) + one) | 0; if (one !== first) colours = true }
    }
    return colours ? canvas.width + 'x' + canvas.height + ':' + hash : ''
  }
  const state = (what) => {
    const parts = []
    if (what.seen) { if (!all(what.seen).length) return ''; parts.push('seen') }
    if (what.typing) { const [e] = all(what.typing); if (!e || !reached(e)) return ''; parts.push('typing') }
    for (const selector of what.still ?? []) {
      const found = all(selector)
      if (!found.length) return ''
      parts.push(found.map((e) => place(e) + e.innerText).join('|'))
    }
    if (what.pixels) {
      const found = all(what.pixels).filter((e) => e.width > 0 && e.height > 0).map(drawn)
      if (!found.some(Boolean)) return ''
      parts.push(found.join('|'))
    }
    return parts.join(' ')
  }
  // a page that draws nothing has no frames: it must not wait for one for ever
  const soon = (look) => {
    const id = requestAnimationFrame(() => { clearTimeout(timer); look() })
    const timer = setTimeout(() => { cancelAnimationFrame(id); look() }, 1000)
  }
  const follow = (from, what) => new Promise((done, failed) => {
    let last = '', at = 0
    const look = () => {
      const now = performance.now(), is = state(what)
      if (is !== last) { last = is; at = now }
      const moves = what.still || what.pixels
      if (last && (!moves || now - at > QUIET_MS)) done(at - from)
      else if (now - from > GIVE_UP_MS) failed(new Error(JSON.stringify(what) + ' is not there: ' + last))
      else soon(look)
    }
    look()
  })
  window.__stopwatch = {
    since: async (from, what) => {
      while (!document.body) await new Promise(requestAnimationFrame)
      return follow(from, what)
    },
    // "shown" is a promise of the times after the next click
    watchClick: (whats) => (window.__stopwatch.shown = new Promise((done) => {
      addEventListener('click', (e) => done(Promise.all(whats.map((what) => follow(e.timeStamp, what)))), { capture: true, once: true })
    })),
  }
})()`
