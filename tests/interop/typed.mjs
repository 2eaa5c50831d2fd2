// What is typed into a form stays typed, and urgent requests call whoever is there: node tests/interop/typed.mjs (CN_BUILD=release for another build).
import { assert, check, equal, finish, until } from '../lib/check.mjs'
import { Session } from '../lib/rest.mjs'
import { Server, sanitized } from '../lib/server.mjs'
import { Socket } from '../lib/socket.mjs'

const PASSWORD = 'Good-pass-1x'
const server = new Server({ build: sanitized, name: 'door-typed', pages: false })
server.people(
  { referrer1: 'referrer', referrer2: 'referrer', expert1: 'expert', expert2: 'expert' },
  { password: PASSWORD },
)
await server.start()
const login = (name) => new Session(server.url).login(name, PASSWORD)
const [referrer, other, lead, second] = [
  await login('referrer1'),
  await login('referrer2'),
  await login('expert1'),
  await login('expert2'),
]
const call = async (session, method, path, json, status = 200) => {
  const answer = await session.call(method, `/api/v1/requests${path}`, { json })
  equal(answer.status, status, `${method} ${path}: ${answer.body}`)
  return answer.json
}
const open = async (session) => {
  const socket = new Socket(server.url, { cookie: session.cookie })
  equal((await socket.opened).status, 101, 'WebSocket')
  return socket
}
const half = { urgency: 'urgent', patient: { name: '王小明', identity_number: '1101' }, diagnosis: '', question: '' }
const whole = {
  urgency: 'urgent',
  patient: { name: '王小明', sex: 'male', birth_date: '1966-03-08' },
  diagnosis: '右肺占位',
}
let id

await check('what is typed into a new form is there after the logout, and nobody else sees it', async () => {
  equal((await call(referrer, 'GET', '/new/draft')).form, null, 'nothing typed yet')
  equal((await call(referrer, 'PUT', '/new/draft', { revision: 0, form: half })).revision, 1, 'revision')
  await referrer.call('POST', '/api/v1/logout', { json: {} })
  await referrer.login('referrer1', PASSWORD)
  const draft = await call(referrer, 'GET', '/new/draft')
  equal([draft.revision, draft.form.patient.name, draft.form.urgency], [1, '王小明', 'urgent'], 'after the logout')
  equal((await call(other, 'GET', '/new/draft')).form, null, 'somebody else')
  await call(lead, 'GET', '/new/draft', undefined, 403)
  equal((await call(referrer, 'GET', '')).total, 0, 'a draft is no request')
})

await check('a second window is told, and overwrites nothing', async () => {
  const late = await call(referrer, 'PUT', '/new/draft', { revision: 0, form: { ...half, question: 'other' } }, 409)
  equal(late.field, 'revision', 'field')
  equal((await call(referrer, 'GET', '/new/draft')).form.question, '', 'the first window’s')
  await call(referrer, 'POST', '', { ...whole, draft: 0 }, 409)
})

await check('a half-typed urgent form calls nobody, a sent one every expert who is there', async () => {
  const [a, b] = [await open(lead), await open(second)]
  for (const socket of [a, b]) equal((await socket.call('urgent.watch')).result.requests, [], 'nothing waits')
  const none = await open(referrer)
  equal((await none.call('urgent.watch')).error.code, 1003, 'who is no expert')
  await call(referrer, 'PUT', '/new/draft', { revision: 1, form: { ...half, question: '请看' } })
  const heard = (socket) => socket.messages.filter((m) => m.method === 'urgent.changed').length
  equal([heard(a), heard(b)], [0, 0], 'a draft')
  id = (await call(referrer, 'POST', '', { ...whole, draft: 2 }, 201)).id
  for (const socket of [a, b]) {
    await until('urgent.changed', () => heard(socket) > 0)
    const [row] = (await socket.call('urgent.watch')).result.requests
    equal(
      Object.keys(row).sort(),
      ['assigned', 'created_at', 'department', 'hospital', 'id', 'number'],
      'nothing of the patient',
    )
    equal(row.id, id, 'the request')
  }
  const before = heard(b)
  await call(lead, 'POST', `/${id}/accept`, {})
  await until('the other expert hears of the accept', () => heard(b) > before)
  equal((await b.call('urgent.watch')).result.requests, [], 'nothing waits any more')
  equal(heard(none), 0, 'who is no expert is told nothing')
  for (const socket of [a, b, none]) socket.close()
})

await check('an accept while the referrer types loses nothing', async () => {
  await call(referrer, 'PUT', `/${id}/draft`, { revision: 0, form: { ...half, diagnosis: '右肺上叶占位，咯血' } })
  const shown = await call(referrer, 'PUT', `/${id}`, { ...whole, diagnosis: '右肺上叶占位，咯血', draft: 1 })
  equal([shown.state, shown.urgency], ['IN_SESSION', 'urgent'], 'still in session')
  assert(shown.actions.includes('room') && !shown.actions.includes('submit'), `actions: ${shown.actions}`)
  equal((await call(lead, 'GET', `/${id}`)).diagnosis, '右肺上叶占位，咯血', 'the expert sees it')
  equal((await call(referrer, 'GET', `/${id}/draft`)).form, null, 'nothing is left over')
})

await check('it ends in order, and the log knows no name', async () => {
  equal((await server.end()).code, 0, server.log().slice(-2000))
  assert(!server.log().includes('王小明'), 'a name in the log')
})
server.remove()
finish()
