// Clients that others wrote, by WHIP and WHEP with their own offers: who publishes is seen by everybody who views, picture by picture, by the numbers drawn in them.
// The table is table.mjs. node tests/interop/clients/run.mjs [--codec vp8] [--publish NAME] [--view NAME]
import { Namespace, canNamespace } from '../../e2e/lib/browsers.mjs'
import { check, equal, finish, option, sleep, until } from '../../lib/check.mjs'
import { Server } from '../../lib/server.mjs'
import { Client } from './client.mjs'
import { Door } from './door.mjs'
import { clients, rows } from './table.mjs'

const LOSS = 0.05
const WINDOW = 30
const WINDOWS = 5
/** Before what is counted: under loss both ends notice it, and the first repairs are asked for. */
const NOTICE = 5
const GIVE_UP_S = 30
/** How long the last picture of a window may be under way: repaired, in a player's queue. */
const LATE_MS = 2000

/** Of the table, all or these alone: --codec vp8 --publish pion --view aiortc. */
const only = Object.fromEntries(['codec', 'publish', 'view'].map((name) => [name, option(name)]))
/* who is killed would stay for a minute: who comes back does not wait for that */
const server = new Server({ name: 'clients', pages: false, extra: { media: { timeout_s: 60 } } })
/** Its link has an address of this machine besides 127.0.0.1. */
const namespace = canNamespace() ? new Namespace(8) : null

/* Who waits for its own key frame is slow to come back: in every check one of each codec comes back, all of them in ./check --long or when asked for by name. */
const whole = Boolean(process.env.CONSILIUM_LONG || only.codec || only.publish || only.view)

const tell = (figures, unit) =>
  Object.entries(figures)
    .map(([name, figure]) => `${name} ${figure} ${unit}`)
    .join(', ')

/** One codec: everybody who views it stays, while one after the other publishes it. */
class Room {
  static async open(codec, table) {
    const room = Object.assign(new Room(), { codec, table, name: `clients-${codec}`, takes: 0, viewers: {} })
    room.doors = {
      publish: await Door.open(server, namespace?.outside),
      play: await Door.open(server, namespace?.outside),
    }
    room.tokens = { publish: room.token('--publish'), play: room.token('--view') }
    return room
  }

  token(right) {
    return server.run('room', 'token', this.name, right).trim()
  }

  start(name, mode) {
    const place = `${this.doors[mode].url}/${mode === 'publish' ? 'whip' : 'whep'}/${this.name}`
    return new Client(name, mode, this.codec, place, this.tokens[mode])
  }

  able(act) {
    return this.table.filter((row) => row[act] !== null && row.client === (only[act] ?? row.client))
  }

  async publishes(name) {
    const publisher = this.start(name, 'publish')
    await publisher.connected()
    publisher.film(++this.takes)
    return publisher
  }

  /** Figures of every viewer, judged; printed when all are good. */
  judge(figures, unit, good) {
    const said = tell(figures, unit)
    if (!Object.entries(figures).every(([name, figure]) => good(name, figure))) throw new Error(said)
    console.log(`        ${said}`)
  }

  /** The share of pictures drawn from now on that each viewer sees, in per cent. */
  async window(publisher) {
    const { take } = publisher
    const from = publisher.drawn + NOTICE
    await until('the pictures being drawn', () => publisher.drawn >= from + WINDOW + 2, GIVE_UP_S, 20)
    const all = () => Object.values(this.viewers).every((viewer) => viewer.saw(take).has(from + WINDOW))
    for (const end = Date.now() + LATE_MS; Date.now() < end && !all(); ) await sleep(20)
    const share = (viewer) => {
      let n = 0
      for (let i = from; i < from + WINDOW; i++) n += viewer.saw(take).has(i)
      return Math.round((100 * n) / WINDOW)
    }
    return Object.fromEntries(Object.entries(this.viewers).map(([name, viewer]) => [name, share(viewer)]))
  }

  /** Everybody sees at least `least(viewer)` per cent in some window: a machine that is late spoils one of them, a fault spoils all. */
  async counts({ publisher, least }) {
    const best = {}
    for (let n = 0; n < WINDOWS; n++) {
      const shares = await this.window(publisher)
      for (const [name, share] of Object.entries(shares)) best[name] = Math.max(best[name] ?? 0, share)
      if (Object.entries(best).every(([name, share]) => share >= least(name))) break
    }
    this.judge(best, '%', (name, share) => share >= least(name))
  }

