// The real server on ports of its own in a folder of its own, with demo users whose passwords the demo prints.
import { spawn, execFileSync } from 'node:child_process'
import {
  mkdtempSync,
  writeFileSync,
  readFileSync,
  existsSync,
  renameSync,
  rmSync,
  openSync,
  mkdirSync,
  statSync,
} from 'node:fs'
import dgram from 'node:dgram'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from './check.mjs'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..')
export const artefacts = join(root, 'artefacts')
mkdirSync(artefacts, { recursive: true })

/** A port that nobody has, below those which systems hand out by themselves (from 32768 on): so nobody gets it while the server is being started anew. */
async function freePort() {
  const bound = (socket, bind, event) =>
    new Promise((r) => {
      socket.once('error', () => r(false))
      socket.once(event, () => socket.close(() => r(true)))
      bind()
    })
  for (;;) {
    const port = 15000 + Math.floor(Math.random() * 15000)
    const tcp = net.createServer(),
      udp = dgram.createSocket('udp4')
    if (
      (await bound(tcp, () => tcp.listen(port), 'listening')) &&
      (await bound(udp, () => udp.bind(port), 'listening'))
    )
      return port
  }
}

export class Server {
  constructor({ build = 'release', listen = '127.0.0.1', media = '127.0.0.1', extra = {}, name = 'server' } = {}) {
    this.dir = mkdtempSync(join(tmpdir(), 'consilium-e2e-'))
    this.bin = join(root, 'build', build, 'consilium')
    this.config = join(this.dir, 'consilium.ini')
    this.portFile = join(this.dir, 'ports.json')
    this.log = join(artefacts, `${name}.log`)
    const sections = {
      ...extra,
      server: {
        listen,
        port: 0,
        web_root: join(root, 'viewer/web/dist'),
        management_port: 0,
        port_file: this.portFile,
        idle_minutes: 600,
        ...extra.server,
      },
      database: { url: `sqlite:${join(this.dir, 'consilium.db')}`, ...extra.database },
      files: { root: join(this.dir, 'files'), ...extra.files },
      keys: { master: join(this.dir, 'master.key') },
      audit: { heads: join(this.dir, 'heads.log') },
      media: { listen: media, port: 0, ...extra.media },
    }
    this.sections = sections
    this.writeConfig()
  }

  writeConfig() {
    writeFileSync(
      this.config,
      Object.entries(this.sections)
        .map(
          ([s, keys]) =>
            `[${s}]\n` +
            Object.entries(keys)
              .map(([k, v]) => `${k} = ${v}\n`)
              .join(''),
        )
        .join(''),
    )
  }

  run(...args) {
    return execFileSync(this.bin, [...args, '--config', this.config], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
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

  /** Key and demo data; users: {username: password} as the demo printed them. */
  init() {
    this.run('key', 'create')
    const out = this.run('demo', 'init', '--slide', this.slide)
    this.users = {}
    for (const line of out.split('\n')) {
      const m = /^\s*([a-z0-9]{6,32})\s+(\S{10,})\s*(.*)$/.exec(line)
      if (m) this.users[m[1]] = m[2]
    }
    return this.users
  }

  /** Key, a hospital and these users {username: role}, without the demo's slide and documents. */
  people(roles) {
    this.run('key', 'create')
    this.users = {}
    for (const [name, role] of Object.entries(roles))
      this.users[name] = /password (\S+)/.exec(
        this.run('user', 'add', name, '--hospital', 'Test hospital', '--role', role),
      )[1]
    return this.users
  }

  async start() {
    rmSync(this.portFile, { force: true })
    for (const section of ['server', 'media']) this.sections[section].port ||= await freePort()
    this.writeConfig()
    const log = openSync(this.log, 'a')
    this.process = spawn(this.bin, ['serve', '--config', this.config], { stdio: ['ignore', log, log] })
    this.exited = new Promise((r) =>
      this.process.on('exit', (code, signal) => {
        this.exit = { code, signal }
        r()
      }),
    )
    await until(
      'the server being ready',
      () => {
        if (this.exit) throw new Error(`the server ended: ${JSON.stringify(this.exit)}; see ${this.log}`)
        return existsSync(this.portFile)
      },
      30,
    )
    this.ports = JSON.parse(readFileSync(this.portFile, 'utf8'))
    this.url = `http://127.0.0.1:${this.ports.port}`
    return this
  }

  async kill(signal = 'SIGKILL') {
    if (!this.process || this.exit) return
    this.process.kill(signal)
    await this.exited
    this.exit = undefined
  }

  async stop() {
    if (this.process && !this.exit) {
      this.process.kill('SIGTERM')
      await Promise.race([this.exited, new Promise((r) => setTimeout(r, 8000))])
      if (!this.exit) {
        this.process.kill('SIGKILL')
        await this.exited
      }
    }
    rmSync(this.dir, { recursive: true, force: true })
  }

  /** Logged-in REST client. */
  async login(username) {
    const client = new Api(this.url)
    await client.login(username, this.users[username])
    return client
  }
}

export class Api {
  constructor(url) {
    this.url = url
  }

  async login(username, password) {
    const r = await fetch(`${this.url}/api/v1/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: this.url, 'sec-fetch-site': 'same-origin' },
      body: JSON.stringify({ username, password }),
    })
    if (!r.ok) throw new Error(`login of ${username}: ${r.status} ${await r.text()}`)
    this.cookie = r.headers.get('set-cookie').split(';')[0]
    Object.assign(this, await r.json())
    return this
  }

  async raw(method, path, body, headers = {}) {
    const json = body !== undefined && !(body instanceof Uint8Array)
    return fetch(this.url + path, {
      method,
      body: json ? JSON.stringify(body) : body,
      headers: {
        cookie: this.cookie,
        ...(method === 'GET' || method === 'HEAD' ? {} : { 'x-csrf-token': this.csrf, origin: this.url }),
        ...(json ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
    })
  }

  async call(method, path, body) {
    const r = await this.raw(method, path, body)
    const text = await r.text()
    if (!r.ok) throw Object.assign(new Error(`${method} ${path}: ${r.status} ${text}`), { status: r.status })
    return text ? JSON.parse(text) : null
  }

  get(path) {
    return this.call('GET', path)
  }
  post(path, body = {}) {
    return this.call('POST', path, body)
  }
  put(path, body) {
    return this.call('PUT', path, body)
  }

  /** One upload in tus chunks; gives the file's id. */
  async upload(request, category, filename, bytes, chunk = 4 << 20) {
    const b64 = (s) => Buffer.from(s).toString('base64')
    const tus = { 'tus-resumable': '1.0.0' }
    const r = await this.raw('POST', '/uploads', undefined, {
      ...tus,
      'upload-length': String(bytes.length),
      'upload-metadata': `request ${b64(request)},category ${b64(category)},filename ${b64(filename)}`,
    })
    if (r.status !== 201) throw new Error(`upload: ${r.status} ${await r.text()}`)
    const location = r.headers.get('location')
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, Math.min(at + chunk, bytes.length))
      const p = await this.raw('PATCH', location, piece, {
        ...tus,
        'upload-offset': String(at),
        'content-type': 'application/offset+octet-stream',
      })
      if (p.status !== 204)
        throw Object.assign(new Error(`upload: ${p.status} ${await p.text()}`), { status: p.status })
      at = Number(p.headers.get('upload-offset'))
      if (p.headers.get('x-file-id')) return p.headers.get('x-file-id')
    }
    throw new Error('the upload ended without a file')
  }
}
