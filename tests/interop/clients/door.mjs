// The server behind a line that can lose packets: the answers that pass this door name the line's port.
import http from 'node:http'
import { Line } from '../../e2e/lib/line.mjs'
import { call } from '../../lib/rest.mjs'

export class Door {
  /** host: the address at which clients reach the line. */
  static async open(server, host) {
    const door = new Door()
    door.line = await Line.launch({ toPorts: server.ports.media, host })
    door.http = http.createServer(async (request, response) => {
      const parts = []
      for await (const part of request) parts.push(part)
      const { host: _, connection: __, ...headers } = request.headers
      const answer = await call(server.url, request.method, request.url, {
        headers,
        body: parts.length ? Buffer.concat(parts).toString() : undefined,
      })
      const { 'content-length': ___, connection: ____, 'transfer-encoding': _____, ...kept } = answer.headers
      const body = door.through(answer.body.toString())
      response.writeHead(answer.status, { ...kept, 'content-length': Buffer.byteLength(body) }).end(body)
    })
    await new Promise((done) => door.http.listen(0, '127.0.0.1', done))
    door.url = `http://127.0.0.1:${door.http.address().port}`
    return door
  }

  /** An answer whose candidates over UDP are the line, and which has no others. */
  through(sdp) {
    return sdp
      .replace(/^a=candidate:\S+ \d+ tcp .*\r\n/gim, '')
      .replace(
        /^(a=candidate:\S+ \d+ udp \d+) \S+ (\d+)/gim,
        (_, head, port) => `${head} ${this.line.host} ${this.line.port[port]}`,
      )
  }

  /** From now on it loses that share of all packets, both ways. */
  loses(share) {
    return this.line.set({ both: { loss: share } })
  }

  close() {
    this.http.close()
    this.line.close()
  }
}
