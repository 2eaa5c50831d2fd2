// A call over bad lines, and what its people see and hear. Used by tests/e2e/impair.mjs and bench/impair/impair.mjs.
import { Chromium, Remote } from './browsers.mjs'
import { Server } from '../../lib/server.mjs'
import { approach, consultation, enter, login } from './scene.mjs'
import { Line } from './line.mjs'
import { COUNTER_BITS } from './pictures.mjs'
import { installStudio, openEyes, PULSE_MS } from './studio.mjs'
import { sleep, until } from '../../lib/check.mjs'

const tileOf = (id) => `[data-testid="tile"][data-participant="${id}"][data-source="camera"]`

/** A server, one line per person, and the people in a room. */
export class Call {
  /** `media`: the server's address for media; Firefox takes none on loopback, not even as its own. */
  constructor(name, media = '127.0.0.1') {
    this.media = media
    this.server = new Server({ name, media })
    this.people = []
  }

  /** people: as of join, in the order in which they enter. `shape`: of all lines, from the start. */
  async begin(people, shape = {}) {
    this.shape = shape
    this.server.init()
    await this.server.start()
    this.room = (await consultation(this.server)).room
    for (const p of people) await this.join(p)
    return this
  }

  /** {name, username, studio or camera, quality, record: file of his line's, shape: of his line at first}; he is then at this[name]. `firefox`: the namespace of one. */
  async join(p) {
    const browser = p.firefox
      ? await this.firefox(p)
      : await Chromium.launch({
          name: p.name,
          colour: p.camera && p.name,
          tone: p.tone,
          camera: p.camera,
          viewport: { width: 1100, height: 700 },
        })
    const line = await Line.launch({
      toPorts: this.server.ports.media,
      to: this.media,
      seed: 1 + 10 * this.people.length,
      record: p.record,
      host: p.firefox?.outside,
    })
    await line.set(p.shape ?? this.shape)
    this.people.push(Object.assign(browser, { line }))
    this[p.name] = browser
    await line.carry(browser)
    if (p.studio) await installStudio(browser, p.studio)
    await login(browser, this.server, p.username)
    if (p.quality) await browser.eval(`localStorage.setItem('consilium.devices', '{"quality":"${p.quality}"}')`)
    await approach(browser, this.server, this.room)
    await enter(browser)
    if (!p.firefox) await openEyes(browser)
  }

  async firefox(p) {
    return Remote.launch(p.firefox, {
      kind: 'firefox',
      name: p.name,
      tone: p.tone,
      forward: await p.firefox.pages(this.server),
    })
  }

  /** Everybody's line. */
  async lines(shape) {
    this.shape = shape
    for (const p of this.people) await p.line.set({ ...shape, reset: true })
  }

  /** Until the picture has this height. */
  settle(viewer, other, height) {
    return until(
      `${viewer.name} seeing ${height} lines`,
      async () => (await incoming(viewer, other)).frameHeight === height,
      30,
    )
  }

  async end() {
    for (const p of this.people) {
      p.line.close()
      await p.close()
    }
    await this.server.stop()
  }
}

/** The other one is pinned large in this one's view, and live. */
export async function makeLarge(viewer, other) {
  await until(
    `${viewer.name} having a tile of ${other.name}`,
    () => viewer.eval(`!!document.querySelector('${tileOf(other.participant)}')`),
    20,
  )
  await viewer.eval(
    `document.querySelector('${tileOf(other.participant)}').dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))`,
  )
  await until(
    `${viewer.name} seeing ${other.name}`,
    () =>
      viewer.eval(
        `(document.querySelector('${tileOf(other.participant)} video')?.videoWidth ?? 0) > 0 && document.querySelector('${tileOf(other.participant)}').dataset.state === 'live'`,
      ),
    20,
  )
}

const report = (browser, type, kind) =>
  browser.eval(
    `(async () => { const all = []; (await window.__pc.getStats()).forEach((r) => { if (r.type === '${type}' && r.kind === '${kind}') all.push(r) }); return all })()`,
  )
export const encodings = (browser) => report(browser, 'outbound-rtp', 'video')
/** What comes into the slot of the large tile. */
export async function incoming(viewer, other) {
  const mid = await viewer.eval(`document.querySelector('${tileOf(other.participant)}').dataset.mid`)
  return (await report(viewer, 'inbound-rtp', 'video')).find((r) => r.mid === mid)
}
/** All voices together. */
export async function voices(viewer) {
  const sum = { concealed: 0, silent: 0, events: 0, samples: 0, delay: 0, emitted: 0, lost: 0 }
  for (const r of await report(viewer, 'inbound-rtp', 'audio')) {
    sum.concealed += r.concealedSamples
    sum.silent += r.silentConcealedSamples
    sum.events += r.concealmentEvents
    sum.samples += r.totalSamplesReceived
    sum.delay += r.jitterBufferDelay
    sum.emitted += r.jitterBufferEmittedCount
    sum.lost += r.packetsLost
  }
  return sum
}

