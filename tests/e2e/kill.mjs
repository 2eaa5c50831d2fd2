// kill -9 in the middle of uploads, forms, report drafts and a room: what was answered is there afterwards, both logs verify, the server serves again.
import { createHash, randomBytes } from 'node:crypto'
import { Chromium } from './lib/browsers.mjs'
import { colourOf } from './lib/pictures.mjs'
import { Server } from '../lib/server.mjs'
import { approach, enter, login } from './lib/scene.mjs'
import { check, assert, equal, finish, sleep, until } from '../lib/check.mjs'

const rounds = process.env.CONSILIUM_LONG ? 100 : 20
const server = new Server({ name: 'kill' })
const form = (n) => ({
  urgency: 'ordinary',
  patient: { name: `患者${n}`, sex: 'unknown', birth_date: '1960-02-03' },
  diagnosis: `diagnosis ${n}`,
  question: `question ${n}`,
})

/** Works until the server dies; notes only what was answered. */
async function work(api, known, signal) {
  for (let n = 0; !signal.stop; n++) {
    try {
      const request = await api.post('/api/v1/requests', form(`${known.requests.length}`))
      const noted = { id: request.id, diagnoses: [request.diagnosis] } // the last answered, then what was sent and not answered
      known.requests.push(noted)
      const bytes = Buffer.concat([Buffer.from('text '), Buffer.from(randomBytes(150000 + n).toString('hex'))])
      const file = await api.upload(request.id, 'consent', 'consent.txt', bytes, 64 << 10)
      known.files.push({ id: file, sha256: createHash('sha256').update(bytes).digest('hex') })
      const diagnosis = `changed ${n}`
      noted.diagnoses.push(diagnosis)
      const changed = await api.put(`/api/v1/requests/${request.id}`, { ...form(n), diagnosis })
      equal(changed.diagnosis, diagnosis, 'what the change was answered with')
      noted.diagnoses = [diagnosis]
    } catch (e) {
      if (e.status && e.status !== 503) throw e
      if (!signal.stop) await sleep(20)
    }
  }
}

async function draftWork(api, request, known, signal) {
  while (!signal.stop) {
    try {
      const text = `finding ${known.drafts + 1}`
      const { revision } = await api.put(`/api/v1/requests/${request}/report`, {
        findings: text,
        conclusion: 'c',
        advice: '',
        revision: known.revision,
      })
      known.revision = revision
      known.drafts++
      known.text = text
    } catch (e) {
      if (e.status === 409) {
        // the question may meet the next kill, too: then the next draft asks it again
        await api.get(`/api/v1/requests/${request}/report`).then(
          (report) => (known.revision = report.revision),
          () => undefined,
        )
        continue
      }
      if (e.status && e.status !== 503) throw e
      if (!signal.stop) await sleep(20)
    }
  }
}

await check('the server starts', async () => {
  server.people({ referrer1: 'referrer', admin1: 'consult_admin', expert1: 'expert' })
  await server.start()
})

const known = { requests: [], files: [], drafts: 0, revision: 0, text: '' }
let referrer, expert, admin, request

await check('a consultation is under way', async () => {
  referrer = await server.login('referrer1')
  admin = await server.login('admin1')
  expert = await server.login('expert1')
  request = (await referrer.post('/api/v1/requests', form('draft'))).id
  known.document = await referrer.upload(request, 'consent', 'consent.txt', Buffer.from('consent\n'))
  await referrer.post(`/api/v1/requests/${request}/submit`)
  await admin.post(`/api/v1/requests/${request}/schedule`, {
    lead: expert.user.id,
    experts: [],
    at: Date.now() + 3600000,
    minutes: 30,
  })
})

const doctors = []
await check(
  'two doctors are in its room',
  async () => {
    const { room } = await referrer.post(`/api/v1/requests/${request}/room`)
    for (const [username, colour] of [
      ['referrer1', 'red'],
      ['expert1', 'green'],
    ]) {
      const b = Object.assign(
        await Chromium.launch({ name: colour, colour, camera: { width: 320, height: 180, fps: 8, frames: 80 } }),
        { colour },
      )
      doctors.push(b)
      await login(b, server, username)
      await approach(b, server, room)
      await enter(b)
      await b.eval('window.__notReloaded = true')
    }
  },
  60,
)

/** What the page has of the messages: "text seq" each, then what was not answered. */
const written = (b) =>
  b.eval(`[...document.querySelectorAll('[data-testid="chat-message"]')]
    .map((m) => (m.querySelector('p')?.textContent ?? '') + ' ' + m.dataset.seq)
    .concat([...document.querySelectorAll('[data-testid="chat-unsent"]')].map((m) => m.dataset.state)).join(', ')`)
const reads = (b, what) => until(`${b.name} reading "${what}"`, async () => (await written(b)) === what, 40)

