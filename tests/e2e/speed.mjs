// From a click until what it brings can be used, of this tree beside another one, in one run and in turn: A B A B …, so that both meet the same noise.
//   node tests/e2e/speed.mjs [--before COMMIT|FOLDER] [--rounds 9] [--only desk|files|minutes|room] [--json FILE]
// Both serve the demo's data. Every round begins with a browser that knows nothing ("cold": nothing in its cache); "again": the same once more in
// that browser. Hands take their time as hands do: KEY_MS between two keys, HOVER_MS on a thing before it is clicked, LOOK_MS on a page before the next click.
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Chromium } from './lib/browsers.mjs'
import { approach, enter } from './lib/scene.mjs'
import { installStopwatch } from './lib/stopwatch.mjs'
import { finish, option, check, assert, sleep } from '../lib/check.mjs'
import { Server, artefacts, root } from '../lib/server.mjs'

/** The last commit before the rooms and desks were worked over. */
const BEFORE = 'bc1eb14'
const KEY_MS = 60,
  HOVER_MS = 120,
  LOOK_MS = 1000
const WAIT_MS = 60000
const rounds = Number(option('rounds', 9))
const only = option('only', '').split(',').filter(Boolean)
const wants = (part) => !only.length || only.includes(part)

/** name, at most how many times as long as before, what is measured. */
const ROWS = [
  ['login', 1.1, 'address → login form takes typing, cold'],
  ['list', 0.8, 'login → rows of the list stand, cold'],
  ['detail', 1.1, 'row → its page stands, cold'],
  ['form', 1.1, 'new request → its first field takes typing, cold'],
  ['pdf', 1.1, 'file → page of a PDF as sharp as it gets, cold'],
  ['slide', 0.8, 'file → slide as sharp as it gets, cold'],
  ['minutes', 1.1, 'menu → minutes with their chart, cold'],
  ['login_again', 1.1, 'address → login form takes typing, again'],
  ['list_again', 1.1, 'login → rows of the list stand, again'],
  ['pdf_again', 1.1, 'file → page of a PDF as sharp as it gets, again'],
  ['slide_again', 1.1, 'file → slide as sharp as it gets, again'],
  ['stage', 1.1, 'enter the room → stage, cold'],
  ['face', 1.1, 'enter the room → the first live face, cold'],
]

/** A built tree of that commit, or that folder. */
function built(before) {
  if (existsSync(join(before, 'build/release/consilium'))) return resolve(before)
  const folder = join(root, 'build/before', before)
  const script = `
    git worktree prune
    [ -d "$1" ] || git worktree add --detach "$1" "$2" || exit 1
    cd "$1" && . cmake/setup.sh && build_program release $(grep -oE 'consilium(-[a-z]+)*' <(grep build_program run)) && build_web`
  execFileSync('bash', ['-c', script, 'bash', folder, before], { cwd: root, stdio: ['ignore', 2, 2] })
  return folder
}

const chromium = (name, colour) => Chromium.launch({ name, colour, camera: { width: 320, height: 180, fps: 10 } })
const named = (testid) => `[data-testid="${testid}"]`