const frames = (browser, name) => browser.eval(`window.__eyes.frames[${JSON.stringify(name)}]`)
export const watch = (browser, name, participant) =>
  browser.eval(`window.__eyes.watch(${JSON.stringify(name)}, ${JSON.stringify(participant)})`)

const MODULO = 2 ** COUNTER_BITS
/** Numbers counted on over their wrap; unreadable ones left out. */
function unwrapped(log) {
  let last = null
  return log
    .filter((f) => f[1] >= 0)
    .map(([at, n, lit, height, rtp, presented]) => {
      if (last !== null) n = last + ((((n - last) % MODULO) + MODULO + MODULO / 2) % MODULO) - MODULO / 2
      last = n
      return { at, n, lit, height, rtp, presented }
    })
}

/**
 * For some seconds: the frames that were encoded at the layer that is forwarded, and those that were seen. The window is cut by numbers: frames drawn
 * between its two ends.
 */
export async function follow(viewer, publisher, seconds) {
  await watch(viewer, 'large', publisher.participant)
  await until('a readable number', async () => (await frames(viewer, 'large')).some((f) => f[1] >= 0), 10)
  const at = async () => ({
    drawn: await publisher.eval('window.__studio.drawn'),
    out: await encodings(publisher),
    inn: await incoming(viewer, publisher),
  })
  const from = await at()
  await sleep(seconds * 1000)
  const to = await at()
  await sleep(1500) // what was sent last is still to be seen
  const log = unwrapped(await frames(viewer, 'large'))
  const height = to.inn.frameHeight
  const layer = to.out.find((r) => r.frameHeight === height)
  if (!layer || from.inn.frameHeight !== height)
    throw new Error(
      `the picture changed its size meanwhile: ${from.inn.frameHeight}, ${height}; sent ${to.out.map((r) => `${r.rid} ${r.frameHeight}`)}`,
    )
  const before = from.out.find((r) => r.rid === layer.rid)
  // numbers as the studio counts them: the log's begin is known modulo its wrap only
  const shift = Math.round((from.drawn - log[0].n) / MODULO) * MODULO
  const inside = log.map((f) => ({ ...f, n: f.n + shift })).filter((f) => f.n >= from.drawn && f.n < to.drawn)
  const numbers = [...new Set(inside.map((f) => f.n))].sort((a, b) => a - b)
  const gaps = [],
    late = []
  let lastNew = null,
    highest = -1,
    unread = 0
  // a page that is busy reads only the last of several pictures that were presented meanwhile; the browser counts them all
  inside.forEach((f, i) => {
    if (i) unread += Math.max(0, Math.min(f.n - inside[i - 1].n, f.presented - inside[i - 1].presented) - 1)
  })
  const seen = numbers.length + unread,
    encoded = layer.framesEncoded - before.framesEncoded,
    decoded = to.inn.framesDecoded - from.inn.framesDecoded
  for (const f of inside) {
    if (f.n <= highest) {
      if (f.n < highest) late.push(f.n)
      continue
    }
    if (lastNew !== null) gaps.push(f.at - lastNew)
    lastNew = f.at
    highest = f.n
  }
  return {
    rid: layer.rid,
    height,
    encoded,
    drawn: to.drawn - from.drawn,
    seen,
    unread,
    decoded,
    received: to.inn.framesReceived - from.inn.framesReceived,
    dropped: to.inn.framesDropped - from.inn.framesDropped,
    percent: Math.round((1000 * seen) / encoded) / 10,
    // what was decoded and not drawn, since there was no time for it, is the browser's
    percent_decoded: Math.round((1000 * Math.max(seen, Math.min(decoded, encoded))) / encoded) / 10,
    freeze_ms: Math.round(Math.max(0, ...gaps)),
    backward: late.length,
    freezes: to.inn.freezeCount - from.inn.freezeCount,
    keys: to.inn.keyFramesDecoded - from.inn.keyFramesDecoded,
    plis: to.inn.pliCount - from.inn.pliCount,
    nacks: to.inn.nackCount - from.inn.nackCount,
    retransmitted: to.inn.retransmittedPacketsReceived - from.inn.retransmittedPacketsReceived,
    lost: to.inn.packetsLost - from.inn.packetsLost,
    received_packets: to.inn.packetsReceived - from.inn.packetsReceived,
    buffer_ms: Math.round(
      (1000 * (to.inn.jitterBufferDelay - from.inn.jitterBufferDelay)) /
        Math.max(1, to.inn.jitterBufferEmittedCount - from.inn.jitterBufferEmittedCount),
    ),
    keys_sent: layer.keyFramesEncoded - before.keyFramesEncoded,
    plis_got: layer.pliCount - before.pliCount,
    nacks_got: layer.nackCount - before.nackCount,
  }
}

/**
 * Cuts the viewer's downlink to 1 Mbit/s and gives it back. A height is what is on display; a time counts from the change of the line to the last change
 * of the picture's size in the phase. The source sends three layers, of which the middle one is the best that fits.
 */
