// A client of the table while it runs: its events, what it is given to publish, what it has shown.
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import readline from 'node:readline'
import { equal, until } from '../../lib/check.mjs'
import { artefacts, root } from '../../lib/server.mjs'
import { FPS, decoder, draw, encoder, watch } from './studio.mjs'
import { clients } from './table.mjs'

const SLOW_BYTES = 1 << 20

export class Client {
  constructor(name, mode, codec, url, token) {
    Object.assign(this, { name, mode, codec, events: [], helpers: [], seen: new Map(), began: new Map() })
    const { run, media } = clients[name]
    const log = openSync(join(artefacts, `client-${name}-${mode}-${codec}.log`), 'a')
    this.process = spawn(run[0], [...run.slice(1), mode, url, token, codec], {
      cwd: join(root, 'tests/interop/clients'),
      stdio: ['pipe', 'pipe', log, 'pipe'],
    })
    this.process.stdin.on('error', () => {})
    readline.createInterface({ input: this.process.stdio[3] }).on('line', (line) => this.events.push(JSON.parse(line)))
    this.ended = new Promise((done) => this.process.on('exit', done))
    this.input = this.process.stdin
    let output = this.process.stdout
    if (media === 'packets') {
      const helper = mode === 'publish' ? encoder(codec, log) : decoder(codec, log)
      this.helpers.push(helper)
      helper.stdin.on('error', () => {})
      if (mode === 'publish') {
        helper.stdout.pipe(this.process.stdin)
        this.input = helper.stdin
      } else {
        this.process.stdout.pipe(helper.stdin)
        output = helper.stdout
      }
    }
    closeSync(log)
    if (mode === 'play')
      watch(output, ({ take, count }) => {
        if (!this.began.has(take)) this.began.set(take, Date.now())
        this.saw(take).add(count)
      })
  }

  /** Counts of a take's pictures that were seen. */
  saw(take) {
    if (!this.seen.has(take)) this.seen.set(take, new Set())
    return this.seen.get(take)
  }

  event(name, how = () => true) {
    return this.events.find((e) => e.event === name && how(e))
  }

  get title() {
    return `${this.name} (${this.mode}, ${this.codec})`
  }

  /** Its log in artefacts/ says why it may not be. */
  async connected() {
    const told = () => {
      const answer = this.event('answer')
      if (answer) equal(answer.status, 201, answer.answer)
      if (this.event('state', (e) => e.state === 'connected')) return true
      throw new Error(JSON.stringify(this.events.filter((e) => e.event !== 'answer')))
    }
    const gone = this.ended.then(() => {
      throw new Error(`${this.title} ended`)
    })
    gone.catch(() => {})
    await Promise.race([until(`${this.title} being connected`, told, 20, 20), gone])
    this.since = Date.now()
    return this
  }

  /** Draws from now on, a picture at a time and none twice: who is late leaves out nothing but time. */
  film(take) {
    this.take = take
    this.drawn = 0
    this.timer = setInterval(() => {
      if (this.input.writableLength < SLOW_BYTES) this.input.write(draw(take, ++this.drawn))
    }, 1000 / FPS)
  }

  kill() {
    clearInterval(this.timer)
    for (const one of [this.process, ...this.helpers]) one.kill('SIGKILL')
  }

  /** It says that it leaves, and is heard. */
  async leave() {
    clearInterval(this.timer)
    this.input.end()
    await until(`${this.title} having left`, () => this.event('left'), 10, 20)
    equal(this.event('left').status, 200, 'DELETE')
    this.kill()
  }
}
