// JSON-RPC over a WebSocket without a browser, for what no browser would say. Cookie and Origin are the caller's.
import http from 'node:http'
import { randomBytes } from 'node:crypto'

const OPEN_LIMIT_MS = 10000

function frame(opcode, payload) {
  const n = payload.length,
    mask = randomBytes(4)
  const head =
    n < 126
      ? Buffer.from([0x80 | opcode, 0x80 | n])
      : n < 65536
        ? Buffer.from([0x80 | opcode, 0xfe, n >> 8, n & 255])
        : Buffer.from([0x80 | opcode, 0xff, 0, 0, 0, 0, n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255])
  const masked = Buffer.from(payload)
  for (let i = 0; i < n; i++) masked[i] ^= mask[i & 3]
  return Buffer.concat([head, mask, masked])
}

export class Socket {
  /** Rejects with {status, body} when the handshake is refused. */
  static open(url, { cookie, origin = url } = {}) {
    return new Promise((yes, no) => {
      const headers = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
        origin,
        ...(cookie && { cookie }),
      }
      const request = http.request(`${url}/ws`, { headers, timeout: OPEN_LIMIT_MS })
      request.on('upgrade', (_, socket, rest) => yes(new Socket(socket, rest)))
      request.on('response', (r) => {
        let body = ''
        r.on('data', (d) => (body += d)).on('end', () =>
          no(
            Object.assign(new Error(`the handshake was refused: ${r.statusCode} ${body}`), {
              status: r.statusCode,
              body,
            }),
          ),
        )
      })
      request.on('timeout', () => request.destroy(new Error('no answer to the handshake')))
      request.on('error', no)
      request.end()
    })
  }

  constructor(socket, rest) {
    this.socket = socket
    this.buffer = rest
    this.next = 1
    this.waiting = new Map()
    this.notices = []
    this.text = []
    socket.on('data', (d) => {
      this.buffer = Buffer.concat([this.buffer, d])
      while (this.take());
    })
    socket.on('close', () => {
      for (const w of this.waiting.values()) w(null)
      this.waiting.clear()
    })
    socket.on('error', () => {})
    while (this.take());
  }

  take() {
    const b = this.buffer
    if (b.length < 2) return false
    let n = b[1] & 127,
      at = 2
    if (n === 126) {
      if (b.length < 4) return false
      n = b.readUInt16BE(2)
      at = 4
    } else if (n === 127) {
      if (b.length < 10) return false
      n = b.readUInt32BE(6)
      at = 10
    }
    if (b.length < at + n) return false
    const payload = b.subarray(at, at + n),
      opcode = b[0] & 15
    this.buffer = b.subarray(at + n)
    if (opcode === 8) {
      this.closed = { code: n >= 2 ? payload.readUInt16BE(0) : 0, reason: payload.subarray(2).toString() }
      this.socket.end()
    }
    if (opcode === 9) this.socket.write(frame(10, payload))
    if (opcode <= 1) {
      this.text.push(payload)
      if (b[0] & 0x80) {
        const m = JSON.parse(Buffer.concat(this.text).toString())
        this.text = []
        this.receive(m)
      }
    }
    return true
  }

  receive(m) {
    const w = m.id !== undefined && this.waiting.get(m.id)
    if (!w) return void this.notices.push(m)
    this.waiting.delete(m.id)
    w(m)
  }

  /** The whole answer: {result} or {error}; null when the connection ends first. */
  call(method, params = {}) {
    const id = this.next++
    return new Promise((yes) => {
      this.waiting.set(id, yes)
      this.socket.write(frame(1, Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method, params }))))
    })
  }

  send(text) {
    this.socket.write(frame(1, Buffer.from(text)))
  }
  close() {
    this.socket.destroy()
  }
}
