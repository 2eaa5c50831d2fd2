// The codecs besides VP8, one room each: the picture arrives, and its layer goes down and up with the size on screen without a freeze.
import { Chromium, Namespace, Remote, canNamespace } from './lib/browsers.mjs'
import { Server } from '../lib/server.mjs'
import { approach, consultation, enter, login } from './lib/scene.mjs'
import { latest, unlessStalled, watchLate } from './lib/late.mjs'
import { assert, check, equal, sleep, finish, until } from '../lib/check.mjs'

const CAMERA = { width: 640, height: 360, fps: 10, frames: 300 }
const LARGE = { width: 1440, height: 900 },
  SMALL = { width: 620, height: 360 } // wider than a phone, where one picture would fill it
const wanted = process.argv.slice(2)

/** Keeps every PeerConnection of the page where its statistics can be read. */
function keepConnections() {
  const Native = window.RTCPeerConnection
  window.__connections = []
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args)
      window.__connections.push(this)
    }
  }
}

/** What one picture that comes in has been through so far. */
const inbound = (browser) =>
  browser.eval(async () => {
    const pc = window.__connections.filter((c) => c.connectionState === 'connected').pop()
    if (!pc) return null
    const stats = [...(await pc.getStats()).values()]
    const s = stats.filter((r) => r.type === 'inbound-rtp' && r.kind === 'video' && r.framesDecoded > 0).pop()
    if (!s) return null
    return {
      codec: stats.find((r) => r.id === s.codecId)?.mimeType,
      decoder: s.decoderImplementation,
      decoded: s.framesDecoded,
      dropped: s.framesDropped,
      freezes: s.freezeCount,
      frozen: s.totalFreezesDuration,
      width: s.frameWidth,
      height: s.frameHeight,
      plis: s.pliCount,
      keys: s.keyFramesDecoded,
      lost: s.packetsLost,
    }
  })
const sent = (browser) =>
  browser.eval(async () => {
    const pc = window.__connections.filter((c) => c.connectionState === 'connected').pop()
    const stats = [...(await pc.getStats()).values()]
    return stats
      .filter((r) => r.type === 'outbound-rtp' && r.kind === 'video')
      .map((s) => ({
        rid: s.rid,
        mode: s.scalabilityMode,
        active: s.active,
        width: s.frameWidth,
        height: s.frameHeight,
        encoded: s.framesEncoded,
        encoder: s.encoderImplementation,
        codec: stats.find((r) => r.id === s.codecId)?.mimeType,
        keys: s.keyFramesEncoded,
      }))
  })

const namespace = canNamespace() ? new Namespace(3) : null
const server = new Server({ name: 'codecs', media: namespace ? `127.0.0.1,${namespace.outside}` : '127.0.0.1' })
const browsers = []
let room

async function launch() {
  server.init()
  for (const [name, username, camera] of [
    ['red', 'doctor01', CAMERA],
    ['green', 'expert01', { width: 320, height: 180, fps: 5, frames: 50 }],
  ]) {
    const b = await Chromium.launch({ name, colour: name, camera, viewport: LARGE })
    b.username = username
    browsers.push(b)
    await b.page.addInitScript(keepConnections)
  }
}

async function meet(codec) {
  await server.end()
  server.set('media', { codec })
  await server.start()
  room = (await consultation(server)).room
  await Promise.all(
    browsers.map(async (b) => {
      await login(b, server, b.username)
      await approach(b, server, room)
      await enter(b)
    }),
  )
}

/** Waits for the layer of a height; the picture goes on meanwhile. */
async function layer(green, height) {
  const start = Date.now()
  await until(
    `a picture of ${height} lines`,
    async () => {
      const s = await inbound(green)
      if (s?.height === height) return true
      throw new Error(JSON.stringify([s, await sent(browsers[0])]))
    },
    15,
  )
  return Date.now() - start
}

