// The real server in a folder of its own on free ports, plain HTTP calls, and a small WebSocket client. Node's own modules only.
import { spawn, execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms))

// ---- counting ----

let passed = 0
const failures = []

export async function check(name, run) {
  try {
    await run()
    passed++
  } catch (error) {
    failures.push(name)
    console.log(`FAILED ${name}: ${error.message}`)
  }
}

export function equal(actual, expected, what = '') {
  if (JSON.stringify(actual) !== JSON.stringify(expected))
    throw new Error(`${what} is ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`)
}

export function truth(value, what) {
  if (!value) throw new Error(what)
}

export function finish() {
  console.log(`${passed} passed, ${failures.length} failed`)
  process.exit(failures.length ? 1 : 0)
}

// ---- the server ----

export class Server {
  constructor({ build = process.env.CN_BUILD || 'asan', extra = {} } = {}) {
    this.dir = mkdtempSync(join(tmpdir(), 'consilium-http-'))
    this.bin = join(root, 'build', build, 'consilium')
    this.config = join(this.dir, 'consilium.ini')
    this.web = join(this.dir, 'web')
    const sections = {
      server: {
        port: 0,
        management_port: 0,
        port_file: join(this.dir, 'ports.json'),
        web_root: this.web,
        ...extra.server,
      },
      database: { url: `sqlite:${join(this.dir, 'consilium.db')}` },
      files: { root: join(this.dir, 'files') },
      keys: { master: join(this.dir, 'master.key') },
      audit: { heads: join(this.dir, 'heads.log') },
      media: { port: 0, ...extra.media },
    }
    for (const [section, keys] of Object.entries(extra)) Object.assign(sections[section], keys)
    writeFileSync(
      this.config,
      Object.entries(sections)
        .map(
          ([s, keys]) =>
            `[${s}]\n${Object.entries(keys)
              .map(([k, v]) => `${k} = ${v}\n`)
              .join('')}`,
        )
        .join(''),
    )
    mkdirSync(join(this.web, 'assets'), { recursive: true })
    this.run(['key', 'create'])
  }

  /** Another value in the configuration file. */
  set(section, key, value) {
    const text = readFileSync(this.config, 'utf8')
    const head = `[${section}]\n`
    const at = text.indexOf(head) + head.length
    const end = text.indexOf('[', at) < 0 ? text.length : text.indexOf('[', at)
    writeFileSync(
      this.config,
      text.slice(0, at) +
        text.slice(at, end).replace(new RegExp(`^${key} = .*$`, 'm'), () => `${key} = ${value}`) +
        text.slice(end),
    )
  }

  run(args, input = '') {
    return execFileSync(this.bin, [...args, '--config', this.config], {
      encoding: 'utf8',
      input,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  }

  async start() {
    const log = openSync(join(this.dir, 'log'), 'a')
    rmSync(join(this.dir, 'ports.json'), { force: true })
    this.process = spawn(this.bin, ['serve', '--config', this.config], { stdio: ['ignore', log, log] })
    this.ended = new Promise((done) => this.process.on('exit', (code, signal) => done({ code, signal })))
    for (let i = 0; i < 600 && !existsSync(join(this.dir, 'ports.json')); i++) {
      if (this.process.exitCode !== null) throw new Error(`the server ended: ${this.log()}`)
      await sleep(50)
    }
    Object.assign(this, JSON.parse(readFileSync(join(this.dir, 'ports.json'), 'utf8')))
    return this
  }

  log() {
    return readFileSync(join(this.dir, 'log'), 'utf8')
  }

  async stop(signal = 'SIGTERM') {
    this.process.kill(signal)
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 20_000)
    const end = await this.ended
    clearTimeout(timer)
    return end
  }

  remove() {
    rmSync(this.dir, { recursive: true, force: true })
  }
}

// ---- HTTP ----

/** → {status, headers, body, json} */
export function call(port, method, path, { headers = {}, body, secure = false, agent } = {}) {
  return new Promise((resolve_, reject) => {
    const data = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(body)
    const all = { ...headers }
    if (data) all['Content-Length'] = data.length
    else if (method !== 'GET' && method !== 'HEAD' && !('Content-Length' in all)) all['Content-Length'] = 0
    const request = (secure ? https : http).request(
      { host: '127.0.0.1', port, method, path, headers: all, agent, rejectUnauthorized: false },
      (answer) => {
        const parts = []
        answer.on('data', (part) => parts.push(part))
        answer.on('end', () => {
          const bytes = Buffer.concat(parts)
          let json
          try {
            json = JSON.parse(bytes.toString('utf8'))
          } catch {
            json = undefined
          }
          resolve_({ status: answer.statusCode, headers: answer.headers, body: bytes, json })
        })
        answer.on('error', reject)
      },
    )
    request.on('error', reject)
    request.setTimeout(20_000, () => request.destroy(new Error('no answer within 20 s')))
    request.end(data)
  })
}

/** Bytes as they are on a fresh connection; what came back until it was closed or quiet. */
export function raw(port, text, quiet = 1500) {
  return new Promise((resolve_) => {
    const socket = net.connect(port, '127.0.0.1')
    let got = ''
    const done = () => {
      socket.destroy()
      resolve_(got)
    }
    socket.setTimeout(quiet, done)
    socket.on('data', (part) => {
      got += part.toString('latin1')
    })
    socket.on('error', done)
    socket.on('close', done)
    socket.write(text)
  })
}

export class Session {
  constructor(port) {
    this.port = port
  }

