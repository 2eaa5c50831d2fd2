// What somebody else does shows at once: on the list, the detail page and the report page of a browser that nobody touches; and in the room, which says farewell.
import { Chromium } from './lib/browsers.mjs'
import { Server } from '../lib/server.mjs'
import { approach, consultation, enter, form, login } from './lib/scene.mjs'
import { latest, watchLate } from './lib/late.mjs'
import { assert, check, equal, finish, sleep, until } from '../lib/check.mjs'

const SOON_MS = 2000 // pages ask by themselves every 20 to 30 s
const FAREWELL_S = 60
const server = new Server({ name: 'changes' })
const browsers = []
let referrer, lead, other, admin, scene

const at = (testid) => `[data-testid="${testid}"]`
const state = (b) => b.eval(`document.querySelector('[data-testid="detail"]')?.dataset.state`)
const stateInList = (b, request) =>
  b.eval(
    `document.querySelector('tr:has([data-request="${request}"]) [data-testid="request-state"], [data-request="${request}"] [data-testid="request-state"]')?.dataset.state`,
  )
/** Runs `act`, which somebody does elsewhere; gives the milliseconds until the page of `b` shows `what`. */
async function shows(b, what, act, look) {
  await sleep(1500) // the page has asked, and said what it shows
  await watchLate(b)
  await act()
  const began = Date.now()
  await until(`${b.name} seeing ${what}`, look, 15)
  const ms = Date.now() - began,
    own = await latest(b)
  assert(ms <= SOON_MS + own, `${what} after ${ms} ms; the page was ${own} ms late of itself`)
}
async function open(b, path, testid) {
  await b.goto(server.url + path)
  await until(`${b.name} at ${path}`, () => b.visible(testid), 20)
}

async function end() {
  for (const b of browsers) await b.close()
  await server.stop()
  finish()
}

const begun = await check('a doctor is logged in, two experts are in their room', async () => {
  server.init()
  await server.start()
  scene = await consultation(server)
  admin = scene.admin
  const people = [
    { name: 'referrer', username: 'doctor01', colour: 'red', camera: { width: 320, height: 180, fps: 5, frames: 50 } },
    { name: 'lead', username: 'expert01', colour: 'green', camera: { width: 320, height: 180, fps: 5, frames: 50 } },
    { name: 'other', username: 'expert02', colour: 'blue', camera: { width: 320, height: 180, fps: 5, frames: 50 } },
  ]
  for (const p of people) {
    const b = Object.assign(await Chromium.launch(p), p)
    browsers.push(b)
    await login(b, server, p.username)
  }
  ;[referrer, lead, other] = browsers
  for (const b of [lead, other]) {
    await approach(b, server, scene.room)
    await enter(b)
  }
})
if (!begun) await end()

await check('the detail page and the list follow what the administrator does', async () => {
  const { id } = await scene.referrer.post('/api/v1/requests', form('第二例'))
  await scene.referrer.upload(id, 'consent', 'consent.txt', Buffer.from('知情同意书\n'))
  await scene.referrer.post(`/api/v1/requests/${id}/submit`)
  await open(referrer, `/requests/${id}`, 'detail')
  equal(await state(referrer), 'PENDING_REVIEW', 'before')
  await shows(
    referrer,
    'the request being returned',
    () => admin.post(`/api/v1/requests/${id}/return`, { reason: '请补充病史' }),
    async () => (await state(referrer)) === 'RETURNED',
  )
  await shows(
    referrer,
    'the request being submitted again',
    () => scene.referrer.post(`/api/v1/requests/${id}/submit`),
    async () => (await state(referrer)) === 'PENDING_REVIEW',
  )
  await open(referrer, '/requests?tab=pending', 'request-table')
  await until('the row', async () => (await stateInList(referrer, id)) === 'PENDING_REVIEW')
  await shows(
    referrer,
    'the request being scheduled, in the list',
    () =>
      admin.post(`/api/v1/requests/${id}/schedule`, {
        lead: scene.lead.user.id,
        experts: [],
        at: Date.now() + 3600000,
        minutes: 30,
      }),
    async () => (await stateInList(referrer, id)) === 'SCHEDULED',
  )
  await shows(
    referrer,
    'the request being cancelled, in the list',
    () => admin.post(`/api/v1/requests/${id}/cancel`, { reason: '病人已转院' }),
    async () => (await stateInList(referrer, id)) !== 'SCHEDULED',
  )
})

await check('the report page shows the report when it is signed', async () => {
  const path = `/api/v1/requests/${scene.request}`
  await scene.lead.put(`${path}/report`, { findings: '所见', conclusion: '结论', advice: '', revision: 0 })
  await open(referrer, `/requests/${scene.request}/report`, 'page-back')
  assert(!(await referrer.visible('report-paper')), 'nothing is signed yet')
  await shows(
    referrer,
    'the signed report',
    () => scene.lead.post(`${path}/report/sign`, {}),
    () => referrer.visible('report-paper'),
  )
})

await check(
  'the room of a request that is closed says so, counts down and ends; everybody is back at the request',
  async () => {
    const inside = [lead, other]
    const path = `/api/v1/requests/${scene.request}`
    await scene.referrer.put(`${path}/record`, { text: '已处理' })
    await open(referrer, `/requests/${scene.request}`, 'detail')
    let began
    await shows(
      referrer,
      'the request being closed',
      async () => {
        began = Date.now()
        await scene.referrer.post(`${path}/close`)
      },
      async () => (await state(referrer)) === 'CLOSED',
    )
    for (const b of inside) {
      await until(`${b.name} reading the farewell`, () => b.visible('room-ending'), 5)
      const text = await b.page.locator(at('room-ending')).textContent()
      assert(/会诊已结束，会诊室将在 \d+ 秒后关闭/.test(text), text)
    }
    await sleep(20000)
    const left = Number(await lead.page.locator(at('room-ending')).getAttribute('data-seconds'))
    const due = FAREWELL_S - (Date.now() - began) / 1000
    assert(Math.abs(left - due) <= 3, `${left} s are left, it should be ${due}`)
    for (const b of inside) {
      await until(`${b.name} at the request's page`, async () => (await state(b)) === 'CLOSED', 60)
      assert(Date.now() - began > (FAREWELL_S - 3) * 1000, 'not before the time is up')
      assert(
        await b.eval(`[...document.querySelectorAll('.el-message')].some((m) => /会诊室已关闭/.test(m.textContent))`),
        'and it is said',
      )
    }
    equal((await admin.get(`/api/v1/rooms/${scene.room}`)).participants.length, 0, 'people in the room')
  },
  150,
)

await check(
  'an expert whom the centre assigned to an urgent request is called until he has been in its room',
  async () => {
    const { id } = await scene.referrer.post('/api/v1/requests', { ...form('急诊'), urgency: 'urgent' })
    const called = () => other.visible(`urgent-open"][data-request="${id}`)
    await open(other, '/requests', 'desk')
    await until('the bar', called)
    const { experts } = await admin.get(`/api/v1/requests/${scene.request}`)
    await admin.post(`/api/v1/requests/${id}/assign`, { lead: experts.find((one) => !one.lead).id })
    await open(other, '/requests', 'desk')
    await until('being called', called)
    const { room } = await admin.post(`/api/v1/requests/${id}/room`)
    await approach(other, server, room)
    await enter(other)
    // his minutes are not in the ledger yet when the page asks
    await open(other, '/requests', 'desk')
    // the demo's own urgent request waits still: once the bar is there, it is the answer
    await until('the bar again', () => other.visible('urgent-bar'))
    assert(!(await called()), 'he was there, and is called again')
  },
)

await end()
