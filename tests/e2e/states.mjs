// Every state of every page, once: a table. Each is shown at both sizes, run through axe-core, has one <main> and one <h1>, and leaves a picture
// states-NAME-SIZE.png in artefacts/. Then the keyboard: dialogs keep the focus and give it back, arrows go through tabs and kinds.
// A new page, dialog or tab is a line of the table. STATES=NAME[,NAME] takes some.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Chromium } from './lib/browsers.mjs'
import { form, inside } from './lib/scene.mjs'
import { GIVE_UP_MS, assert, check, equal, finish, sleep, until } from '../lib/check.mjs'
import { listening } from '../lib/offer.mjs'
import { Server, artefacts, root } from '../lib/server.mjs'
import { Socket } from '../lib/socket.mjs'

const axe = readFileSync(join(root, 'tests/e2e/node_modules/axe-core/axe.min.js'), 'utf8')
const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
]
const server = new Server({ name: 'states' })
server.init()
server.people({ system01: 'sys_admin' })
await server.start()
const wanted = process.env.STATES?.split(',')
const browsers = {}
/** Of every page and every call of theirs. */
const addresses = new Set()
const api = {}
const ids = {}

const at = (testid) => `[data-testid="${testid}"]`
const click = (testid) => (page) =>
  page
    .locator(`${at(testid)}:visible`)
    .first()
    .click({ timeout: GIVE_UP_MS })
const wait = (page, testid) =>
  page
    .locator(`${at(testid)}:visible`)
    .first()
    .waitFor({ timeout: GIVE_UP_MS })
const see = (testid) => (page) => wait(page, testid)
const type = (testid, text) => (page) => page.locator(at(testid)).first().fill(text, { timeout: GIVE_UP_MS })
const attribute = (testid, name, value) => (page) =>
  page.locator(`[data-testid="${testid}"][data-${name}="${value}"]`).first().waitFor({ timeout: GIVE_UP_MS })
const dialog = (page) => page.locator('.el-dialog:visible, .ask:visible').first().waitFor({ timeout: GIVE_UP_MS })
const escape = (page) => page.keyboard.press('Escape')
const file = (category) => (page) =>
  page
    .locator(`${at(`category-${category}`)} ${at('file-open')}`)
    .first()
    .click({ timeout: GIVE_UP_MS })
// After another size of the window the page shows its panel again by itself: a click upon what was seen too early would close it.
const panel = (page) =>
  until(
    'the panel is there',
    async () => {
      if (await page.locator(at('panel')).isVisible()) return true
      await click('control-panel')(page)
      return page
        .locator(`${at('panel')}:visible`)
        .waitFor({ timeout: 3000 })
        .then(() => true)
        .catch(() => false)
    },
    GIVE_UP_MS / 1000,
  )

/** The logins of doctor01 were seen so long before their idle time is over, by the wall clock. Answers are remembered for 2 s. */
async function seen(before) {
  const at = Date.now() - server.sections.server.idle_minutes * 60_000 + before
  execFileSync('sqlite3', [
    '-cmd',
    '.timeout 5000',
    join(server.dir, 'consilium.db'),
    `UPDATE sessions SET seen_ms = ${at}, seen_boot = '' WHERE user_id = '${api.doctor01.user.id}'`,
  ])
  await sleep(2100)
}
const patientName = (page) => page.locator(at('patient-name'))
/** Nothing of the page is to be seen, found or reached behind the lock. */
const hidden = async (page) => {
  const shows = await page.evaluate(() =>
    [...document.body.querySelectorAll('*')]
      .filter((e) => !e.closest('.lock') && getComputedStyle(e).visibility !== 'hidden')
      .filter((e) => !/^(SCRIPT|STYLE)$/.test(e.tagName))
      .map((e) => e.outerHTML.slice(0, 80)),
  )
  equal(shows, [], 'what can be seen behind the lock')
  assert(!(await page.locator('body').ariaSnapshot()).includes('王小明'), 'a screen reader hears what was typed')
}