await check('what one writes the other reads once, also over kill -9, and nothing typed is lost', async () => {
  const [red, green] = doctors
  if (!(await red.visible('panel'))) await red.click('control-panel')
  await red.click('panel-chat')
  await red.fill('chat-text', '请看知情同意书')
  await red.click('chat-attach')
  await red.click('chat-file')
  await red.click('chat-send')
  await reads(red, '请看知情同意书 1')
  await until('green being told', () => green.visible('control-unread'))
  if (!(await green.visible('panel'))) await green.click('control-panel')
  await green.click('panel-chat')
  await reads(green, '请看知情同意书 1')
  assert(await green.visible('room-file'), 'the file as a card')
  assert(!(await green.visible('control-unread')), 'it is read')
  await server.end('SIGKILL')
  await red.fill('chat-text', '第二句')
  await red.page.locator('[data-testid="chat-text"]').press('Enter')
  await reads(red, '请看知情同意书 1, waiting')
  await red.fill('chat-text', '没写完')
  await red.click('panel-files')
  await server.start()
  await reads(green, '请看知情同意书 1, 第二句 2')
  await red.click('panel-chat')
  await reads(red, '请看知情同意书 1, 第二句 2')
  equal(await red.page.locator('[data-testid="chat-text"]').inputValue(), '没写完', 'what was being written')
  equal((await admin.get(`/api/v1/requests/${request}/messages`)).messages.length, 2, 'kept')
})

await check(
  `killed ${rounds} times, nothing that was answered is lost`,
  async () => {
    for (let round = 0; round < rounds; round++) {
      const signal = { stop: false }
      // what fails while the server is being killed is told afterwards, not nowhere
      const working = Promise.allSettled([
        work(referrer, known, signal),
        work(referrer, known, signal),
        draftWork(expert, request, known, signal),
      ])
      await sleep(150 + Math.floor((round * 7919) % 350))
      await server.end('SIGKILL')
      signal.stop = true
      for (const { reason } of await working) if (reason) throw reason
      await server.start()
      const draft = await expert.get(`/api/v1/requests/${request}/report`)
      if (known.drafts)
        assert(
          Number(draft.findings.slice(8)) >= known.drafts,
          `draft ${known.drafts} was answered, ${draft.findings} is stored`,
        )
    }
    assert(known.requests.length > rounds, `only ${known.requests.length} requests were made`)
    console.log(
      `        ${known.requests.length} requests, ${known.files.length} files, ${known.drafts} drafts were answered`,
    )
  },
  60 + rounds * 12,
)

await check(
  'both doctors are back in the room by themselves and see each other',
  async () => {
    for (const b of doctors)
      b.participant = (
        await until(`${b.name} being back`, async () => {
          const c = await b.eval('window.__consilium')
          return c?.phase === 'live' && c
        })
      ).participant
    for (const b of doctors) {
      const other = doctors.find((o) => o !== b)
      await until(
        `${b.name} seeing ${other.name}`,
        async () => {
          other.participant = (await other.eval('window.__consilium')).participant
          const t = await b.probe(`tile(${JSON.stringify(other.participant)})`)
          return t?.state === 'live' && t.picture?.colour.every((v, i) => Math.abs(v - colourOf(other.colour)[i]) < 36)
        },
        40,
      )
      assert(await b.eval('window.__notReloaded'), `${b.name} was loaded anew`)
    }
  },
  90,
)
for (const b of doctors) await b.close()

await check(
  'every answered request and file is whole',
  async () => {
    for (const r of known.requests) {
      const stored = await referrer.get(`/api/v1/requests/${r.id}`)
      assert(r.diagnoses.includes(stored.diagnosis), `request ${r.id}: ${stored.diagnosis} is none of ${r.diagnoses}`)
    }
    for (const f of known.files) {
      const answer = await referrer.call('GET', `/api/v1/files/${f.id}/content`)
      equal(answer.status, 200, `file ${f.id}`)
      equal(createHash('sha256').update(answer.body).digest('hex'), f.sha256, `file ${f.id}`)
    }
  },
  300,
)

await check(
  'told to end, it ends within 10 s although documents wait to be converted',
  async () => {
    const start = Date.now()
    await server.end()
    assert(Date.now() - start <= 10000, `it ended after ${Date.now() - start} ms`)
  },
  10,
)

await check('both logs verify', async () => {
  server.run('verify', 'audit')
  server.run('verify', 'ledger')
})

await check('documents that waited through all of it are converted after the start', async () => {
  await server.start()
  const { state } = await until(
    'the first document being converted',
    async () => {
      const file = await expert.get(`/api/v1/files/${known.document}`)
      return file.state !== 'converting' && file
    },
    60,
    250,
  )
  equal(state, 'ready', 'the first document')
})

await server.stop()
finish()