class Build {
  constructor(name, tree) {
    this.name = name
    this.commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: tree, encoding: 'utf8' }).trim()
    this.server = new Server({ tree, name: `speed-${name}` })
    this.times = {}
  }

  async start() {
    this.server.init()
    await this.server.start()
    this.doctor = await this.server.login('doctor01')
    this.admin = await this.server.login('admin01')
    const { items } = await this.doctor.get('/api/v1/requests?tab=pending&size=50')
    this.request = items.find((row) => row.state === 'SCHEDULED').id
    const { room } = await this.doctor.post(`/api/v1/requests/${this.request}/room`)
    this.room = room
    this.browser = await chromium(this.name, 'green')
    await this.browser.context.addInitScript(installStopwatch)
  }

  /** A page in a browser that knows nothing: no cache, no cookie, nothing kept. */
  async fresh(act, session) {
    const { context } = this.browser
    await context.clearCookies()
    const page = await context.newPage()
    try {
      await page.bringToFront()
      const devtools = await context.newCDPSession(page)
      await devtools.send('Network.clearBrowserCache')
      await devtools.send('Storage.clearDataForOrigin', { origin: this.server.url, storageTypes: 'all' })
      if (session) await this.browser.cookie(session.cookie, this.server.url)
      await act(page)
    } finally {
      await page.close()
    }
  }

  go(page, path) {
    return page.goto(this.server.url + path, { waitUntil: 'commit' })
  }

  keep(name, ms) {
    ;(this.times[name] ??= []).push(Math.round(ms))
  }

  /** From the page's own beginning. */
  async arrival(page, name, path, target) {
    await this.go(page, path)
    this.keep(name, await page.evaluate((what) => window.__stopwatch.since(0, what), target))
  }

  /** From a click on the first of these. */
  async click(page, names, at, target) {
    const place = page.locator(`${at}:visible`).first()
    await place.waitFor({ timeout: WAIT_MS })
    await place.scrollIntoViewIfNeeded()
    await place.hover({ timeout: WAIT_MS })
    await sleep(HOVER_MS)
    // it must be there before the hand's first move
    await page.evaluate((whats) => void window.__stopwatch.watchClick(whats), [target].flat())
    await page.mouse.down()
    await page.mouse.up()
    const all = await page
      .evaluate(() => window.__stopwatch.shown)
      .catch(async (e) => {
        await page.screenshot({ path: join(artefacts, `speed-${this.name}-${names[0]}.png`) }).catch(() => {})
        throw e
      })
    names.forEach((name, i) => this.keep(name, all[i]))
    await sleep(LOOK_MS)
  }

  async login(page, name) {
    await page.locator(named('login-username')).click({ timeout: WAIT_MS })
    await page.keyboard.type('doctor01', { delay: KEY_MS })
    await page.keyboard.press('Tab')
    await page.keyboard.type(this.server.users.doctor01, { delay: KEY_MS })
    await this.click(page, [name], named('login-submit'), LIST)
  }

  file(category) {
    return `${named(`category-${category}`)} ${named('file-open')}`
  }

  /** Opens that file and closes it again. */
  async open(page, name, category) {
    await this.click(page, [name], this.file(category), PICTURE)
    await page.keyboard.press('Escape')
    await page.locator(named('file-viewer')).waitFor({ state: 'detached', timeout: WAIT_MS })
    await sleep(LOOK_MS)
  }

  async desk() {
    await this.fresh(async (page) => {
      await this.arrival(page, 'login', '/', LOGIN)
      await this.login(page, 'list')
      await this.click(page, ['detail'], `${named('request-open')}[data-request="${this.request}"]`, DETAIL)
      await this.click(page, ['form'], named('menu-create'), FORM)
      await page.context().clearCookies()
      await page.goto('about:blank')
      await this.arrival(page, 'login_again', '/', LOGIN)
      await this.login(page, 'list_again')
    })
  }

  /** The page of a request is looked at, then a file is opened. */
  async look(category, name) {
    await this.fresh(async (page) => {
      await this.go(page, `/requests/${this.request}`)
      await page.locator(this.file(category)).first().waitFor({ timeout: WAIT_MS })
      await sleep(LOOK_MS)
      await this.open(page, name, category)
      await this.open(page, `${name}_again`, category)
    }, this.doctor)
  }

  async files() {
    await this.look('admission', 'pdf')
    await this.look('pathology', 'slide')
  }

  async minutes() {
    await this.fresh(async (page) => {
      await this.go(page, '/requests')
      await page.locator(named('request-open')).first().waitFor({ timeout: WAIT_MS })
      await sleep(LOOK_MS)
      await this.click(page, ['minutes'], named('menu-minutes'), MINUTES)
    }, this.admin)
  }

  /** expert01 is there already. */
  async host() {
    const there = await chromium('expert01', 'blue')
    this.there = there
    await there.cookie((await this.server.login('expert01')).cookie, this.server.url)
    await approach(there, this.server, this.room)
    await enter(there)
  }

  async join() {
    await this.fresh(async (page) => {
      await this.go(page, `/room/${this.room}`)
      await page.locator(named('room-enter')).waitFor({ timeout: WAIT_MS })
      await sleep(LOOK_MS)
      await this.click(page, ['stage', 'face'], named('room-enter'), [STAGE, FACE])
    }, this.doctor)
  }
}