/** name, who, where (undefined: where the state above was), what is done there, after: what leads back to the next. */
const STATES = [
  ['login', 'nobody', '/login', see('login-submit')],
  ['login-refused', 'nobody', '/login', type('login-username', 'doctor01'), click('login-submit'), see('login-error')],
  ['missing', 'nobody', '/no/such/page', (page) => page.locator('h1').waitFor()],
  ['list', 'doctor01', '/requests', see('request-state')],
  ['list-uploading', 'doctor01', '/requests?tab=uploading', see('request-state')],
  ['list-completed', 'doctor01', '/requests?tab=completed', see('request-state')],
  ['list-none', 'doctor01', '/requests', type('filter-name', '没有这个人'), see('list-empty')],
  ['form', 'doctor01', '/requests/new', see('form-next')],
  ['form-urgent', 'doctor01', '/requests/new?urgency=urgent', see('form-next')],
  ['form-missing', 'doctor01', '/requests/new', see('form-next'), click('form-next'), see('form-next')],
  [
    'form-draft',
    'doctor01',
    () => `/requests/${ids.draft}/edit`,
    see('form-submit'),
    click('form-submit'),
    see('missing'),
  ],
  ['detail-draft', 'doctor01', () => `/requests/${ids.draft}`, see('detail')],
  ['detail-pending', 'doctor01', () => `/requests/${ids.pending}`, see('detail')],
  ['detail-scheduled', 'doctor01', () => `/requests/${ids.scheduled}`, see('act-room')],
  ['detail-reported', 'doctor01', () => `/requests/${ids.reported}`, see('see-report')],
  ['detail-returned', 'doctor01', () => `/requests/${ids.returned}`, see('detail')],
  [
    'detail-devices',
    'admin01',
    () => `/requests/${ids.scheduled}`,
    (page) => page.locator(`${at('devices')} summary`).click({ timeout: GIVE_UP_MS }),
    click('device-new-publish'),
    see('device-made-token'),
    see('device-revoke'),
    click('device-revoke'),
    (page) => page.locator('.ask-yes:visible').click({ timeout: GIVE_UP_MS }),
    (page) => page.locator(at('device-token')).first().waitFor({ state: 'detached', timeout: GIVE_UP_MS }),
    click('device-new-view'),
    see('device-made-token'),
  ],
  [
    'viewer-slide',
    'doctor01',
    () => `/requests/${ids.scheduled}`,
    file('pathology'),
    attribute('picture', 'state', 'open'),
  ],
  [
    'viewer-document',
    'doctor01',
    () => `/requests/${ids.scheduled}`,
    file('admission'),
    attribute('picture', 'state', 'open'),
  ],
  ['report', 'doctor01', () => `/requests/${ids.reported}/report`, see('report-paper')],
  ['directory', 'doctor01', '/directory', see('doctor')],
  ['password', 'doctor01', '/password', see('password-submit')],
  [
    'password-weak',
    'doctor01',
    '/password',
    type('password-new', 'abc'),
    type('password-repeat', 'abd'),
    see('password-new'),
  ],
  ['user-menu', 'doctor01', '/password', see('user-menu'), click('user-menu'), see('menu-logout')],
  ['still-there', 'doctor01', async () => (await seen(58_000), '/requests/new'), see('still-there')],
  [
    'lock',
    'doctor01',
    undefined,
    () => seen(-1000),
    // the server remembers a login for two seconds; then what is typed is the first to be refused
    (page) =>
      until('the login has ended', () =>
        page.evaluate(() => fetch('/api/v1/session').then((answer) => answer.status === 401)),
      ),
    (page) => patientName(page).fill('王小明'),
    see('lock-password'),
    hidden,
  ],
  ['lock-refused', 'doctor01', undefined, type('lock-password', 'not-mine-7'), click('lock-submit'), see('lock-error')],
  [
    'unlocked',
    'doctor01',
    undefined,
    (page) => page.locator(at('lock-password')).fill(server.users.doctor01),
    click('lock-submit'),
    (page) => page.locator(at('lock')).waitFor({ state: 'detached', timeout: GIVE_UP_MS }),
    async (page) => equal(await patientName(page).inputValue(), '王小明', 'what was typed'),
    // and the login is a whole one: the page saves what is typed
    (page) => patientName(page).pressSequentially('二', { timeout: GIVE_UP_MS }),
    (page) => page.locator(`${at('form-status')}.clean`).waitFor({ timeout: GIVE_UP_MS }),
  ],
  ['review', 'admin01', () => `/requests/${ids.pending}`, see('act-schedule')],
  ['schedule', 'admin01', undefined, click('act-schedule'), dialog],
  ['return', 'admin01', () => `/requests/${ids.pending}`, click('act-return'), dialog],
  ['minutes', 'admin01', '/minutes', see('minutes-total')],
  ['quality', 'admin01', '/admin/quality', (page) => page.locator('h1').waitFor()],
  ['accounts', 'system01', '/directory', see('doctor')],
  ['write', 'expert01', () => `/requests/${ids.awaiting}`, see('act-report')],
  ['report-editor', 'expert01', () => `/requests/${ids.awaiting}/report`, see('report-findings')],
  [
    'report-sign',
    'expert01',
    undefined,
    type('report-conclusion', '腺癌。'),
    click('report-sign'),
    see('report-editor'),
  ],
  ['opinion', 'expert02', () => `/requests/${ids.awaiting}`, see('opinion-text')],
  ['device-check', 'expert03', () => `/room/${ids.room}`, see('room-enter'), see('mic-level')],
  ['room-alone', 'expert03', undefined, click('room-enter'), () => inside(browsers.expert03)],
  ['room-files', 'expert03', undefined, panel, click('panel-files'), see('room-file')],
  ['room-people', 'expert03', undefined, panel, click('panel-people'), see('person')],
  [
    'room-chat',
    'expert03',
    undefined,
    panel,
    click('panel-chat'),
    type('chat-text', '请看切缘，与上次对照'),
    click('chat-attach'),
    click('chat-file'),
    click('chat-send'),
    see('chat-message'),
    click('chat-attach'),
    see('chat-files'),
  ],
  ['room-settings', 'expert03', undefined, click('control-settings'), dialog],
  ['room-keys', 'expert03', undefined, click('settings-keys'), see('shortcuts')],
  ['room-shared', 'expert03', undefined, escape, panel, click('panel-files'), click('room-show'), see('shared-view')],
  ['room-ended', 'expert03', undefined, click('control-leave'), see('room-ended')],
]

