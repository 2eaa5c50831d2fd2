// A bad network between a browser and the server: bench-impair-relay, through which the browser's media goes.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import readline from 'node:readline'
import { root } from '../../lib/server.mjs'

export class Line {
  /** A line to the server's media ports at `to`, for browsers that reach us at `host`; `record`: a file in which every datagram is written down. */
  static async launch({ toPorts, to = '127.0.0.1', seed = 1, build = 'release', record, host = '127.0.0.1' }) {
    const self = new Line()
    self.host = host
    self.waiting = []
    self.process = spawn(
      join(root, 'build', build, 'bench/bench-impair-relay'),
      [
        ...toPorts.flatMap((port) => ['--to', `${to}:${port}`]),
        '--listen',
        `${host}:0`,
        '--seed',
        String(seed),
        ...(record ? ['--record', record] : []),
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    readline
      .createInterface({ input: self.process.stdout })
      .on('line', (text) => self.waiting.shift()?.yes(JSON.parse(text)))
    self.process.on('exit', () => {
      for (const w of self.waiting.splice(0)) w.no(new Error('the relay ended'))
    })
    const { ports } = await self.answer()
    self.port = Object.fromEntries(toPorts.map((port, i) => [port, ports[i]])) // ours for the server's
    return self
  }

  answer() {
    return new Promise((yes, no) => this.waiting.push({ yes, no }))
  }

  /** {up, down, both: shapes (bench/README.md), seed, reset}; gives the counters. */
  async set(command) {
    const answer = this.answer()
    this.process.stdin.write(JSON.stringify(command) + '\n')
    const counts = await answer
    if (counts.error) throw new Error(`the relay: ${counts.error} ${counts.field}`)
    return counts
  }

  counts() {
    return this.set({})
  }

  /** From now on this browser's pages reach the server's media only through the line: of an answer's candidates the first over UDP is left, at the line's own port. */
  async carry(browser) {
    const script = ({ ports, host }) => {
      const P = RTCPeerConnection.prototype,
        set = P.setRemoteDescription
      const through = (sdp) => {
        let done = false
        return sdp
          .split('\r\n')
          .filter((line) => {
            if (!line.startsWith('a=candidate:')) return true
            const first = !done && / udp /i.test(line)
            done ||= first
            return first
          })
          .map((line) =>
            line.replace(
              /^(a=candidate:\S+ 1 udp \d+) \S+ (\d+)/i,
              (_, head, port) => `${head} ${host} ${ports[port]}`,
            ),
          )
          .join('\r\n')
      }
      P.setRemoteDescription = function (description, ...rest) {
        window.__pc = this
        return set.call(this, { type: description.type, sdp: through(description.sdp) }, ...rest)
      }
    }
    const given = { ports: this.port, host: this.host }
    if (browser.page) await browser.page.addInitScript(script, given)
    else await browser.before(`(${script})(${JSON.stringify(given)})`)
  }

  close() {
    this.process.stdin.end()
  }
}
