// A slide over the whole screen, as its page shows it, for tests of what is done with one slide.
import { compare, readPng } from './canvas.mjs'
import { until, sleep } from '../../lib/check.mjs'

export const named = (id) => `[data-testid="${id}"]`

/** What is on screen: the region of the slide, and where its canvas is. */
export const looked = (who) =>
  who.eval(`(() => {
  const at = document.querySelector('[data-testid="picture"]'), host = document.querySelector('[data-testid="picture-host"]')
  if (!at || !host) return null
  const box = host.getBoundingClientRect()
  return { state: at.dataset.state, sharp: at.dataset.sharp === 'true', region: at.dataset.region ? JSON.parse(at.dataset.region) : null,
    x: box.x, y: box.y, width: box.width, height: box.height, dpr: devicePixelRatio }
})()`)

/** Waits until everything on screen is sharp and stands still. */
export async function rests(who, ms = 150) {
  let last,
    since = 0
  return until(
    `${who.name}'s picture coming to rest`,
    async () => {
      const now = await looked(who)
      if (!now?.region || !now.sharp || JSON.stringify(now.region) !== JSON.stringify(last?.region)) since = Date.now()
      last = now
      return now?.region && now.sharp && Date.now() - since >= ms && now
    },
    20,
    40,
  )
}

/** A request's page, and on it this file opened. */
export async function openFile(who, url, request, file) {
  await who.goto(`${url}/requests/${request}`)
  const row = `${named('file')}[data-file="${file}"] ${named('file-open')}`
  await until('the file', () => who.eval(`!!document.querySelector('${row}')`))
  await who.eval(`document.querySelector('${row}').click()`)
  return rests(who)
}

/** The worst of some squares of the canvas against OpenSlide's own rendering of the region that the page says: {mean, shift} or null without texture. */
export async function judged(who, source, side = 96, margin = 4) {
  const now = await rests(who)
  await sleep(60)
  const url = await who.eval(`document.querySelector('[data-testid="picture-host"] canvas').toDataURL('image/png')`)
  const canvas = readPng(Buffer.from(url.split(',')[1], 'base64'))
  const shown = {
    region: now.region,
    scale: now.region.w / now.width / now.dpr,
    width: canvas.width,
    height: canvas.height,
  }
  let worst = null
  for (const [px, py] of source.squares(shown, side, margin)) {
    const one = compare(canvas, source.expected(shown, px, py, side, margin), px, py, side, margin)
    if (one && one.texture > 3 && (!worst || one.mean / one.texture > worst.mean / worst.texture)) worst = one
  }
  return worst
}

/** The demo generator's TIFF without a word about how large its pixels are: its unit of resolution becomes "none" in every directory. */
export function withoutScale(bytes) {
  const out = Buffer.from(bytes)
  for (let at = out.readUInt32LE(4); at; ) {
    const n = out.readUInt16LE(at)
    for (let i = 0, entry = at + 2; i < n; i++, entry += 12)
      if (out.readUInt16LE(entry) === 296) out.writeUInt16LE(1, entry + 8)
    at = out.readUInt32LE(at + 2 + 12 * n)
  }
  return out
}