async function act(who, id, action, body) {
  return api[who].post(`/api/v1/requests/${id}/${action}`, body)
}

/** A submitted request with a consent form. */
async function submitted(text) {
  const request = await api.doctor01.post('/api/v1/requests', form(text))
  await api.doctor01.upload(request.id, 'consent', 'consent.txt', Buffer.from('知情同意书\n'))
  await act('doctor01', request.id, 'submit')
  return request.id
}
async function held(text) {
  const id = await submitted(text)
  const experts = [api.expert02.user.id, api.expert03.user.id]
  await act('admin01', id, 'schedule', { lead: api.expert01.user.id, experts, at: Date.now() + 60000, minutes: 30 })
  ids.lastRoom = (await act('doctor01', id, 'room')).room
  return id
}
/** The lead expert steps in near the time, which begins the consultation, and ends it. */
async function consulted(id) {
  const socket = new Socket(server.url, { cookie: api.expert01.cookie })
  await socket.opened
  const { result, error } = await socket.call('room.join', { room: ids.lastRoom, device: 'phone', ...listening() })
  assert(result, `room.join: ${JSON.stringify(error)}`)
  const state = async () => (await api.expert01.get(`/api/v1/requests/${id}`)).state
  await until('the beginning', async () => (await state()) === 'IN_SESSION')
  await act('expert01', id, 'finish')
  socket.close()
}

