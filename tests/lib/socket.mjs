// JSON-RPC over a WebSocket (RFC 6455) without a browser, for what no browser would say. Cookie and Origin are the caller's. Node's own modules only.
import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'

const OPEN_SECONDS = 10
const ANSWER_MS = 10_000
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const LOST = 1006

function lengthOf(payload) {
  const n = payload.length
  if (n < 126) return Buffer.from([0x80 | n])
  if (n < 65536) return Buffer.from([0x80 | 126, n >> 8, n & 255])
  const long = Buffer.alloc(9)
  long[0] = 0x80 | 127
  long.writeBigUInt64BE(BigInt(n), 1)
  return long
}

export class Socket {
  /** An open one; rejects with {status, body} when the handshake is refused. */
  static async open(url, options) {
    const socket = new Socket(url, options)
    const { status, body } = await socket.opened
    if (status === 101) return socket
    throw Object.assign(new Error(`the handshake was refused: ${status} ${body}`), { status, body })
  }

  /** `opened` gives {status, body}, 0 when nothing was answered; `closed` gives the close code. origin null: none is said. */
  constructor(url, { cookie, origin = url, path = '/ws' } = {}) {
    this.messages = []
    this.waiting = []
    this.nextId = 1
    this.buffer = Buffer.alloc(0)
    this.text = []
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
    this.opened = this.shake(url, path, headers)
  }

  shake(url, path, headers) {
    return new Promise((done) => {
      const request = http.request(url + path, { headers, agent: false, timeout: OPEN_SECONDS * 1000 })
      request.on('upgrade', (answer, socket, rest) => {
        const key = headers['Sec-WebSocket-Key'] + GUID
        const expected = createHash('sha1').update(key).digest('base64')
        if (answer.headers['sec-websocket-accept'] !== expected) return done({ status: -1, body: 'a wrong key' })
        this.socket = socket
        socket.setTimeout(0)
        socket.on('data', (part) => this.take(part))
        socket.on('close', () => this.over())
        socket.on('error', () => undefined)
        if (rest.length) this.take(rest)
        done({ status: 101 })
      })
      request.on('response', (answer) => {
        let body = ''
        answer.on('data', (part) => (body += part))
        answer.on('end', () => done({ status: answer.statusCode, body }))
      })
      request.on('timeout', () => request.destroy(new Error('no answer to the handshake')))
      request.on('error', (e) => done({ status: 0, body: e.message }))
      request.end()
    })
  }

  take(part) {
    this.buffer = Buffer.concat([this.buffer, part])
    for (;;) {
      const b = this.buffer
      if (b.length < 2) return
      let n = b[1] & 127
      let at = 2
      if (n === 126) {
        if (b.length < 4) return
        n = b.readUInt16BE(2)
        at = 4
      } else if (n === 127) {
        if (b.length < 10) return
        n = Number(b.readBigUInt64BE(2))
        at = 10
      }
      if (b.length < at + n) return
      this.buffer = b.subarray(at + n)
      this.frameCame(b[0] & 15, (b[0] & 0x80) !== 0, b.subarray(at, at + n))
    }
  }

  frameCame(opcode, last, payload) {
    if (opcode === 8) {
      this.closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005
      this.socket.end()
    } else if (opcode === 9) this.frame(10, payload)
    else if (opcode <= 1) {
      this.text.push(payload)
      if (!last) return
      const message = JSON.parse(Buffer.concat(this.text).toString('utf8'))
      this.text = []
      this.deliver(message)
    }
  }

  deliver(message) {
    const at = this.waiting.findIndex(({ test }) => test(message))
    if (at >= 0) this.waiting.splice(at, 1)[0].done(message)
    else this.messages.push(message)
  }

  over() {
    for (const waiter of this.waiting.splice(0)) waiter.done(null)
    this.onclosed(this.closeCode ?? LOST)
  }

  /** The next message that `test` accepts, also one that came before; null when the connection ends first. */
  next(test, what = 'message', ms = ANSWER_MS) {
    const at = this.messages.findIndex(test)
    if (at >= 0) return Promise.resolve(this.messages.splice(at, 1)[0])
    return new Promise((yes, no) => {
      const waiter = { test }
      const timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(waiter), 1)
        no(new Error(`no ${what} within ${ms} ms`))
      }, ms)
      waiter.done = (message) => {
        clearTimeout(timer)
        yes(message)
      }
      this.waiting.push(waiter)
    })
  }

  notice(method, ms) {
    return this.next((message) => message.method === method, method, ms)
  }

  frame(opcode, payload) {
    const mask = randomBytes(4)
    const masked = Buffer.from(payload)
    for (let i = 0; i < masked.length; i++) masked[i] ^= mask[i % 4]
    this.socket.write(Buffer.concat([Buffer.from([0x80 | opcode]), lengthOf(payload), mask, masked]))
  }

  send(text) {
    this.frame(1, Buffer.from(text))
  }

  notify(method, params) {
    this.send(JSON.stringify({ jsonrpc: '2.0', method, params }))
  }

  /** The whole answer: {result} or {error}; null when the connection ends first. */
  call(method, params = {}) {
    const id = this.nextId++
    this.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    return this.next((message) => message.id === id, `answer to ${method}`)
  }

  close() {
    this.socket?.destroy()
  }
}