  /** Seconds from `since(viewer)` until each sees the take. */
  async sees({ take, since, within }) {
    const viewers = Object.entries(this.viewers)
    const all = () => viewers.every(([, viewer]) => viewer.began.has(take))
    for (const end = Date.now() + GIVE_UP_S * 1000; Date.now() < end && !all(); ) await sleep(20)
    const figure = (viewer) => (viewer.began.has(take) ? (viewer.began.get(take) - since(viewer)) / 1000 : NaN)
    this.judge(
      Object.fromEntries(viewers.map(([name, viewer]) => [name, figure(viewer)])),
      's',
      (name, s) => s <= within(name),
    )
  }

  async lossy(mode, fn) {
    await this.doors[mode].loses(LOSS)
    await fn().finally(() => this.doors[mode].loses(0))
  }

  /** A publisher's acts; gives it while it goes on. */
  async publisher(row) {
    const { client } = row
    const views = (name) => this.table.find((one) => one.client === name).view
    let publisher
    const came = await check(`${client} publishes ${this.codec}`, async () => {
      publisher = await this.publishes(client)
      await this.sees({ take: publisher.take, since: () => publisher.since, within: () => GIVE_UP_S })
      await this.counts({ publisher, least: (name) => Math.min(row.publish, views(name)) })
    })
    if (!came) return publisher
    const lossy = row['publish at 5 % loss'],
      within = row['publishes again within']
    if (lossy !== null)
      await check(`${client} publishes ${this.codec} and loses 5 %`, () =>
        this.lossy('publish', () => this.counts({ publisher, least: (name) => Math.min(lossy, views(name)) })),
      )
    const again = (name) => Math.max(within, this.table.find((one) => one.client === name)['views again within'])
    if (within !== null && (whole || clients[client].comesBack))
      await check(`${client} is killed and publishes ${this.codec} again`, async () => {
        publisher.kill()
        publisher = await this.publishes(client)
        await this.sees({ take: publisher.take, since: () => publisher.since, within: again })
      })
    return publisher
  }

  async view() {
    await Promise.all(
      this.able('view').map(async ({ client }) => {
        this.viewers[client] = await this.start(client, 'play').connected()
      }),
    )
  }

  /** What viewers do while one publishes. */
  async watched(publisher) {
    const of = (name, act) => this.table.find((one) => one.client === name)[act] ?? -1
    await check(`everybody views ${this.codec} and loses 5 %`, () =>
      this.lossy('play', () => this.counts({ publisher, least: (name) => of(name, 'view at 5 % loss') })),
    )
    await check(`everybody is killed and views ${this.codec} again`, async () => {
      for (const viewer of Object.values(this.viewers)) viewer.kill()
      await this.view()
      const within = (name) => of(name, 'views again within')
      await this.sees({ take: publisher.take, since: (viewer) => viewer.since, within })
    })
  }

  async run() {
    if (!(await check(`everybody who views ${this.codec} connects`, () => this.view()))) return
    const publishers = this.able('publish')
    for (const row of publishers) {
      const publisher = await this.publisher(row)
      if (row === publishers.at(-1) && publisher) await this.watched(publisher)
      if (publisher) await check(`${row.client} leaves ${this.codec}`, () => publisher.leave())
    }
    await check(`everybody who views ${this.codec} leaves`, async () => {
      await Promise.all(Object.values(this.viewers).map((viewer) => viewer.leave()))
    })
    for (const door of Object.values(this.doors)) door.close()
  }
}

if (!(await check('the server starts', () => server.start()))) {
  await server.stop()
  namespace?.remove()
  finish()
}
const table = rows().filter(({ client }) => namespace || !clients[client].away)
const codecs = [...new Set(table.map((row) => row.codec))].filter((codec) => codec === (only.codec ?? codec))
await Promise.all(
  codecs.map(async (codec) => {
    const room = await Room.open(
      codec,
      table.filter((row) => row.codec === codec),
    )
    await room.run()
  }),
)
await check('the server ends in order', async () => equal((await server.end()).code, 0))
server.remove()
namespace?.remove()
finish()