export async function cutDownlink(
  viewer,
  publisher,
  { before = 4000, cut = 1000, queue_ms = 500, cutSeconds = 8, backSeconds = 14 } = {},
) {
  const samples = [],
    mark = []
  const look = async () => {
    const [inn, heard] = [await incoming(viewer, publisher), await voices(viewer)]
    samples.push({
      at: Date.now(),
      height: inn.frameHeight,
      decoded: inn.framesDecoded,
      frozen: inn.totalFreezesDuration,
      gaps: (heard.concealed - heard.silent) / 48,
      lost: heard.lost,
    })
  }
  for (const [rate_kbps, seconds] of [
    [before, 3],
    [cut, cutSeconds],
    [before, backSeconds],
  ]) {
    await viewer.line.set({ down: { rate_kbps, queue_ms }, reset: mark.length === 0 })
    mark.push(Date.now())
    while (Date.now() < mark.at(-1) + seconds * 1000) {
      await look()
      await sleep(100)
    }
  }
  const of = (i) => samples.filter((s) => s.at >= mark[i] && (i + 1 === mark.length || s.at < mark[i + 1]))
  const settled = (i) => {
    const list = of(i),
      end = list.at(-1).height
    const last = list.findLastIndex((s) => s.height !== end)
    return { height: end, seconds: last < 0 ? 0 : Math.round((list[last + 1].at - mark[i]) / 100) / 10 }
  }
  const [first, low, high] = [of(0).at(-1), settled(1), settled(2)]
  const gaps = (a, b) => Math.round(b.gaps - a.gaps)
  return {
    before: first.height,
    low: low.height,
    settle_s: low.seconds,
    after: high.height,
    back_s: high.seconds,
    voice_lost: samples.at(-1).lost - first.lost,
    audio_gaps_ms: gaps(first, samples.at(-1)),
    cut_gaps_ms: gaps(first, of(1).at(-1)),
    frozen_s: Math.round((samples.at(-1).frozen - first.frozen) * 10) / 10,
    heights: samples
      .filter((s, i) => !i || s.height !== samples[i - 1].height)
      .map((s) => [Math.round((s.at - mark[0]) / 100) / 10, s.height]),
    line: await viewer.line.counts(),
  }
}

/* ---- lip sync ---- */

const flashes = (log) =>
  unwrapped(log)
    .filter((f, i, all) => f.lit && i > 0 && !all[i - 1].lit)
    .map((f) => f.at)
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]

/** Of every beep the ms by which its flash came later. */
function offsets(flashTimes, beeps) {
  return beeps
    .map((b) => flashTimes.map((f) => f - b).sort((x, y) => Math.abs(x) - Math.abs(y))[0])
    .filter((d) => d !== undefined && Math.abs(d) < PULSE_MS / 2)
}

/** Sound that was pulled comes out of the device so many ms later. */
async function playout(browser, before = { totalPlayoutDelay: 0, totalSamplesCount: 0 }) {
  const [now] = await report(browser, 'media-playout', 'audio')
  return {
    ...now,
    ms:
      (1000 * (now.totalPlayoutDelay - before.totalPlayoutDelay)) / (now.totalSamplesCount - before.totalSamplesCount),
  }
}

const sent = (kind) => `window.__pc.getSenders().find((s) => s.track?.kind === '${kind}').track`

/**
 * Ms by which the picture is later than the voice for the viewer, against what comes out of the source's camera and microphone. The source's view of
 * itself is not asked: it shows a frame up to 100 ms late, or the one before, by the launch.
 */
export async function lipSync(viewer, publisher, seconds) {
  await publisher.eval(`void window.__eyes.watchTrack('own', ${sent('video')})`)
  await publisher.eval(`void window.__eyes.listen('own', ${sent('audio')})`)
  await watch(viewer, 'sync', publisher.participant)
  await viewer.eval(`void window.__eyes.hearSlot('sync', 0)`)
  const before = await playout(viewer)
  await sleep(seconds * 1000)
  const out = (await playout(viewer, before)).ms
  const of = async (browser, name) =>
    offsets(flashes(await frames(browser, name)), await browser.eval(`window.__eyes.beeps[${JSON.stringify(name)}]`))
  const source = median(await of(publisher, 'own'))
  const samples = (await of(viewer, 'sync')).map((d) => Math.round(d - out - source))
  return { ms: median(samples) ?? null, samples, source_ms: Math.round(source), playout_ms: Math.round(out) }
}

/** They speak in turns, `times` times; each time the speaker is made the viewer's large picture. Gives the last one. */
export async function takeTurns(viewer, speakers, times) {
  let now
  for (let i = 0; i < times; i++) {
    now = speakers[(i + 1) % speakers.length]
    for (const s of speakers) await s.eval(`window.__studio.speak(${s === now})`)
    await makeLarge(viewer, now)
    await sleep(500)
  }
  return now
}
