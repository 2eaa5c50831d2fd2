// The shared view as a page shows it: which region, when, and what is drawn. `who` is a Chromium or a Firefox of browsers.mjs.
import { readPng } from './canvas.mjs'
import { lateAt, watchLate } from './late.mjs'
import { until, sleep } from '../../lib/check.mjs'

export const picture = (who) =>
  who.eval(`(() => {
  const view = document.querySelector('[data-testid="shared-view"]'), host = document.querySelector('[data-testid="picture-host"]'), at = document.querySelector('[data-testid="picture"]')
  if (!view || !host) return null
  const box = host.getBoundingClientRect(), all = (id) => [...view.querySelectorAll('[data-testid="' + id + '"]')]
  const pointers = all('view-pointer').map((one) => {
    const mark = one.querySelector('.mark').getBoundingClientRect()
    return { name: one.textContent.trim(), laser: one.dataset.laser === 'true', colour: getComputedStyle(one).color, x: mark.x + mark.width / 2 - box.x, y: mark.y + mark.height / 2 - box.y }
  })
  const strokes = all('view-stroke').map((one) => {
    // without what its width adds
    const { x, y, width, height } = one.getBBox(), to = one.getScreenCTM()
    const at = (x, y) => { const p = new DOMPoint(x, y).matrixTransform(to); return [p.x - box.x, p.y - box.y] }
    return { corners: [at(x, y), at(x + width, y + height)], colour: one.getAttribute('stroke'), fades: one.dataset.fades === 'true' }
  })
  return { file: view.dataset.file, presenting: view.dataset.presenting === 'true', following: view.dataset.following === 'true', region: view.dataset.region ? JSON.parse(view.dataset.region) : null,
    status: document.querySelector('[data-testid="view-status"]').textContent, state: at.dataset.state, sharp: at.dataset.sharp === 'true', page: Number(document.querySelector('[data-testid="view-page"]')?.dataset.page || 1),
    x: box.x, y: box.y, width: box.width, height: box.height, dpr: devicePixelRatio,
    told: view.dataset.told ? JSON.parse(view.dataset.told) : null, trail: all('view-trail').length, strokes, pointers, pointer: pointers[0] }
})()`)

/** Level-0 pixels per CSS pixel. */
export const scaleOf = (p) => p.region.w / p.width

/** By how many of the follower's CSS pixels a follower's view is off the region that the presenter shows, at worst over the corners of that region. */
export function offBy(presenter, follower) {
  const region = presenter.told ?? presenter.region,
    own = { ...follower.region },
    scale = Math.max(region.w / follower.width, region.h / follower.height)
  const put = (r, s, x, y) => {
    const a = (r.rotation * Math.PI) / 180,
      dx = (x - r.cx) / s,
      dy = (y - r.cy) / s
    return [(r.mirror ? -1 : 1) * (dx * Math.cos(a) - dy * Math.sin(a)), dx * Math.sin(a) + dy * Math.cos(a)]
  }
  const a = (-region.rotation * Math.PI) / 180
  let worst = 0
  for (const [sx, sy] of [
    [0, 0],
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ]) {
    const dx = (sx * region.w) / 2,
      dy = (sy * region.h) / 2
    const x = region.cx + dx * Math.cos(a) - dy * Math.sin(a),
      y = region.cy + dx * Math.sin(a) + dy * Math.cos(a)
    const want = put(region, scale, x, y),
      have = put(own, scaleOf(follower), x, y)
    worst = Math.max(worst, Math.hypot(want[0] - have[0], want[1] - have[1]))
  }
  return worst
}

/** Waits until a page's region has stood still for a moment, and gives what it shows. */
export async function still(who, ms = 250) {
  let last = await picture(who),
    since = Date.now()
  for (const end = Date.now() + 10000; Date.now() < end; ) {
    await sleep(40)
    const now = await picture(who)
    if (JSON.stringify(now?.region) !== JSON.stringify(last?.region)) since = Date.now()
    last = now
    if (now?.region && Date.now() - since >= ms) return now
  }
  throw new Error('the picture does not come to rest')
}

/** Waits until the follower shows the presenter's region to within a pixel; gives both. */
export async function together(presenter, follower, seconds = 3) {
  const there = await still(presenter)
  let here,
    off = Infinity
  for (const end = Date.now() + seconds * 1000; ; ) {
    here = await picture(follower)
    if (here?.region && here.state === 'open') off = offBy(there, here)
    if (off <= 1 || Date.now() > end) return { there, here, off }
    await sleep(40)
  }
}

export const sharp = (who) => until('all tiles on screen', async () => (await picture(who))?.sharp, 20, 50)

/** The pixels of the picture's canvas. */
export async function canvasOf(who) {
  const url = await who.eval(`document.querySelector('[data-testid="picture-host"] canvas').toDataURL('image/png')`)
  return readPng(Buffer.from(url.split(',')[1], 'base64'))
}

/** Share of the canvas that is dark: whether something is written there. */
export async function ink(who) {
  const { data, channels } = await canvasOf(who)
  let dark = 0
  for (let i = 0; i < data.length; i += channels)
    if (data[i] + data[i + 1] + data[i + 2] < 300 && (channels === 3 || data[i + 3] > 200)) dark++
  return dark / (data.length / channels)
}

/** Notes from now on every region that the page draws, and what hands do, with wall-clock times; and by how much the page itself is late. */
export async function record(who) {
  await watchLate(who)
  await who.eval(`(() => {
  const now = () => performance.timeOrigin + performance.now(), view = document.querySelector('[data-testid="shared-view"]')
  window.__drawn = []; window.__acts = []
  window.__watch?.disconnect()
  window.__watch = new MutationObserver(() => window.__drawn.push([now(), JSON.parse(view.dataset.region || 'null')]))
  window.__watch.observe(view, { attributes: true, attributeFilter: ['data-region'] })
  if (!window.__listening) for (const kind of ['wheel', 'pointermove', 'click']) addEventListener(kind, (e) => { if (kind !== 'pointermove' || e.buttons) window.__acts.push(performance.timeOrigin + e.timeStamp) }, { capture: true, passive: true })
  window.__listening = true
})()`)
}

export const recorded = async (who) => ({
  drawn: await who.eval('window.__drawn'),
  acts: await who.eval('window.__acts'),
  late: await lateAt(who),
})

/** For every region that the presenter drew, ms until the follower drew it or a later one. */
export function lags(presenter, follower) {
  const same = (a, b) =>
    Math.abs(a.cx - b.cx) < 0.02 && Math.abs(a.cy - b.cy) < 0.02 && Math.abs(a.rotation - b.rotation) < 1e-6
  // which of the presenter's regions a follower's picture is: the latest one drawn before it, since a spring comes to rest in steps that nobody can tell apart
  const place = []
  let last = -1
  for (const [at, region] of follower) {
    let found = -1
    for (let i = last + 1; region && i < presenter.length && presenter[i][0] <= at; i++)
      if (same(presenter[i][1], region)) found = i
    if (found >= 0) place.push([at, (last = found)])
  }
  const out = []
  for (let i = 0, k = 0; i < presenter.length; i++) {
    while (k < place.length && place[k][1] < i) k++
    if (k < place.length) out.push(place[k][0] - presenter[i][0])
  }
  return out
}

/** By how much a page was late of itself in that time, at worst; the turn that says so may come after it. */
export const owed = (late, from, to) =>
  late.reduce((most, [at, ms]) => (at >= from && at - ms <= to ? Math.max(most, ms) : most), 0)

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)]
}