/** The demo's requests, and one in each of the states that it lacks. */
async function prepare() {
  for (const name of Object.keys(server.users)) api[name] = await server.login(name)
  const { items } = await api.doctor01.get('/api/v1/requests?tab=pending&size=50')
  ids.scheduled = items.find((row) => row.state === 'SCHEDULED').id
  ids.pending = items.find((row) => row.state === 'PENDING_REVIEW').id
  ids.draft = (await api.doctor01.get('/api/v1/requests?tab=uploading&size=50')).items[0].id
  ids.returned = await submitted('退回的会诊')
  await act('admin01', ids.returned, 'return', { reason: '请补充既往史' })
  for (const name of ['awaiting', 'reported', 'closed']) {
    const id = await held(`会诊 ${name}`)
    await consulted(id)
    ids[name] = id
    if (name === 'awaiting') continue
    const text = { findings: '镜下见异型腺体。', conclusion: '胃窦中分化腺癌。', advice: '建议手术。' }
    const report = await api.expert01.put(`/api/v1/requests/${id}/report`, { ...text, revision: 0 })
    await act('expert01', id, 'report/sign', { revision: report?.revision ?? 1 })
    if (name === 'reported') continue
    await api.doctor01.put(`/api/v1/requests/${id}/record`, { text: '已向家属说明结论。' })
    await act('doctor01', id, 'close')
  }
  ids.room = (await act('doctor01', ids.scheduled, 'room')).room
}

async function browser(who) {
  if (browsers[who]) return browsers[who]
  const one = await Chromium.launch({ name: who, ...(who === 'expert03' ? { colour: 'red', tone: 520 } : {}) })
  await one.page.emulateMedia({ reducedMotion: 'reduce' })
  if (api[who]) await one.cookie(api[who].cookie, server.url)
  one.page.on('request', (asked) => addresses.add(asked.url()))
  one.page.on('framenavigated', (frame) => addresses.add(frame.url()))
  browsers[who] = one
  return one
}

/** What axe-core finds, as "rule: where". Colours of what is still moving are nobody's colours: movements are ended first. */
async function faults(page) {
  await page.evaluate(`window.axe || ${axe}`)
  return page.evaluate(async () => {
    await document.fonts.ready
    for (const each of document.getAnimations())
      if (each.effect?.getComputedTiming().endTime !== Infinity) each.finish()
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] })
    const found = violations.flatMap((v) =>
      v.nodes.slice(0, 4).map((n) => {
        const [colours] = [...n.any, ...n.all].map((c) => c.data).filter((d) => d?.contrastRatio)
        const why = colours ? ` ${colours.fgColor} on ${colours.bgColor}: ${colours.contrastRatio}` : ''
        return `${v.id} (${v.impact}, ${v.nodes.length}): ${n.target.join(' ')}${why}`
      }),
    )
    const seen = (e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== 'hidden'
    const count = (what) => [...document.querySelectorAll(what)].filter(seen).length
    if (count('main') !== 1) found.push(`${count('main')} <main>`)
    if (count('h1') !== 1) found.push(`${count('h1')} <h1>`)
    if (document.documentElement.scrollWidth > window.innerWidth) found.push('wider than the window')
    return found
  })
}

async function look([name, who, where, ...steps]) {
  const b = await browser(who)
  const found = []
  await b.page.setViewportSize(SIZES[0])
  if (where) {
    await b.page.goto('about:blank') // a page that asks before it is left is not asked
    await b.goto(server.url + (typeof where === 'function' ? await where() : where))
  }
  for (const step of steps) await step(b.page)
  for (const size of SIZES) {
    await b.page.setViewportSize(size)
    for (const fault of await faults(b.page)) found.push(`${size.width}: ${fault}`)
    await b.page.screenshot({ path: join(artefacts, `states-${name}-${size.width}x${size.height}.png`) })
  }
  assert(found.length === 0, `\n          ${[...new Set(found)].join('\n          ')}`)
}

