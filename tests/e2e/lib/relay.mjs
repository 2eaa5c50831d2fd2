// A TCP relay that can be slow, cut and mended: what a network between browser and server does to HTTP and WebSocket.
import net from 'node:net'

export class Relay {
  /** Listens on host:port (0: a free one) and connects to toHost:toPort. */
  static async listen({ host = '127.0.0.1', port = 0, toHost = '127.0.0.1', toPort }) {
    const self = new Relay()
    self.delay = 0
    self.sockets = new Set()
    self.server = net.createServer((a) => {
      if (self.isCut) return a.destroy()
      const b = net.connect(toPort, toHost)
      self.pipe(a, b)
      self.pipe(b, a)
    })
    await new Promise((yes, no) => {
      self.server.once('error', no)
      self.server.listen(port, host, yes)
    })
    self.port = self.server.address().port
    self.server.unref()
    return self
  }

  pipe(from, to) {
    this.sockets.add(from)
    let due = 0
    // in order, also when the delay changes meanwhile
    const later = (act) => {
      due = Math.max(due, performance.now() + this.delay)
      const wait = due - performance.now()
      if (wait > 0) setTimeout(act, wait)
      else act()
    }
    from.on('data', (bytes) => {
      if (this.isCut) return // swallowed, as by a dead line
      later(() => {
        if (!to.destroyed) to.write(bytes)
      })
    })
    from.on('close', () => {
      this.sockets.delete(from)
      if (!this.isCut) later(() => to.destroy())
    })
    from.on('error', () => from.destroy())
  }

  /** Nothing passes any more; connections look alive to both ends. */
  cut() {
    this.isCut = true
  }
  mend() {
    this.isCut = false
    for (const s of this.sockets) s.destroy()
  }
  close() {
    this.server.close()
    for (const s of this.sockets) s.destroy()
  }
}
