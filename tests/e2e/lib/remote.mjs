// Runs inside a network namespace: starts one browser and does what its standard input asks (see Remote in browsers.mjs).
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import readline from 'node:readline'
import { CELLS, COUNTER_BITS } from './pictures.mjs'
import { installProbe } from './inpage.mjs'

import { Relay } from './relay.mjs'
import { GIVE_UP_MS } from '../../lib/check.mjs'

const options = JSON.parse(process.argv[2])
let driver

// the server under the address it has outside, so that pages are a secure context on 127.0.0.1 here too
if (options.forward)
  await Relay.listen({ port: options.forward.port, toHost: options.forward.host, toPort: options.forward.toPort })

/** A sound card for Firefox, which does not decode voices without one: PulseAudio's null sink, of this process alone. */
async function soundCard() {
  const dir = mkdtempSync(join(tmpdir(), 'consilium-sound-'))
  const socket = join(dir, 'native')
  const env = { ...process.env, HOME: dir, XDG_RUNTIME_DIR: dir, PULSE_RUNTIME_PATH: dir, PULSE_STATE_PATH: dir }
  // ends with this process, also when that is killed
  const daemon = spawn(
    'setpriv',
    [
      '--pdeathsig',
      'KILL',
      'pulseaudio',
      '-n',
      '--daemonize=no',
      '--exit-idle-time=-1',
      '--use-pid-file=no',
      '--disable-shm=yes',
      '-L',
      'module-null-sink rate=48000',
      '-L',
      `module-native-protocol-unix auth-anonymous=1 socket=${socket}`,
    ],
    { env, stdio: 'ignore' },
  )
  daemon.on('error', () => {})
  process.on('exit', () => {
    daemon.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  })
  for (let i = 0; i < 50 && !existsSync(socket); i++) await new Promise((r) => setTimeout(r, 100))
  return { PULSE_SERVER: `unix:${socket}`, PULSE_COOKIE: join(dir, 'cookie') }
}

async function firefox() {
  const { default: puppeteer } = await import('puppeteer-core')
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.FIREFOX || '/usr/bin/firefox-esr',
    headless: true,
    env: { ...process.env, ...(await soundCard()) },
    args: ['--width=1280', '--height=860'],
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.autoplay.default': 0,
      'media.autoplay.blocking_policy': 0,
      'media.devices.insecure.enabled': true,
      'media.getusermedia.insecure.enabled': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
      'media.navigator.audio.fake_frequency': options.tone || 440,
      'intl.accept_languages': 'zh-CN, zh',
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
      'app.update.enabled': false,
      'datareporting.policy.dataSubmissionEnabled': false,
      'browser.safebrowsing.downloads.remote.enabled': false,
    },
  })
  const page = await browser.newPage()
  await page.setViewport({ width: 1280, height: 800 })
  if (options.fps)
    await page.evaluateOnNewDocument((fps) => {
      const slower = (video) => (video && typeof video === 'object' ? { ...video, frameRate: { ideal: fps } } : video)
      const devices = MediaDevices.prototype,
        get = devices.getUserMedia
      devices.getUserMedia = function (asked) {
        return get.call(this, { ...asked, video: slower(asked?.video) })
      }
      const track = MediaStreamTrack.prototype,
        apply = track.applyConstraints
      track.applyConstraints = function (asked) {
        return apply.call(this, this.kind === 'video' ? slower(asked) : asked)
      }
    }, options.fps)
  const find = (testid) => page.waitForSelector(`[data-testid="${testid}"]`, { timeout: GIVE_UP_MS, visible: true })
  return {
    ready: async () => true,
    goto: async (url) => {
      await page.goto(url, { waitUntil: 'domcontentloaded' })
    },
    click: async (testid) => {
      await (await find(testid)).click()
    },
    fill: async (testid, text) => {
      const e = await find(testid)
      await e.evaluate((n, t) => {
        const i = n.matches('input,textarea') ? n : n.querySelector('input,textarea')
        i.value = t
        i.dispatchEvent(new Event('input', { bubbles: true }))
        i.dispatchEvent(new Event('change', { bubbles: true }))
      }, text)
    },
    visible: async (testid) =>
      page.evaluate((t) => {
        const e = document.querySelector(`[data-testid="${t}"]`)
        return !!e && !!e.getClientRects().length
      }, testid),
    eval: async (source) => page.evaluate(source),
    before: async (source) => {
      await page.evaluateOnNewDocument(source)
    },
    probe: async (expression) => {
      await page.evaluate(`(${installProbe})(${JSON.stringify(CELLS)}, ${COUNTER_BITS})`)
      return page.evaluate(`window.__probe.${expression}`)
    },
    cookie: async (text, url) => {
      const at = text.indexOf('=')
      await browser.setCookie({
        name: text.slice(0, at),
        value: text.slice(at + 1),
        domain: new URL(url).hostname,
        path: '/',
      })
    },
    screenshot: async (path) => {
      await page.screenshot({ path })
    },
    /** [['click', x, y], ['move', x, y], ['down'], ['up']…] of the mouse. */
    mouse: async (acts) => {
      for (const [act, ...place] of acts) await page.mouse[act](...place)
    },
    key: (name) => page.keyboard.press(name),
    close: async () => {
      await browser.close()
      process.exit(0)
    },
  }
}

async function chromium() {
  const { Chromium } = await import('./browsers.mjs')
  const c = await Chromium.launch(options)
  return {
    ready: async () => true,
    goto: async (u) => {
      await c.goto(u)
    },
    click: (t) => c.click(t),
    fill: (t, v) => c.fill(t, v),
    visible: (t) => c.visible(t),
    eval: (s) => c.eval(s),
    before: (s) => c.page.addInitScript(s),
    cookie: (t, u) => c.cookie(t, u),
    probe: (e) => c.probe(e),
    screenshot: async (p) => {
      await c.page.screenshot({ path: p })
    },
    mouse: (acts) => c.mouse(acts),
    key: (name) => c.key(name),
    close: async () => {
      await c.close()
      process.exit(0)
    },
  }
}

const starting = (options.kind === 'firefox' ? firefox() : chromium()).then((d) => {
  driver = d
})
readline
  .createInterface({ input: process.stdin })
  .on('line', async (line) => {
    const { id, method, args } = JSON.parse(line)
    try {
      await starting
      process.stdout.write(JSON.stringify({ id, result: (await driver[method](...args)) ?? null }) + '\n')
    } catch (e) {
      process.stdout.write(JSON.stringify({ id, error: String(e.message || e) }) + '\n')
    }
  })
  .on('close', () => {
    driver?.close()
    setTimeout(() => process.exit(0), 3000)
  })
