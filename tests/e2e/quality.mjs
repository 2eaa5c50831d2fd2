// The own quality: what a doctor chooses to send is what the others get; and what a slow line does is said in words.
import { execFileSync } from 'node:child_process'
import { Chromium, Namespace, Remote, canNamespace } from './lib/browsers.mjs'
import { Server } from '../lib/server.mjs'
import { approach, consultation, enter, login } from './lib/scene.mjs'
import { Skip, assert, check, sleep, finish, until } from '../lib/check.mjs'

const namespace = canNamespace() ? new Namespace(4) : null
const server = new Server({ name: 'quality', media: namespace ? `127.0.0.1,${namespace.outside}` : '127.0.0.1' })
let scene, room
const browsers = []

await check(
  'a 720p camera arrives in 720p, in SD when SD is chosen, and in 720p again',
  async () => {
    server.init()
    await server.start()
    scene = await consultation(server)
    room = scene.room
    for (const [name, username, camera] of [
      ['red', 'doctor01', { width: 1280, height: 720, fps: 10, frames: 100 }],
      ['green', 'expert01', { width: 320, height: 180, fps: 5, frames: 50 }],
    ]) {
      const b = await Chromium.launch({ name, colour: name, camera })
      browsers.push(b)
      await login(b, server, username)
      await approach(b, server, room)
      await enter(b)
    }
    const [red, green] = browsers
    const width = async () => (await green.probe(`tile(${JSON.stringify(red.participant)}, 'camera')`))?.picture?.width
    const choose = async (quality) => {
      await red.click('control-settings')
      await red.eval(`document.querySelector('[data-testid="own-${quality}"]').click()`)
      await red.page.keyboard.press('Escape')
    }
    await until("red's tile", width, 20)
    await green.eval(
      `document.querySelector('[data-testid="tile"][data-participant="${red.participant}"]').dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))`,
    )
    await choose('hd')
    await until('720p', async () => (await width()) === 1280, 20)
    await choose('sd')
    await until('SD', async () => (await width()) <= 640, 20)
    await choose('hd')
    await until('720p again', async () => (await width()) === 1280, 30)
  },
  110,
)

/** What leaves the namespace: `rate` as tc writes it, null: all. */
function upload(rate) {
  const tc = (...a) =>
    execFileSync('ip', ['netns', 'exec', namespace.name, 'tc', 'qdisc', ...a, 'dev', 'eth0', 'root'], {
      stdio: 'ignore',
    })
  if (!rate) return tc('del')
  execFileSync('ip', [
    'netns',
    'exec',
    namespace.name,
    'tc',
    'qdisc',
    'add',
    'dev',
    'eth0',
    'root',
    'tbf',
    'rate',
    rate,
    'burst',
    '16kb',
    'latency',
    '150ms',
  ])
}

const lineOf = (b) => b.eval(`document.querySelector('[data-testid="quality-line"]')?.textContent?.trim() ?? ''`)
/** Notes every change of the line from now on. */
const watchLine = (b) =>
  b.eval(
    `(() => { const now = () => document.querySelector('[data-testid="quality-line"]')?.textContent?.trim() ?? ''; window.__lines = [now()]; new MutationObserver(() => { const t = now(); if (t !== window.__lines.at(-1)) window.__lines.push(t) }).observe(document.body, { subtree: true, childList: true, characterData: true }) })()`,
  )
/** The words at somebody's mark, as a tap shows them. */
const tapped = (b, who) =>
  b.eval(
    `(async () => { const mark = document.querySelector('[data-testid="tile"][data-participant="${who}"] [data-testid="quality"]'); mark.click(); await new Promise((r) => setTimeout(r, 100)); const t = document.querySelector('[data-testid="quality-words"]')?.innerText ?? ''; mark.click(); return t })()`,
  )