/* What is looked for, as lib/stopwatch.mjs reads it. */
const LOGIN = { typing: named('login-username') }
const LIST = { still: [named('request-open')] }
const DETAIL = { still: [named('detail'), named('file-open')] }
const FORM = { typing: named('patient-name') }
const PICTURE = { pixels: `${named('picture')}[data-state="open"] canvas` }
const MINUTES = { still: [named('minutes-total'), named('tiers')], pixels: `${named('chart')} canvas` }
const STAGE = { seen: named('room-stage') }
const FACE = { seen: `${named('tile')}[data-state="live"] video` }

const builds = [new Build('before', built(option('before', BEFORE))), new Build('now', root)]
for (const build of builds) await build.start()

/* The first round is nobody's: servers open their files, the machine reads both builds from its disk. */
async function inTurn(part, act) {
  if (!wants(part)) return
  for (let i = 0; i <= rounds; i++) {
    // who begins changes, too
    for (const build of i % 2 ? builds : [...builds].reverse()) await act(build)
    if (i === 0)
      for (const build of builds)
        for (const name of Object.keys(build.times)) if (!kept.has(name)) delete build.times[name]
    if (i === rounds) for (const name of Object.keys(builds[0].times)) kept.add(name)
    console.log(`        ${part}: round ${i} of ${rounds}`)
  }
}
const kept = new Set()

await check(
  'both builds measured',
  async () => {
    await inTurn('desk', (build) => build.desk())
    await inTurn('files', (build) => build.files())
    await inTurn('minutes', (build) => build.minutes())
    if (wants('room')) for (const build of builds) await build.host()
    await inTurn('room', (build) => build.join())
  },
  3600,
)

const middle = (values) => {
  const sorted = [...values].sort((a, b) => a - b),
    half = sorted.length >> 1
  return sorted.length % 2 ? sorted[half] : Math.round((sorted[half - 1] + sorted[half]) / 2)
}
const [before, now] = builds
const rows = ROWS.filter(([name]) => now.times[name]?.length && before.times[name]?.length).map(
  ([name, limit, what]) => {
    const [was, is] = [before.times[name], now.times[name]]
    const ratio = Number((middle(is) / middle(was)).toFixed(2))
    const pairs = Number(middle(is.map((ms, i) => (1000 * ms) / was[i])) / 1000).toFixed(2)
    return { name, what, limit, ratio, pairs: Number(pairs), before: was, now: is }
  },
)
const told = (values) => `${middle(values)} (${Math.min(...values)}–${Math.max(...values)})`
console.log(
  `\n| ms, median (least–most) of ${rounds} | ${before.commit} | ${now.commit} | ratio | of pairs | at most |`,
)
console.log('|---|---:|---:|---:|---:|---:|')
for (const row of rows)
  console.log(`| ${row.what} | ${told(row.before)} | ${told(row.now)} | ${row.ratio} | ${row.pairs} | ${row.limit} |`)
console.log('')
const file = option('json', join(artefacts, 'speed.json'))
writeFileSync(
  file,
  JSON.stringify({ at: new Date().toISOString(), before: before.commit, now: now.commit, rounds, rows }, null, 1),
)

for (const row of rows)
  await check(`${row.what}: at most ${row.limit} of before`, () => assert(row.ratio <= row.limit, `${row.ratio}`))

for (const build of builds) {
  await build.there?.close()
  await build.browser.close()
  await build.server.stop()
}
finish()
