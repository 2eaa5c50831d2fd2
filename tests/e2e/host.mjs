// What a host does, as each of three people sees and hears it: lobby, hands, mute, ask, ceiling, places with video, lock, removal.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Chromium } from './lib/browsers.mjs'
import { root, Server } from '../lib/server.mjs'
import { Socket } from '../lib/socket.mjs'
import { approach, consultation, enter, inside, login } from './lib/scene.mjs'
import { unlessStalled } from './lib/late.mjs'
import { GIVE_UP_MS, assert, check, equal, sleep, finish, until } from '../lib/check.mjs'

const CEILING_MS = 1000
const server = new Server({ name: 'host', extra: { media: { room_video_max: 2 } } })
const people = [
  {
    name: 'red',
    username: 'expert01',
    colour: 'red',
    tone: 520,
    camera: { width: 640, height: 360, fps: 5, frames: 50 },
  },
  {
    name: 'green',
    username: 'doctor01',
    colour: 'green',
    tone: 760,
    camera: { width: 1280, height: 720, fps: 10, frames: 100 },
  },
  {
    name: 'blue',
    username: 'expert02',
    colour: 'blue',
    tone: 1100,
    camera: { width: 180, height: 320, fps: 5, frames: 50 }, // a phone held upright
    viewport: { width: 390, height: 844 },
  },
]
const browsers = []
const ceiling = {}
let scene, red, green, blue

const tile = (b, other) => b.probe(`tile(${JSON.stringify(other.participant)}, 'camera')`)
const seen = (b, other, seconds = 20) =>
  until(
    `${b.name} seeing ${other.name}`,
    async () => {
      const t = await tile(b, other)
      if (t?.state === 'live' && t.picture) return t
      throw new Error(JSON.stringify(t))
    },
    seconds,
  )
const message = (b, text, seconds = 8) =>
  until(
    `${b.name} reading "${text.source}"`,
    () => b.eval(`[...document.querySelectorAll('.el-message')].some((m) => ${text}.test(m.textContent))`),
    seconds,
  )
const local = (b) =>
  b.eval(
    `(() => { const d = document.querySelector('[data-testid="local-state"]').dataset; return { mic: d.mic === 'true', camera: d.camera === 'true' } })()`,
  )
const shown = (b, testid) => b.page.locator(`[data-testid="${testid}"]:visible`).first()
/** From the menu of a person in the list. */
async function act(other, what) {
  await red.page
    .locator(`[data-testid="person"][data-participant="${other.participant}"] [data-testid="person-menu"]`)
    .click({ timeout: GIVE_UP_MS })
  await shown(red, what).click({ timeout: GIVE_UP_MS })
}
const FAINT_DB = -70 // a voice is at -33 to -46 dB; what the others leave at its frequency, at -82 to -88, while nobody's is at -100 to -121
const hears = (b, tone) => b.probe(`hear([${tone}, 2600], 600)`).then(([t, s]) => t > s + 20 && t > FAINT_DB)
/** Of a tone that stopped: waits until everybody who is named hears none of it. */
const silent = (tone, ...list) =>
  until(
    `silence at ${tone} Hz`,
    async () => {
      const levels = []
      for (const b of list)
        levels.push([b.name, ...(await b.probe(`hear([${tone}, 2600], 600, true)`)).map(Math.round)])
      if (levels.some(([, t, s]) => t > s + 20 && t > FAINT_DB)) throw new Error(JSON.stringify(levels))
      return true
    },
    8,
  )
const keepConnection = (b) =>
  b.eval(
    `(() => { const P = RTCPeerConnection.prototype, set = P.setRemoteDescription; window.__pcs = new Set(); P.setRemoteDescription = function (...a) { window.__pcs.add(this); return set.apply(this, a) } })()`,
  )
async function end() {
  for (const b of browsers) await b.close()
  await server.stop()
  finish()
}

const begun = await check(
  'the lead expert enters and switches the lobby on',
  async () => {
    server.init()
    await server.start()
    scene = await consultation(server)
    await Promise.all(
      people.map(async (p) => {
        const b = Object.assign(await Chromium.launch(p), p)
        await login(b, server, p.username)
        await approach(b, server, scene.room)
        await keepConnection(b)
        browsers.push(b)
      }),
    )
    ;[red, green, blue] = people.map((p) => browsers.find((b) => b.name === p.name))
    await enter(red)
    await until('the stage', () => red.visible('room-stage'))
    if (!(await red.visible('panel'))) await red.click('control-panel')
    await red.click('panel-people')
    await red.click('host-lobby')
    await until(
      'the lobby being on',
      async () =>
        (await scene.admin.get(`/api/v1/rooms/${scene.room}`)) &&
        red.eval(`document.querySelector('[data-testid="host-lobby"]').classList.contains('is-checked')`),
    )
  },
  60,
)
if (!begun) {
  for (const b of browsers) console.log(`        ${b.name}: ${b.errors.join('; ').slice(0, 600)}`)
  await end()
}