/** Bytes of the camera a second, over two: ten pictures of a few hundred bytes each, and a key picture among them weighs as much as all others. */
async function rate(browser) {
  const bytes = () =>
    browser.eval(async () =>
      [...(await window.__connections.at(-1).getStats()).values()]
        .filter((r) => r.type === 'outbound-rtp' && r.kind === 'video')
        .reduce((sum, r) => sum + r.bytesSent, 0),
    )
  const before = await bytes(),
    at = Date.now()
  await sleep(2000)
  return Math.round((((await bytes()) - before) * 1000) / (Date.now() - at))
}

async function talk(codec) {
  const [red, green] = browsers
  await meet(codec)
  const tile = () => green.probe(`tile(${JSON.stringify(red.participant)}, 'camera')`)
  await green.page.setViewportSize(LARGE)
  const first = await until(
    "red's picture",
    async () => {
      const t = await tile()
      return t?.picture && t.picture.counter >= 0 && t
    },
    20,
  )
  const [r, g, b] = first.picture.colour
  assert(
    Math.abs(r - 200) < 40 && Math.abs(g - 40) < 40 && Math.abs(b - 40) < 40,
    `the colour is ${first.picture.colour}`,
  )
  const up = await layer(green, 360)
  await sleep(codec === 'h264' ? 0 : 2000) // nothing is left out in the first seconds
  const s = await inbound(green)
  equal(s.codec.toLowerCase(), `video/${codec}`, 'codec')
  const full = await rate(red)
  const before = await inbound(green)
  for (const b of [red, green]) await watchLate(b)
  const at = Date.now()
  await green.page.setViewportSize(SMALL)
  const down = await until('a smaller layer', async () => (await inbound(green)).height <= 180 && Date.now() - at, 15)
  // VP9, AV1: what nobody watches any more is not sent any more, and comes again
  const svc = codec !== 'h264'
  const rested = svc
    ? await until(
        'red leaving out what nobody watches',
        async () => {
          const [s] = (await sending(red)).list
          if (s.height <= 180) return Date.now() - at
          throw new Error(JSON.stringify(s))
        },
        8,
      )
    : 0
  const small = svc
    ? await until(
        `less than half of ${full} bytes a second`,
        async () => {
          const bytes = await rate(red)
          if (bytes < full / 2) return bytes
          throw new Error(`${bytes}`)
        },
        10,
      )
    : await sleep(2000)
  const enlarged = Date.now()
  await green.page.setViewportSize(LARGE)
  const woken = svc
    ? await until(
        'red sending it again',
        async () => {
          const [s] = (await sending(red)).list
          if (s.height === 360) return Date.now() - enlarged
          throw new Error(JSON.stringify(s))
        },
        8,
      )
    : 0
  const again = await layer(green, 360)
  await sleep(1500)
  const counter = (await tile()).picture.counter
  const after = await inbound(green)
  await until(
    'the number going on',
    async () => {
      const c = (await tile()).picture.counter
      return c >= 0 && c !== counter
    },
    3,
  )
  const seconds = (Date.now() - at) / 1000,
    own = await ownLateness(red, green)
  console.log(
    `  ${codec}: ${JSON.stringify({ own, rested, woken, full, small, up, down, again, rate: (after.decoded - before.decoded) / seconds, ...after })}`,
  )
  console.log(`  ${JSON.stringify(await sent(red))}`)
  // an encoder that takes layers up again begins anew: at most half a second
  if (svc) assert(after.frozen - before.frozen < 0.5 + own, `frozen for ${after.frozen - before.frozen} s`)
  else equal(after.freezes, before.freezes, 'freezes')
  if (svc)
    assert(
      rested < 3000 + 1000 * own && woken < 2000 + 1000 * own,
      `left out after ${rested} ms, there again after ${woken} ms`,
    )
  assert(
    (after.decoded - before.decoded) / seconds > CAMERA.fps * 0.6,
    `only ${after.decoded - before.decoded} frames in ${seconds} s`,
  )
}

