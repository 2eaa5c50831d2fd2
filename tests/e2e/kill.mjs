// kill -9 in the middle of uploads, forms and report drafts: what was answered is there afterwards, both logs verify, the server serves again.
import { createHash, randomBytes } from 'node:crypto'
import { Server, Api } from './lib/server.mjs'
import { check, assert, equal, summary, sleep } from './lib/check.mjs'

const rounds = process.env.CONSILIUM_LONG ? 100 : 20
const server = new Server({ name: 'kill' })
const form = (n) => ({ urgency: 'ordinary', patient: { name: `患者${n}`, sex: 'unknown' }, diagnosis: `diagnosis ${n}`, question: `question ${n}` })

/** Works until the server dies; notes only what was answered. */
async function work(api, known, signal) {
  for (let n = 0; !signal.stop; n++) {
    try {
      const request = await api.post('/api/v1/requests', form(`${known.requests.length}`))
      known.requests.push({ id: request.id, diagnosis: request.diagnosis })
      const bytes = Buffer.concat([Buffer.from('text '), Buffer.from(randomBytes(150000 + n).toString('hex'))])
      const file = await api.upload(request.id, 'consent', 'consent.txt', bytes, 64 << 10)
      known.files.push({ id: file, sha256: createHash('sha256').update(bytes).digest('hex') })
      const changed = await api.put(`/api/v1/requests/${request.id}`, { ...form(n), diagnosis: `changed ${n}` })
      known.requests.at(-1).diagnosis = changed.diagnosis
    } catch (e) { if (e.status && e.status !== 503) throw e; if (!signal.stop) await sleep(20) }
  }
}

async function draftWork(api, request, known, signal) {
  while (!signal.stop) {
    try {
      const text = `finding ${known.drafts + 1}`
      const { revision } = await api.put(`/api/v1/requests/${request}/report`, { findings: text, conclusion: 'c', advice: '', revision: known.revision })
      known.revision = revision
      known.drafts++
      known.text = text
    } catch (e) {
      if (e.status === 409) { known.revision = (await api.get(`/api/v1/requests/${request}/report`)).revision; continue }
      if (e.status && e.status !== 503) throw e
      if (!signal.stop) await sleep(20)
    }
  }
}

await check('the server starts with demo data', async () => { server.init(); await server.start() })

const known = { requests: [], files: [], drafts: 0, revision: 0, text: '' }
let referrer, expert, admin, request

await check('a consultation is under way', async () => {
  const names = Object.keys(server.users)
  for (const name of names) {
    const api = await server.login(name)
    if (api.user.roles.includes('referrer')) referrer = api
    else if (api.user.roles.includes('consult_admin')) admin = api
    else if (api.user.roles.includes('expert') && !expert) expert = api
  }
  request = (await referrer.post('/api/v1/requests', form('draft'))).id
  await referrer.upload(request, 'consent', 'consent.txt', Buffer.from('consent\n'))
  await referrer.post(`/api/v1/requests/${request}/submit`)
  await admin.post(`/api/v1/requests/${request}/schedule`, { lead: expert.user.id, experts: [], at: Date.now() + 3600000, minutes: 30 })
})

await check(`killed ${rounds} times, nothing that was answered is lost`, async () => {
  for (let round = 0; round < rounds; round++) {
    const signal = { stop: false }
    const workers = [work(referrer, known, signal), work(referrer, known, signal), draftWork(expert, request, known, signal)]
    await sleep(150 + Math.floor((round * 7919) % 350))
    await server.kill('SIGKILL')
    signal.stop = true
    await Promise.all(workers)
    await server.start()
    const draft = await expert.get(`/api/v1/requests/${request}/report`)
    if (known.drafts) assert(Number(draft.findings.slice(8)) >= known.drafts, `draft ${known.drafts} was answered, ${draft.findings} is stored`)
  }
  assert(known.requests.length > rounds, `only ${known.requests.length} requests were made`)
  console.log(`        ${known.requests.length} requests, ${known.files.length} files, ${known.drafts} drafts were answered`)
}, 60 + rounds * 12)

await check('every answered request and file is whole', async () => {
  for (const r of known.requests) {
    const stored = await referrer.get(`/api/v1/requests/${r.id}`)
    assert(stored.diagnosis === r.diagnosis || stored.diagnosis.startsWith('changed'), `request ${r.id}: ${stored.diagnosis} is not ${r.diagnosis}`)
  }
  for (const f of known.files) {
    const answer = await referrer.raw('GET', `/api/v1/files/${f.id}/content`)
    equal(answer.status, 200, `file ${f.id}`)
    equal(createHash('sha256').update(Buffer.from(await answer.arrayBuffer())).digest('hex'), f.sha256, `file ${f.id}`)
  }
}, 300)

await check('both logs verify', async () => {
  await server.kill('SIGTERM')
  server.run('verify', 'audit')
  server.run('verify', 'ledger')
})

await server.stop()
process.exit(summary() ? 0 : 1)