await check(
  'who enters waits; the host refuses one and lets both in',
  async () => {
    await green.click('room-enter')
    await until('green waiting', () => green.visible('room-waiting'))
    await until('red seeing green before the door', () => red.visible('knock-banner'))
    await red.screenshot('host-knock-1440.png')
    await red.click('knock-refuse')
    await until('green being told', () =>
      green.eval(`document.querySelector('[data-testid="room-ended"]')?.dataset.reason === 'refused'`),
    )
    await green.click('room-again')
    await until('green: the device check', () => green.visible('room-enter'))
    await green.click('room-enter')
    await until('red seeing green again', () => red.visible('knock-banner'))
    await red.click('knock-admit')
    await inside(green)
    await blue.click('room-enter')
    await until('blue waiting', () => blue.visible('room-waiting'))
    await blue.screenshot('host-waiting-390.png')
    await red.click('host-lobby') // an open door lets in who waits
    await inside(blue)
    for (const [a, b] of [
      [red, green],
      [green, red],
      [blue, red],
      [blue, green],
    ])
      await seen(a, b)
  },
  60,
)

await check('the third with a camera is told that two have theirs on, and takes part by voice', async () => {
  await message(blue, /2 人打开摄像头/)
  equal((await local(blue)).camera, false, "blue's camera")
  await until('red seeing blue as voice', async () => ['voice', 'off'].includes((await tile(red, blue))?.state))
  await until('red hearing blue', () => hears(red, 1100))
})

await check('raised hands are on the tile and on top of the list, the host lowers them', async () => {
  await blue.click('control-hand')
  await until("blue's hand on red's list", () =>
    red.eval(
      `document.querySelector('[data-testid="person"]')?.dataset.participant === ${JSON.stringify(blue.participant)} && !!document.querySelector('[data-testid="person"] [data-testid="person-hand"]')`,
    ),
  )
  // who has no picture beside others who have one is a chip
  const hand = `document.querySelector('[data-testid="chip"][data-participant="${blue.participant}"] [data-testid="tile-hand"]')`
  assert(await red.eval(`!!${hand}`), "the hand on blue's chip")
  assert(await blue.visible('self-hand'), "the hand on blue's own tile")
  await red.screenshot('host-hand-1440.png')
  await red.page
    .locator(`[data-testid="person"][data-participant="${blue.participant}"] [data-testid="person-menu"]`)
    .click()
  await sleep(500)
  await red.screenshot('host-menu-1440.png')
  await shown(red, 'act-lower_hand').click()
  await until('the hand being down', () =>
    blue.eval(`document.querySelector('[data-testid="control-hand"]').getAttribute('aria-pressed') === 'false'`),
  )
})

await check('muted by the host: silence for everybody, a word to the one; asked, he unmutes himself', async () => {
  await until('red hearing green', () => hears(red, 760))
  await act(green, 'act-mute')
  await until('green being muted', async () => !(await local(green)).mic)
  await message(green, /已将您静音/)
  await silent(760, red, blue)
  await act(green, 'act-ask_mic')
  await until('the question', () => green.visible('asked'))
  await sleep(500)
  assert(!(await local(green)).mic, 'a question unmuted by itself')
  await green.screenshot('host-asked-1440.png')
  await green.click('asked-yes')
  await until('the tone again', () => hears(red, 760))
})

await check('a microphone that is unplugged is replaced, or shown as off until it is back', async () => {
  const unplug = () =>
    green.eval(`(() => {
      const pc = [...window.__pcs].find((one) => one.connectionState === 'connected')
      const { track } = pc.getSenders().find((one) => one.track?.kind === 'audio')
      track.stop()
      track.dispatchEvent(new Event('ended'))
    })()`)
  await unplug()
  await message(green, /现改用/)
  await until('red hearing green by another one', () => hears(red, 760))
  await green.eval(
    `(() => { const m = navigator.mediaDevices; window.__give = m.getUserMedia; m.getUserMedia = async () => { throw new DOMException('', 'NotFoundError') } })()`,
  )
  await unplug()
  await message(green, /您现在没有声音/)
  assert(!(await local(green)).mic, 'the microphone that has gone is shown as on')
  await until('red seeing it', () =>
    red.eval(
      `!!document.querySelector('[data-testid="tile"][data-participant="${green.participant}"] [data-testid="tile-muted"]')`,
    ),
  )
  await green.click('control-mic')
  await message(green, /没有找到设备/)
  await green.screenshot('host-unplugged-1440.png')
  await green.eval(
    `(() => { const m = navigator.mediaDevices; m.getUserMedia = window.__give; m.dispatchEvent(new Event('devicechange')) })()`,
  )
  await until('red hearing green again', () => hears(red, 760))
  assert((await local(green)).mic, 'the microphone that is back is shown as off')
})