  async login(username, password) {
    const answer = await call(this.port, 'POST', '/api/v1/login', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ username, password }),
    })
    if (answer.status !== 200) throw new Error(`login: ${answer.status} ${answer.body}`)
    this.cookie = answer.headers['set-cookie'][0].split(';')[0]
    this.csrf = answer.json.csrf
    this.user = answer.json.user
    return this
  }

  call(method, path, { json, body, headers = {} } = {}) {
    const all = { Cookie: this.cookie, 'X-CSRF-Token': this.csrf, ...headers }
    if (json !== undefined) all['Content-Type'] = 'application/json'
    return call(this.port, method, path, { headers: all, body: json === undefined ? body : JSON.stringify(json) })
  }
}

// ---- WebSocket (RFC 6455), text frames ----

export class Socket {
  constructor(port, { cookie, origin = `http://127.0.0.1:${port}`, path = '/ws' } = {}) {
    this.messages = []
    this.waiting = []
    this.nextId = 1
    this.buffer = Buffer.alloc(0)
    this.closed = new Promise((done) => {
      this.onclosed = done
    })
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': 13,
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    }
    if (origin) headers.Origin = origin
    if (cookie) headers.Cookie = cookie
    this.opened = new Promise((done) => {
      const request = http.request({ host: '127.0.0.1', port, path, headers, agent: false })
      request.on('upgrade', (answer, socket, head) => {
        const expected = createHash('sha1')
          .update(headers['Sec-WebSocket-Key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11')
          .digest('base64')
        if (answer.headers['sec-websocket-accept'] !== expected) return done({ status: -1 })
        this.socket = socket
        socket.on('data', (part) => this.take(part))
        socket.on('close', () => this.onclosed(this.closeCode ?? 1006))
        socket.on('error', () => undefined)
        if (head.length) this.take(head)
        done({ status: 101 })
      })
      request.on('response', (answer) => {
        answer.resume()
        done({ status: answer.statusCode })
      })
      request.on('error', () => done({ status: 0 }))
      request.end()
    })
  }

  take(part) {
    this.buffer = Buffer.concat([this.buffer, part])
    for (;;) {
      if (this.buffer.length < 2) return
      let n = this.buffer[1] & 127
      let at = 2
      if (n === 126) {
        if (this.buffer.length < 4) return
        n = this.buffer.readUInt16BE(2)
        at = 4
      } else if (n === 127) {
        if (this.buffer.length < 10) return
        n = Number(this.buffer.readBigUInt64BE(2))
        at = 10
      }
      if (this.buffer.length < at + n) return
      const opcode = this.buffer[0] & 15
      const payload = this.buffer.subarray(at, at + n)
      this.buffer = this.buffer.subarray(at + n)
      if (opcode === 1) this.deliver(JSON.parse(payload.toString('utf8')))
      else if (opcode === 8) {
        this.closeCode = n >= 2 ? payload.readUInt16BE(0) : 1005
        this.socket.end()
      } else if (opcode === 9) this.frame(10, payload)
    }
  }

  deliver(message) {
    const at = this.waiting.findIndex(({ test }) => test(message))
    if (at >= 0) this.waiting.splice(at, 1)[0].done(message)
    else this.messages.push(message)
  }

  /** The next message that `test` accepts, also one that came before. */
  next(test, what = 'message', ms = 10_000) {
    const at = this.messages.findIndex(test)
    if (at >= 0) return Promise.resolve(this.messages.splice(at, 1)[0])
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`no ${what} within ${ms} ms`)), ms)
      this.waiting.push({
        test,
        done: (message) => {
          clearTimeout(timer)
          done(message)
        },
      })
    })
  }

  notice(method, ms) {
    return this.next((message) => message.method === method, method, ms)
  }

  frame(opcode, payload) {
    const mask = randomBytes(4)
    const head =
      payload.length < 126
        ? Buffer.from([0x80 | opcode, 0x80 | payload.length])
        : payload.length < 65536
          ? Buffer.from([0x80 | opcode, 0x80 | 126, payload.length >> 8, payload.length & 255])
          : (() => {
              const b = Buffer.alloc(10)
              b[0] = 0x80 | opcode
              b[1] = 0x80 | 127
              b.writeBigUInt64BE(BigInt(payload.length), 2)
              return b
            })()
    const masked = Buffer.from(payload)
    for (let i = 0; i < masked.length; i++) masked[i] ^= mask[i % 4]
    this.socket.write(Buffer.concat([head, mask, masked]))
  }

  send(text) {
    this.frame(1, Buffer.from(text))
  }

  notify(method, params) {
    this.send(JSON.stringify({ jsonrpc: '2.0', method, params }))
  }

  /** → the whole answer: {result} or {error} */
  async call(method, params = {}) {
    const id = this.nextId++
    this.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    return this.next((message) => message.id === id, `answer to ${method}`)
  }

  close() {
    this.socket?.destroy()
  }
}