/* Two at a time: who writes requests beside everybody else. Where one state follows from the one above, both are of the same user. */
async function through(states) {
  for (const state of states)
    if (!wanted || wanted.includes(state[0])) await check(`state ${state[0]}`, () => look(state), 60)
}

await check('requests in all states', prepare, 60)
const writes = (state) => ['nobody', 'doctor01'].includes(state[1])
await Promise.all([through(STATES.filter(writes)), through(STATES.filter((state) => !writes(state)))])

/* Addresses stand in the logs of everything on the way. */
if (!wanted)
  await check('no patient stands in an address', async () => {
    const personal = new Set(['没有这个人', '王小明'])
    for (const tab of ['uploading', 'pending', 'completed'])
      for (const { id } of (await api.admin01.get(`/api/v1/requests?tab=${tab}&size=50`)).items) {
        const { patient } = await api.admin01.get(`/api/v1/requests/${id}`)
        for (const key of ['name', 'phone', 'identity_number']) if (patient[key]) personal.add(patient[key])
      }
    assert(personal.size > 4 && addresses.size > 100, `${personal.size} words, ${addresses.size} addresses`)
    for (const address of addresses)
      for (const word of personal)
        assert(!decodeURIComponent(address).includes(word), `${new URL(address).pathname} has a patient in it`)
  })

/** What has the focus, as its data-testid. */
const focused = (page) => page.evaluate(() => document.activeElement?.closest('[data-testid]')?.dataset.testid ?? '')

if (!wanted || wanted.includes('keyboard')) {
  const b = await browser('doctor01')
  await b.page.setViewportSize(SIZES[0])
  await check('the file viewer keeps the focus and gives it back', async () => {
    await b.goto(`${server.url}/requests/${ids.scheduled}`)
    const opener = b.page.locator(`${at('category-admission')} ${at('file-open')}`).first()
    await opener.focus({ timeout: GIVE_UP_MS })
    await b.page.keyboard.press('Enter')
    await wait(b.page, 'file-viewer')
    await until('the viewer having the focus', async () => (await focused(b.page)) === 'file-viewer', 15)
    for (let i = 0; i < 15; i++) {
      await b.page.keyboard.press('Tab')
      const out = await b.page.evaluate(() => {
        const has = document.activeElement
        return has !== document.body && !has.closest('[data-testid="file-viewer"]') && has.outerHTML.slice(0, 80)
      })
      assert(!out, `after ${i + 1} tabs the focus is behind the viewer: ${out}`)
    }
    await escape(b.page)
    await until('the focus being back', () => opener.evaluate((e) => document.activeElement === e), 15)
  })
  await check('arrows go through tabs and kinds', async () => {
    await b.goto(`${server.url}/requests`)
    await b.page.locator(at('tab-pending')).focus({ timeout: GIVE_UP_MS })
    const selected = () => b.page.locator('[role=tab][aria-selected=true]').getAttribute('data-testid')
    for (const [key, tab] of [
      ['ArrowRight', 'tab-completed'],
      ['ArrowRight', 'tab-uploading'],
      ['End', 'tab-completed'],
      ['ArrowLeft', 'tab-pending'],
    ]) {
      await b.page.keyboard.press(key)
      await until(`${key} choosing ${tab}`, async () => (await selected()) === tab, 15)
      equal(await focused(b.page), tab, 'the focus')
    }
    await b.goto(`${server.url}/requests/new`)
    await b.page.locator(at('urgency-ordinary')).focus({ timeout: GIVE_UP_MS })
    await b.page.keyboard.press('ArrowDown')
    await until('the other kind', () => b.page.locator(`${at('urgency-urgent')}[aria-checked=true]`).count(), 15)
    equal(await focused(b.page), 'urgency-urgent', 'the focus')
  })
}

for (const b of Object.values(browsers)) await b.close()
await server.stop()
finish()