await check('where the host gives the word, nobody unmutes himself', async () => {
  await red.click('host-unmute')
  await red.click('host-mute-all')
  for (const b of [green, blue]) await until(`${b.name} being muted`, async () => !(await local(b)).mic)
  assert((await local(red)).mic, 'the host was muted too')
  await blue.click('control-mic')
  await message(blue, /主持人安排/)
  await until('blue still muted', async () => !(await local(blue)).mic)
  await silent(1100, red)
  assert(!(await red.probe('hear([1100, 2600], 1500)').then(([t, s]) => t > s + 20 && t > FAINT_DB)), 'red hears blue')
  await red.click('host-unmute')
  for (const b of [green, blue]) {
    await sleep(100)
    await b.click('control-mic')
  }
  await until('blue being heard', () => hears(red, 1100))
})

await check(
  `a ceiling of SD is obeyed by everybody within ${CEILING_MS} ms, and lifted again`,
  async () => {
    const large = async () => (await tile(red, green))?.picture?.height
    await red.eval(
      `document.querySelector('[data-testid="tile"][data-participant="${green.participant}"]').dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))`,
    )
    const choose = (tier) =>
      red.eval(
        `(() => { const s = document.querySelector('[data-testid="host-tier"]'); s.value = '${tier}'; s.dispatchEvent(new Event('change')) })()`,
      )
    await red.probe('read(document.createElement("video"))')
    await unlessStalled([red, green], async () => {
      await choose('4k')
      await until('green in 720p', async () => (await large()) === 720, 20)
      const took = await red.eval(`(async () => {
    const video = document.querySelector('[data-testid="tile"][data-participant="${green.participant}"] video'), select = document.querySelector('[data-testid="host-tier"]')
    select.value = 'sd'
    const start = performance.now()
    select.dispatchEvent(new Event('change'))
    while (video.videoHeight > 360 && performance.now() - start < 8000) await new Promise((r) => setTimeout(r, 10))
    return video.videoHeight > 360 ? -1 : Math.round(performance.now() - start)
  })()`)
      console.log(`        from the host's choice to a picture of at most 360 lines: ${took} ms`)
      assert(took >= 0 && took <= CEILING_MS, `${took} ms`)
    })
    ceiling.from = Date.now() + 1000
    await sleep(1500)
    for (const b of [red, blue])
      assert((await seen(b, green)).picture.height <= 360, `${b.name}: a larger picture came back`)
    await until(
      'green sending no more than SD',
      () => green.eval(`document.querySelector('[data-testid="self-tile"] video').videoHeight <= 360`),
      5,
    )
    await green.click('control-settings')
    assert(
      await green.eval(
        `document.querySelector('[data-testid="own-hd"]').classList.contains('is-disabled') && !!document.querySelector('[data-testid="settings-ceiling"]')`,
      ),
      'a quality above the ceiling can be chosen',
    )
    await sleep(500)
    await green.screenshot('host-ceiling-1440.png')
    await green.page.keyboard.press('Escape')
    await green.click('control-screen') // one layer of several times that size
    const screen = await until(
      'the screen within the ceiling',
      async () => {
        const t = await red.probe(`tile(${JSON.stringify(green.participant)}, 'screen')`)
        return t?.source === 'screen' && t.state === 'live' && t.picture
      },
      15,
    )
    assert(screen.width * screen.height <= 307200, `a screen of ${screen.width} × ${screen.height}`)
    await green.click('share-stop')
    await until('the screen gone', async () => !(await green.visible('share-bar')))
    ceiling.to = Date.now()
    await choose('4k')
    await until('720p again', async () => (await large()) === 720, 20)
  },
  60,
)

await check(
  'a ceiling for one person bounds what he sends',
  async () => {
    const height = async () => (await tile(red, green))?.picture?.height
    await act(green, 'limit-sd')
    const start = Date.now()
    await until('green in SD', async () => (await height()) <= 360, 5, 20)
    console.log(`        SD after ${Date.now() - start} ms`)
    await until(
      'green sending no more than SD',
      () => green.eval(`document.querySelector('[data-testid="self-tile"] video').videoHeight <= 360`),
      5,
    )
    await act(green, 'limit-4k')
    await until('green in 720p', async () => (await height()) === 720, 20)
  },
  40,
)

