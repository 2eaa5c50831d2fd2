// A consultation that is about to begin, and doctors who enter its room as doctors do: through the pages.
import { until } from '../../lib/check.mjs'

export const form = (text = '胃镜活检标本会诊') => ({
  urgency: 'ordinary',
  patient: { name: '王小明', sex: 'male', birth_date: '1966-03-08' },
  diagnosis: text,
  question: '请协助诊断',
})

/** A scheduled request whose room is open. Gives {request, room, referrer, admin, lead}: the last three logged-in REST clients. */
export async function consultation(server, { experts = ['expert01', 'expert02', 'expert03'], files = [] } = {}) {
  const [referrer, admin] = [await server.login('doctor01'), await server.login('admin01')]
  const people = []
  for (const name of experts) people.push(await server.login(name))
  const request = await referrer.post('/api/v1/requests', form())
  const ids = {}
  for (const f of [{ category: 'consent', name: 'consent.txt', bytes: Buffer.from('知情同意书\n') }, ...files])
    ids[f.name] = await referrer.upload(request.id, f.category, f.name, f.bytes)
  await referrer.post(`/api/v1/requests/${request.id}/submit`)
  await admin.post(`/api/v1/requests/${request.id}/schedule`, {
    lead: people[0].user.id,
    experts: people.slice(1).map((p) => p.user.id),
    at: Date.now() + 60000,
    minutes: 30,
  })
  const { room } = await referrer.post(`/api/v1/requests/${request.id}/room`)
  return { request: request.id, room, referrer, admin, lead: people[0], experts: people, files: ids }
}

/** Logs in on the login page. */
export async function login(browser, server, username, url = server.url) {
  await browser.goto(`${url}/login`)
  await browser.fill('login-username', username)
  await browser.fill('login-password', server.users[username])
  await browser.click('login-submit')
  await until(
    `${browser.name} being logged in`,
    async () => (await browser.visible('menu-requests')) || (await browser.visible('menu-open')),
    20,
  )
  browser.username = username
}

/** To the device check of a room. */
export async function approach(browser, server, room, url = server.url) {
  await browser.goto(`${url}/room/${room}`)
  await until(`${browser.name}: the device check`, () => browser.visible('room-enter'), 20)
}

/** From the device check into the room; gives the participant's id. */
export async function enter(browser) {
  await browser.click('room-enter')
  return inside(browser)
}

/** Waits until the browser is in the room; gives the participant's id. */
export async function inside(browser) {
  const state = await until(
    `${browser.name} being in the room`,
    async () => {
      const c = await browser.eval('window.__consilium')
      return c?.phase === 'live' && c.participant && c
    },
    20,
  )
  browser.participant = state.participant
  return state.participant
}
