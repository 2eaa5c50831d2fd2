// Real browsers. Each Chromium sends a picture and a tone of its own; Firefox runs in a network namespace of its own (it gathers no loopback candidates).
import { spawn, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import readline from 'node:readline'
import { writeY4m, writeTone, CELLS, COUNTER_BITS } from './pictures.mjs'
import { installProbe } from './inpage.mjs'
import { Relay } from './relay.mjs'
import { GIVE_UP_MS } from '../../lib/check.mjs'
import { artefacts } from '../../lib/server.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-default-apps',
  '--metrics-recording-only',
  '--mute-audio',
]

export class Chromium {
  /** colour (or film, a Y4M file), tone: what it sends; viewport; scale: device pixel ratio; flags: more of the command line. */
  static async launch({
    name,
    colour,
    film,
    tone,
    viewport = { width: 1440, height: 900 },
    scale = 1,
    mobile = false,
    locale = 'zh-CN',
    camera = { width: 640, height: 360, fps: 15 },
    flags = [],
  }) {
    const { chromium } = await import('playwright-core')
    const self = new Chromium()
    self.name = name
    self.dir = mkdtempSync(join(tmpdir(), 'consilium-browser-'))
    const args = [
      ...QUIET,
      ...flags,
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      '--allow-loopback-in-peer-connection',
      '--autoplay-policy=no-user-gesture-required',
      '--auto-select-desktop-capture-source=Entire screen',
    ]
    if (colour) {
      writeY4m(join(self.dir, 'camera.y4m'), { colour, ...camera })
      args.push(`--use-file-for-fake-video-capture=${join(self.dir, 'camera.y4m')}`)
    }
    if (film) args.push(`--use-file-for-fake-video-capture=${film}`)
    if (tone) {
      writeTone(join(self.dir, 'voice.wav'), tone)
      args.push(`--use-file-for-fake-audio-capture=${join(self.dir, 'voice.wav')}`)
    }
    self.profile = join(self.dir, 'profile')
    self.context = await chromium.launchPersistentContext(self.profile, {
      executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
      headless: true,
      args,
      viewport,
      deviceScaleFactor: scale,
      isMobile: mobile,
      hasTouch: mobile,
      locale,
      permissions: ['camera', 'microphone'],
    })
    self.page = self.context.pages()[0] ?? (await self.context.newPage())
    self.errors = []
    self.page.on('pageerror', (e) => self.errors.push(String(e)))
    self.page.on('console', (m) => {
      if (m.type() === 'error') self.errors.push(`${m.text()} ${m.location().url}`)
    })
    return self
  }

  goto(url) {
    return this.page.goto(url, { waitUntil: 'domcontentloaded' })
  }
  click(testid) {
    return this.page.locator(`[data-testid="${testid}"]`).first().click({ timeout: GIVE_UP_MS })
  }
  fill(testid, text) {
    return this.page.locator(`[data-testid="${testid}"]`).first().fill(text, { timeout: GIVE_UP_MS })
  }
  visible(testid) {
    return this.page.locator(`[data-testid="${testid}"]`).first().isVisible()
  }
  eval(fn, ...args) {
    return this.page.evaluate(fn, ...args)
  }
  async probe(expression) {
    await this.page.evaluate(`(${installProbe})(${JSON.stringify(CELLS)}, ${COUNTER_BITS})`)
    return this.page.evaluate(`window.__probe.${expression}`)
  }
  /** A session's cookie, as "name=value". */
  cookie(text, url) {
    const at = text.indexOf('=')
    return this.context.addCookies([{ name: text.slice(0, at), value: text.slice(at + 1), url }])
  }
  screenshot(file) {
    return this.page.screenshot({ path: join(artefacts, file) })
  }
  /** [['click', x, y], ['move', x, y], ['down'], ['up']…] of the mouse. */
  async mouse(acts) {
    for (const [act, ...place] of acts) await this.page.mouse[act](...place)
  }
  key(name) {
    return this.page.keyboard.press(name)
  }
  async close() {
    await Promise.race([this.context.close().catch(() => {}), new Promise((r) => setTimeout(r, 5000))])
    this.killHard()
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 })
  }
  /** As if the machine lost power: every process of it at once. */
  killHard() {
    const all = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' })
      .split('\n')
      .filter((l) => l.includes(this.profile))
      .map((l) => parseInt(l, 10))
    for (const pid of all)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {}
  }
}