/** A camera of 4K at two pictures a second: more cannot be encoded here. The screen is as large. */
async function fourK() {
  for (const b of browsers.splice(0)) await b.close()
  await server.end()
  server.set('media', { codec: 'vp8' })
  await server.start()
  room = (await consultation(server)).room
  for (const [name, username, camera, viewport, scale] of [
    ['red', 'doctor01', { width: 3840, height: 2160, fps: 2, frames: 6 }, { width: 1000, height: 700 }, 1],
    ['green', 'expert01', { width: 320, height: 180, fps: 2, frames: 10 }, { width: 1920, height: 1080 }, 2],
  ]) {
    const b = await Chromium.launch({ name, colour: name, camera, viewport, scale })
    browsers.push(b)
    await b.page.addInitScript(keepConnections)
    await login(b, server, username)
    await approach(b, server, room)
    await enter(b)
  }
  const [red, green] = browsers
  await red.click('control-settings')
  await red.eval(`document.querySelector('[data-testid="own-4k"]').click()`)
  await red.page.keyboard.press('Escape')
  await until("red's tile", () => green.probe(`tile(${JSON.stringify(red.participant)}, 'camera')`), 20)
  await green.eval(
    `document.querySelector('[data-testid="tile"][data-participant="${red.participant}"]').dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))`,
  )
  const picture = await until(
    'a picture of 3840 × 2160',
    async () => {
      const p = (await green.probe(`tile(${JSON.stringify(red.participant)}, 'camera')`))?.picture
      if (p?.width === 3840 && p.height === 2160 && p.counter >= 0) return p
      throw new Error(JSON.stringify({ p, sent: await sent(red), inbound: await inbound(green) }))
    },
    60,
    500,
  )
  const [r, g, b] = picture.colour
  assert(Math.abs(r - 200) < 40 && Math.abs(g - 40) < 40 && Math.abs(b - 40) < 40, `the colour is ${picture.colour}`)
  await until(
    'the next picture',
    async () => {
      const p = (await green.probe(`tile(${JSON.stringify(red.participant)}, 'camera')`))?.picture
      return p?.width === 3840 && p.counter >= 0 && p.counter !== picture.counter
    },
    10,
  )
  const s = await inbound(green)
  console.log(`  4K: ${JSON.stringify(s)}`)
  equal(s.height, 2160, 'lines')
}

/** What is sent in the camera's section now, once something of it is encoded. */
const sending = async (browser) => {
  const list = (await sent(browser)).filter((s) => s.active !== false && s.encoded > 0)
  return { list, codecs: [...new Set(list.map((s) => s.codec?.toLowerCase()))] }
}
const tileOf = (b, other) => b.probe(`tile(${JSON.stringify(other.participant)}, 'camera')`)
/** Another's picture goes on: the number drawn in it, or the colour, through which Firefox's own camera goes. */
async function goesOn(b, other, seconds = 15) {
  const mark = async () => {
    const t = await tileOf(b, other)
    if (t?.state === 'live' && t.picture && (t.picture.counter >= 0 || other.name === 'firefox'))
      return JSON.stringify(other.name === 'firefox' ? t.picture.colour : t.picture.counter)
    throw new Error(JSON.stringify(t))
  }
  const first = await until(`${b.name} seeing ${other.name}`, mark, seconds)
  await until(`${b.name} seeing ${other.name} go on`, async () => (await mark()) !== first, 5)
}

/**
 * The host chooses in the app while everybody is there: the cameras go over to it without anybody joining again. Firefox has no H.264 here: it goes on sending VP8, and a tile says
 * why it shows nothing. It takes no dependency descriptor: VP9 it follows by its payload, AV1 is then sent in simulcast.
 */
