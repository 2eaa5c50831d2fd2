// A NAT with forwarded ports, in user space: what reaches its outer address goes to the inner one from a port per client, and answers go back.
import dgram from 'node:dgram'
import { Relay } from './relay.mjs'

export class Nat {
  /** The same numbers outside and inside, for UDP and TCP, as docs/firewall.md asks for. */
  static async forward({ outside, inside, ports }) {
    const self = new Nat()
    self.sockets = []
    self.relays = []
    self.passed = 0
    for (const port of ports) {
      self.relays.push(await Relay.listen({ host: outside, port, toHost: inside, toPort: port }))
      await self.udp(outside, inside, port)
    }
    return self
  }
  async udp(outside, inside, port) {
    const clients = new Map()
    const outer = dgram.createSocket('udp4')
    this.sockets.push(outer)
    outer.on('message', (bytes, from) => {
      const key = `${from.address}:${from.port}`
      let inner = clients.get(key)
      if (!inner) {
        inner = dgram.createSocket('udp4')
        inner.on('message', (answer) => outer.send(answer, from.port, from.address, () => {}))
        this.sockets.push(inner)
        clients.set(key, inner)
      }
      this.passed++
      inner.send(bytes, port, inside, () => {})
    })
    await new Promise((yes, no) => {
      outer.once('error', no)
      outer.bind(port, outside, yes)
    })
  }
  close() {
    for (const s of this.sockets) s.close()
    for (const r of this.relays) r.close()
  }
}