/** Namespaces of runs that were killed: their addresses would draw away the packets of this one. */
function removeStale() {
  const names = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).match(/\bconsilium-\d+-\d+/g) ?? []
  for (const name of names)
    if (!existsSync(`/proc/${name.split('-')[1]}`))
      try {
        execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' })
      } catch {}
}

/** A network namespace with a veth pair and a default route, on addresses of this process alone. Needs root. */
export class Namespace {
  constructor(n) {
    removeStale()
    this.name = `consilium-${process.pid}-${n}`
    this.outside = `10.${100 + n}.${process.pid % 251}.1`
    this.inside = `10.${100 + n}.${process.pid % 251}.2`
    this.link = `cn${process.pid % 10000}x${n}`
    const ip = (...a) => execFileSync('ip', a)
    ip('netns', 'add', this.name)
    ip('link', 'add', this.link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.name)
    ip('addr', 'add', `${this.outside}/30`, 'dev', this.link)
    ip('link', 'set', this.link, 'up')
    for (const a of [
      ['addr', 'add', `${this.inside}/30`, 'dev', 'eth0'],
      ['link', 'set', 'eth0', 'up'],
      ['link', 'set', 'lo', 'up'],
      ['route', 'add', 'default', 'via', this.outside],
    ])
      ip('netns', 'exec', this.name, 'ip', ...a)
  }
  remove() {
    for (const relay of this.relays?.values() ?? []) relay.close()
    for (const link of [this.link, this.link1])
      try {
        if (link) execFileSync('ip', ['link', 'del', link])
      } catch {}
    try {
      execFileSync('ip', ['netns', 'del', this.name])
    } catch {}
  }
  /** A server's pages for browsers in here, `forward` of Remote.launch: under 127.0.0.1 as outside, since only there plain HTTP is a secure context. They go with the namespace. */
  async pages(server) {
    const { port } = server.ports
    this.relays ??= new Map()
    if (!this.relays.has(port)) this.relays.set(port, await Relay.listen({ host: this.outside, toPort: port }))
    return { port, host: this.outside, toPort: this.relays.get(port).port }
  }
  /** IPv6 on the link besides: two addresses outside, one inside. */
  addIpv6() {
    const net = `fd00:c0:${process.pid.toString(16).slice(-4)}:${this.name.split('-')[2]}`
    this.outside6 = [`${net}::1`, `${net}::2`]
    for (const a of this.outside6) execFileSync('ip', ['addr', 'add', `${a}/64`, 'dev', this.link, 'nodad'])
    execFileSync('ip', ['netns', 'exec', this.name, 'ip', 'addr', 'add', `${net}::9/64`, 'dev', 'eth0', 'nodad'])
  }
  /** Takes eth0 away and gives eth1 with another address: as a phone that leaves the hospital's network for the carrier's. */
  changeNetwork() {
    const ip = (...a) => execFileSync('ip', a)
    const [, n, pid] = this.outside.split('.').map(Number)
    const [outside, inside] = [1, 2].map((k) => `10.${n + 50}.${pid}.${k}`)
    this.link1 = `${this.link}b`
    ip('link', 'add', this.link1, 'type', 'veth', 'peer', 'name', 'eth1', 'netns', this.name)
    ip('addr', 'add', `${outside}/30`, 'dev', this.link1)
    ip('link', 'set', this.link1, 'up')
    for (const a of [
      ['link', 'set', 'eth0', 'down'],
      ['addr', 'flush', 'dev', 'eth0'],
      ['addr', 'add', `${inside}/30`, 'dev', 'eth1'],
      ['link', 'set', 'eth1', 'up'],
      ['route', 'replace', 'default', 'via', outside],
    ])
      ip('netns', 'exec', this.name, 'ip', ...a)
    return inside
  }
  /** A firewall as hospitals have them: nothing leaves but this, [['tcp', 443], …]. */
  onlyTo(ways) {
    const rule = (...a) => execFileSync('ip', ['netns', 'exec', this.name, 'ip', 'rule', ...a])
    for (const pref of this.rules ?? []) rule('del', 'pref', pref)
    this.rules = []
    const add = (...a) => {
      const pref = String(100 + this.rules.length)
      rule('add', 'pref', pref, ...a)
      this.rules.push(pref)
    }
    for (const [protocol, port] of ways) add('ipproto', protocol, 'dport', String(port), 'lookup', 'main')
    add('ipproto', 'tcp', 'prohibit')
    add('ipproto', 'udp', 'prohibit')
  }
  /** A firewall that swallows all UDP, or lets it pass again. */
  udp(passes) {
    const nft = (input) => execFileSync('ip', ['netns', 'exec', this.name, 'nft', '-f', '-'], { input })
    nft('add table inet firewall\ndelete table inet firewall\n')
    if (!passes)
      nft(
        'table inet firewall {\n chain out {\n type filter hook output priority 0; policy accept;\n oifname "eth0" meta l4proto udp drop\n }\n}\n',
      )
  }
  /** The network's plug: out and in again. */
  plug(inserted) {
    execFileSync('ip', ['link', 'set', this.link, inserted ? 'up' : 'down'])
    if (inserted)
      execFileSync('ip', ['netns', 'exec', this.name, 'ip', 'route', 'replace', 'default', 'via', this.outside])
  }
}