async function choose() {
  const [red, green] = browsers
  await meet('vp8')
  let fox = null
  try {
    if (namespace) {
      fox = await Remote.launch(namespace, {
        kind: 'firefox',
        name: 'firefox',
        fps: CAMERA.fps,
        forward: await namespace.pages(server),
      })
      await login(fox, server, 'expert02')
      await approach(fox, server, room)
      await enter(fox)
    }
    await green.page.setViewportSize(LARGE)
    await goesOn(green, red)
    if (!(await green.visible('panel'))) await green.click('control-panel')
    await green.click('panel-people')
    for (const codec of ['h264', 'vp9', 'av1', 'vp8']) await chooseOne(codec, red, green, fox)
  } finally {
    await fox?.close()
  }
}

/** How long another's picture stood still so far, in seconds. */
const frozenFor = (b, other) =>
  b.eval(async (participant) => {
    const track = document
      .querySelector(`[data-testid="tile"][data-participant="${participant}"] video`)
      .srcObject.getVideoTracks()[0]
    const stats = [...(await window.__connections.at(-1).getStats()).values()]
    return stats.find((s) => s.type === 'inbound-rtp' && s.trackIdentifier === track.id).totalFreezesDuration
  }, other.participant)

/** The longest that a page was behind its own timers since watchLate, in seconds, of both together. */
const ownLateness = async (...pages) => {
  let sum = 0
  for (const b of pages) sum += (await latest(b)) / 1000
  return sum
}

async function chooseOne(codec, red, green, fox) {
  for (const b of [red, green]) await watchLate(b)
  const at = Date.now(),
    frozen = await frozenFor(green, red)
  await green.page.locator('[data-testid="host-codec"]:visible').selectOption(codec)
  for (const b of [red, green])
    await until(
      `${b.name} sending ${codec}`,
      async () => {
        const s = await sending(b)
        if (s.codecs.length === 1 && s.codecs[0] === `video/${codec}`) return true
        throw new Error(JSON.stringify(s))
      },
      10,
    )
  const sentAfter = Date.now() - at
  for (const [a, b] of [
    [green, red],
    [red, green],
    ...(fox
      ? [
          [green, fox],
          [red, fox],
        ]
      : []),
  ])
    await goesOn(a, b)
  await until(
    'a picture of 360 lines',
    async () => {
      const t = await tileOf(green, red)
      if (t?.picture?.height === 360) return true
      throw new Error(JSON.stringify(t))
    },
    10,
  )
  const after = Date.now() - at
  if (fox && codec === 'h264')
    await until(
      'Firefox saying why it shows nothing',
      async () => {
        const t = await tileOf(fox, red)
        if (t?.state === 'codec') return true
        throw new Error(JSON.stringify(t))
      },
      10,
    )
  else if (fox) await goesOn(fox, red)
  if (fox && codec === 'av1')
    await until(
      'AV1 in simulcast, for Firefox',
      async () => {
        const { list } = await sending(red)
        if (list.length === 2 && list.every((s) => /^L1/.test(s.mode))) return true
        throw new Error(JSON.stringify(list))
      },
      5,
    )
  const stood = (await frozenFor(green, red)) - frozen,
    own = await ownLateness(red, green)
  console.log(
    `  ${codec}: sent by those who are there after ${sentAfter} ms, in full size after ${after} ms, frozen ${stood.toFixed(2)} s, pages late by ${own.toFixed(2)} s; ${JSON.stringify((await sending(red)).list.map((l) => [l.rid, l.mode, l.height]))}`,
  )
  assert(stood < 1 + own, `frozen for ${stood} s`)
}

await launch()
if (!wanted.length || wanted.includes('choose'))
  await check('chosen by the host in the app, each codec is sent by those who are there already', choose, 90)
for (const codec of ['h264', 'vp9', 'av1']) {
  if (wanted.length && !wanted.includes(codec)) continue
  await check(
    `${codec}: the picture arrives, its layer goes down and up without a freeze`,
    () => unlessStalled(browsers, () => talk(codec)),
    120,
  )
}

if (!wanted.length || wanted.includes('4k'))
  await check('a 4K camera, chosen in the settings, arrives in 3840 × 2160', fourK, 110)

for (const b of browsers) await b.close()
await server.stop()
namespace?.remove()
finish()
