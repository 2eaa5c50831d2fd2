// The real server on ports of its own in a folder of its own. Node's own modules only.
import { spawn, execFileSync } from 'node:child_process'
import dgram from 'node:dgram'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from './check.mjs'
import { Session } from './rest.mjs'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
export const artefacts = join(root, 'artefacts')
mkdirSync(artefacts, { recursive: true })

/** The build of tests that talk to the server without a browser: every byte they send is looked at by the sanitizers. */
export const sanitized = process.env.CN_BUILD || 'asan'
// fontconfig's and Cairo's caches are no leaks of the program's
process.env.LSAN_OPTIONS ??= `suppressions=${join(root, 'tests/interop/start.supp')}:print_suppressions=0`

const READY_SECONDS = 30
const END_SECONDS = 20

/** Whether nobody has this port on 127.0.0.1, of TCP and of UDP. */
export async function isFree(port) {
  const bound = (socket, bind, event) =>
    new Promise((r) => {
      socket.once('error', () => r(false))
      socket.once(event, () => socket.close(() => r(true)))
      bind()
    })
  const tcp = net.createServer(),
    udp = dgram.createSocket('udp4')
  return (
    (await bound(tcp, () => tcp.listen(port), 'listening')) && (await bound(udp, () => udp.bind(port), 'listening'))
  )
}

/** A port that nobody has, below those which systems hand out by themselves (from 32768 on): so nobody gets it while the server is being started anew. */
async function freePort() {
  for (;;) {
    const port = 15000 + Math.floor(Math.random() * 15000)
    if (await isFree(port)) return port
  }
}

/** Logs that this process has begun; those of former runs are written over. */
const begun = new Set()

export class Server {
  /** tree: whose build, this one's if nothing is said; name: of its log in artefacts/; media: where media listen; pages: false for an empty web root of its own (`web`); extra: {section: {key: value}} of the configuration; descriptors: the soft limit that it is started with, as a login shell's. */
  constructor({
    tree = root,
    build = 'release',
    listen = '127.0.0.1',
    media = '127.0.0.1',
    pages = true,
    extra = {},
    name = 'server',
    descriptors,
  } = {}) {
    this.dir = mkdtempSync(join(tmpdir(), 'consilium-test-'))
    this.bin = join(tree, 'build', build, 'consilium')
    this.config = join(this.dir, 'consilium.ini')
    this.portFile = join(this.dir, 'ports.json')
    this.logFile = join(artefacts, `${name}.log`)
    this.web = pages ? join(tree, 'viewer/web/dist') : join(this.dir, 'web')
    if (!pages) mkdirSync(join(this.web, 'assets'), { recursive: true })
    this.sections = {
      server: {
        listen,
        port: 0,
        web_root: this.web,
        management_port: 0,
        port_file: this.portFile,
        idle_minutes: 600,
      },
      database: { url: `sqlite:${join(this.dir, 'consilium.db')}` },
      files: { root: join(this.dir, 'files') },
      keys: { master: join(this.dir, 'master.key') },
      audit: { heads: join(this.dir, 'heads.log') },
      media: { listen: media, port: 0 },
    }
    for (const [section, keys] of Object.entries(extra)) this.set(section, keys)
    this.writeConfig()
    this.users = {}
    this.descriptors = descriptors
    this.run('key', 'create')
  }

  /** Other values of a section, from the next start on; undefined takes a key away. */
  set(section, keys) {
    this.sections[section] = { ...this.sections[section], ...keys }
    this.writeConfig()
  }

  writeConfig() {
    const lines = (keys) =>
      Object.entries(keys)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => `${key} = ${value}\n`)
    const text = Object.entries(this.sections).map(([section, keys]) => `[${section}]\n${lines(keys).join('')}`)
    writeFileSync(this.config, text.join(''))
  }

  /** What `consilium ARGS` prints. */
  run(...args) {
    return this.feed('', ...args)
  }

  /** The same with something on its standard input. */
  feed(input, ...args) {
    return execFileSync(this.bin, [...args, '--config', this.config], { encoding: 'utf8', input, stdio: 'pipe' })
  }

  /** The demo's slide, drawn once per build: drawing takes ten seconds of a processor. */
  get slide() {
    const program = join(dirname(this.bin), 'consilium-demo-slide')
    const path = join(dirname(this.bin), 'demo-slide.tif')
    if (existsSync(path) && statSync(path).mtimeMs > statSync(program).mtimeMs) return path
    const own = `${path}.${process.pid}`
    execFileSync(program, [own])
    renameSync(own, path)
    return path
  }

  /** The demo's data; users: {username: password} as the demo printed them. */
  init() {
    const out = this.run('demo', 'init', '--slide', this.slide)
    for (const line of out.split('\n')) {
      const m = /^\s*([a-z0-9]{6,32})\s+(\S{10,})\s*(.*)$/.exec(line)
      if (m) this.users[m[1]] = m[2]
    }
    return this.users
  }

  /** A hospital and these users {username: role}, without the demo's slide and documents; more: of `user add`. Without a password each gets one. */
  people(roles, { hospital = 'Test hospital', password, more = [] } = {}) {
    for (const [name, role] of Object.entries(roles)) {
      const args = ['user', 'add', name, '--hospital', hospital, '--role', role, ...more]
      if (password) this.feed(`${password}\n`, ...args, '--password-stdin')
      this.users[name] = password ?? /password (\S+)/.exec(this.run(...args))[1]
    }
    return this.users
  }

  async start() {
    rmSync(this.portFile, { force: true })
    for (const section of ['server', 'media']) this.sections[section].port ||= await freePort()
    this.writeConfig()
    const log = openSync(this.logFile, begun.has(this.logFile) ? 'a' : 'w')
    begun.add(this.logFile)
    this.exit = undefined
    const command = [this.bin, 'serve', '--config', this.config]
    if (this.descriptors) command.unshift('prlimit', `--nofile=${this.descriptors}:`)
    this.process = spawn(command[0], command.slice(1), { stdio: ['ignore', log, log] })
    this.exited = new Promise((r) =>
      this.process.on('exit', (code, signal) => {
        this.exit = { code, signal }
        r()
      }),
    )
    await until(
      'the server being ready',
      () => {
        if (this.exit) throw new Error(`the server ended: ${JSON.stringify(this.exit)}; see ${this.logFile}`)
        return existsSync(this.portFile)
      },
      READY_SECONDS,
      50,
    )
    this.ports = JSON.parse(readFileSync(this.portFile, 'utf8'))
    const host = `127.0.0.1:${this.ports.port}`
    this.url = `${this.sections.server.tls_cert ? 'https' : 'http'}://${host}`
    this.management = `http://127.0.0.1:${this.ports.management_port}`
    return this
  }

  log() {
    return readFileSync(this.logFile, 'utf8')
  }

  /** It ends, and may be started again; gives {code, signal}. Who does not end in time is killed. */
  async end(signal = 'SIGTERM', seconds = END_SECONDS) {
    if (!this.process) return undefined
    if (!this.exit) {
      this.process.kill(signal)
      const timer = setTimeout(() => this.process.kill('SIGKILL'), seconds * 1000)
      await this.exited
      clearTimeout(timer)
    }
    return this.exit
  }

  /** It ends, and its folder goes. */
  async stop() {
    await this.end('SIGTERM', 8)
    this.remove()
  }

  remove() {
    // what a killed server had started may still be writing its last file
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }

  /** What a page of that user may do over HTTP. */
  login(username) {
    return new Session(this.url, { page: true }).login(username, this.users[username])
  }
}