await check(
  'a listener is invited to video and goes back, on the same connection',
  async () => {
    const before = blue.participant
    await green.click('control-camera')
    await until('green without a picture', async () => (await tile(red, green))?.state === 'off')
    await act(blue, 'act-ask_camera')
    await until('the question', () => blue.visible('asked'))
    await sleep(500) // it fades in
    await blue.screenshot('host-asked-390.png')
    await blue.click('asked-yes')
    await seen(red, blue)
    await seen(green, blue)
    // in green's rows of tiles; red has a large picture and a strip
    await until("blue's whole picture, upright", async () => {
      const { picture, tile } = await green.eval(`(() => {
        const t = document.querySelector('[data-testid="tile"][data-participant="${blue.participant}"]'), v = t.querySelector('video')
        return { picture: v.videoWidth / v.videoHeight, tile: t.clientWidth / t.clientHeight }
      })()`)
      if (picture < 0.6 && Math.abs(tile / picture - 1) < 0.05) return true
      throw new Error(JSON.stringify({ picture, tile }))
    })
    await green.screenshot('host-upright-1440.png')
    await green.click('control-camera')
    await message(green, /2 人打开摄像头/)
    assert(!(await local(green)).camera, "green's camera is on")
    await blue.click('control-camera')
    await until('blue being a listener again', async () => (await tile(red, blue))?.state !== 'live')
    await green.click('control-camera')
    await seen(red, green)
    equal(
      [await blue.eval('window.__consilium.participant'), await blue.eval('window.__pcs.size')].join(),
      [before, 1].join(),
      'participant and number of connections',
    )
  },
  40,
)

await check(
  'locked: nobody new; removed: out, and back only by leave of the host',
  async () => {
    await red.click('host-lock')
    await until('the lock', () =>
      red.eval(`document.querySelector('[data-testid="host-lock"]').getAttribute('aria-pressed') === 'true'`),
    )
    const offer = readFileSync(join(root, 'tests/data/sdp/chromium-phone.sdp'), 'utf8')
    const sections = Object.fromEntries(
      offer
        .split(/^m=/m)
        .slice(1)
        .map((m) => [/^a=mid:(\S+)/m.exec(m)[1], /^a=sendonly/m.test(m) && m.startsWith('audio') ? 'mic' : 'slot']),
    )
    const stranger = await Socket.open(server.url, { cookie: scene.experts[2].cookie })
    const answer = await stranger.call('room.join', { room: scene.room, device: 'phone', offer, sections })
    equal(answer.error?.data?.reason, 'locked', 'a join from outside')
    stranger.close()
    await red.screenshot('host-people-1440.png')
    await act(blue, 'act-remove')
    await red.page.locator('.ask-yes').click({ timeout: GIVE_UP_MS })
    await until('blue being out', () =>
      blue.eval(`document.querySelector('[data-testid="room-ended"]')?.dataset.reason === 'removed'`),
    )
    await blue.screenshot('host-removed-390.png')
    await until('red seeing nobody of that name', async () => !(await tile(red, blue)))
    await blue.click('room-again')
    await until('blue: the device check', () => blue.visible('room-enter'))
    await blue.click('room-enter')
    await until('blue waiting', () =>
      blue.eval(`document.querySelector('[data-testid="room-waiting"]')?.dataset.why === 'removed'`),
    )
    await until('red being asked', () => red.visible('knock-banner'))
    await red.click('knock-admit')
    await inside(blue)
    await blue.click('control-panel')
    await blue.click('panel-people')
    await sleep(300)
    await blue.screenshot('host-people-390.png')
  },
  40,
)

await check(
  'the minutes fell with the ceiling',
  async () => {
    for (const b of browsers) {
      await b.click('control-leave')
      await until(`${b.name} having left`, () => b.visible('room-ended'))
    }
    const rows = await until(
      'the ledger',
      async () => {
        const { items } = await scene.admin.get(`/api/v1/minutes/segments?room=${scene.room}&size=200&page=1`)
        return (
          items.some((r) => r.participant === red.participant && r.end_cause === 'leave') &&
          items.filter((r) => r.participant === red.participant)
        )
      },
      10,
      500,
    )
    const during = rows.filter((r) => r.start < ceiling.to && r.start + r.ms > ceiling.from)
    assert(
      during.length > 0 && during.every((r) => r.area_max <= 307200),
      `under the ceiling: ${JSON.stringify(during.map((r) => r.area_max))}`,
    )
    assert(
      rows.some((r) => r.area_max === 1280 * 720),
      'never 720p',
    )
  },
  20,
)

await end()