await check(
  'an upload that is too slow is said in words, once, and taken back',
  async () => {
    if (!namespace) throw new Skip('needs a network namespace, which only root can make')
    const [red, green] = browsers
    await red.click('control-leave').catch(() => {})
    const blue = await Remote.launch(namespace, {
      kind: 'chromium',
      name: 'blue',
      colour: 'blue',
      camera: { width: 1280, height: 720, fps: 10, frames: 100 },
      forward: await namespace.pages(server),
    })
    browsers.push(blue)
    await login(blue, server, 'expert02')
    await approach(blue, server, room)
    await enter(blue)
    const width = async () => (await green.probe(`tile(${JSON.stringify(blue.participant)}, 'camera')`))?.picture?.width
    await until("blue's tile", width, 20)
    await green.eval(
      `document.querySelector('[data-testid="tile"][data-participant="${blue.participant}"]').dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))`,
    )
    await until('720p', async () => (await width()) === 1280, 25)
    // while it began the picture may have been smaller, and said so
    await until('no words', async () => !(await lineOf(blue)), 45)
    const heights = async () =>
      (await scene.admin.get(`/api/v1/rooms/${room}/quality?participant=${blue.participant}&minutes=10`)).history
        .received_height
    await until('ten seconds of 720p in the history', async () => (await heights()).includes(720), 25, 1000)
    await watchLine(blue)
    upload('500kbit')
    const line = await until('the words', () => lineOf(blue), 30)
    assert(/(上行网速不足.*标清|upload is too slow.*SD)/.test(line), `the words: ${line}`)
    await blue.screenshot('quality-line.png')
    const words = await until(
      "words at blue's mark on the other side",
      async () => {
        const t = await tapped(green, blue.participant)
        return /\n/.test(t) && t
      },
      20,
    )
    console.log(`        ${line} | ${words.replaceAll('\n', ' | ')}`)
    await until(
      'ten seconds of a smaller picture in the history',
      async () => {
        const h = (await heights()).filter((x) => x > 0)
        return h.length && Math.min(...h) < 720
      },
      40,
      1000,
    )
    upload(null)
    await until('the words being gone', async () => !(await lineOf(blue)), 45)
    const lines = await blue.eval('window.__lines')
    assert(lines.length <= 4 && lines.filter((l) => !l).length === 2, `the line blinked: ${JSON.stringify(lines)}`)
  },
  150,
)

await check(
  'the administrator sees who is there, who left and what was wrong; a doctor does not',
  async () => {
    const [, green, blue] = browsers
    const admin = await Chromium.launch({ name: 'admin' })
    browsers.push(admin)
    await login(admin, server, 'admin01')
    await admin.goto(`${server.url}/admin/quality`)
    const people = () =>
      admin.eval(
        `[...document.querySelectorAll('[data-testid="quality-person"]')].map((li) => ({ id: li.dataset.person, text: li.innerText, gone: li.classList.contains('gone') }))`,
      )
    const rows = await until('three people', async () => {
      const p = await people()
      return p.length === 3 && p
    })
    assert(
      rows.filter((p) => p.gone).length === 1 && rows.at(-1).gone,
      `one has left and stands last: ${JSON.stringify(rows)}`,
    )
    const watched = blue ?? green
    assert(/（演示）/.test(rows.find((p) => p.id === watched.participant)?.text), `a name: ${JSON.stringify(rows)}`)
    await admin.eval(`document.querySelector('[data-person="${watched.participant}"] button').click()`)
    await until(
      'its charts',
      () => admin.eval(`document.querySelectorAll('[data-testid="quality-chart"] canvas').length === 6`),
      25,
    )
    await sleep(700)
    await admin.screenshot('quality-admin.png')
    await admin.page.setViewportSize({ width: 390, height: 844 })
    await sleep(700)
    assert(await admin.eval('document.documentElement.scrollWidth <= innerWidth'), 'the page is wider than a phone')
    await admin.screenshot('quality-admin-phone.png')
    const one = await scene.admin.get(`/api/v1/rooms/${room}/quality?participant=${watched.participant}&minutes=10`)
    const { history } = one
    assert(
      history.at.length >= 2 &&
        history.up_bps.length === history.at.length &&
        Math.max(...history.received_height) === 720,
      `the history: ${JSON.stringify(history)}`,
    )
    if (blue)
      assert(
        history.why.flat().includes('up_slow') && Math.min(...history.received_height) < 720,
        `what was wrong: ${JSON.stringify(history.why)}`,
      )
    const refused = await fetch(`${server.url}/api/v1/rooms/${room}/quality`, {
      headers: { cookie: scene.referrer.cookie },
    })
    assert(refused.status === 403, `a doctor gets ${refused.status}`)
  },
  90,
)

for (const b of browsers) await b.close()
await server.stop()
namespace?.remove()
finish()