/** A browser driven by a process inside a namespace (null: none, which does where no media is needed), over its standard input and output. kind: "firefox" or "chromium"; the options of the latter are Chromium's, Firefox's `fps` is its own camera's, which the page asks for 30. */
export class Remote {
  static async launch(namespace, options) {
    const self = new Remote()
    self.name = options.name
    self.waiting = new Map()
    self.next = 1
    self.errors = []
    const inside = namespace ? ['ip', 'netns', 'exec', namespace.name] : []
    const [program, ...args] = [...inside, process.execPath, join(here, 'remote.mjs'), JSON.stringify(options)]
    self.process = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    readline.createInterface({ input: self.process.stdout }).on('line', (line) => {
      let m
      try {
        m = JSON.parse(line)
      } catch {
        return
      }
      const w = self.waiting.get(m.id)
      if (!w) return
      self.waiting.delete(m.id)
      if (m.error) w.no(new Error(`${self.name}: ${m.error}`))
      else w.yes(m.result)
    })
    self.process.on('exit', () => {
      for (const w of self.waiting.values()) w.no(new Error(`${self.name}: the browser ended`))
      self.waiting.clear()
    })
    await self.ask('ready')
    return self
  }
  ask(method, ...args) {
    const id = this.next++
    return new Promise((yes, no) => {
      this.waiting.set(id, { yes, no })
      this.process.stdin.write(JSON.stringify({ id, method, args }) + '\n')
    })
  }
  goto(url) {
    return this.ask('goto', url)
  }
  click(testid) {
    return this.ask('click', testid)
  }
  fill(testid, text) {
    return this.ask('fill', testid, text)
  }
  visible(testid) {
    return this.ask('visible', testid)
  }
  eval(source) {
    return this.ask('eval', typeof source === 'function' ? `(${source})()` : source)
  }
  /** Runs before the scripts of every page that is opened from now on. */
  before(source) {
    return this.ask('before', source)
  }
  probe(expression) {
    return this.ask('probe', expression)
  }
  cookie(text, url) {
    return this.ask('cookie', text, url)
  }
  screenshot(file) {
    return this.ask('screenshot', join(artefacts, file))
  }
  mouse(acts) {
    return this.ask('mouse', acts)
  }
  key(name) {
    return this.ask('key', name)
  }
  async close() {
    if (this.process.exitCode === null) {
      this.ask('close').catch(() => {})
      await Promise.race([new Promise((r) => this.process.on('exit', r)), new Promise((r) => setTimeout(r, 5000))])
      this.process.kill('SIGKILL')
    }
  }
}

export const canNamespace = () =>
  (process.getuid() === 0 && existsSync('/usr/sbin/ip')) || (existsSync('/sbin/ip') && process.getuid() === 0)
