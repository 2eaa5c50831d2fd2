// The printed report from outside, against the real server: node tests/interop/report.mjs (CN_BUILD=release for another build).
import { execFileSync } from 'node:child_process'
import { assert, check, equal, finish, until } from '../lib/check.mjs'
import { listening } from '../lib/offer.mjs'
import { Session } from '../lib/rest.mjs'
import { Server, sanitized } from '../lib/server.mjs'
import { Socket } from '../lib/socket.mjs'

const PASSWORD = 'Good-pass-1x'
const server = new Server({ build: sanitized, name: 'door-report', pages: false })
const people = {
  referrer1: 'referrer',
  referrer2: 'referrer',
  centre1: 'consult_admin',
  expert1: 'expert',
  expert2: 'expert',
}
server.people(people, { hospital: '省肿瘤医院', password: PASSWORD, more: ['--title', '主任医师'] })
await server.start()
const login = (name) => new Session(server.url).login(name, PASSWORD)
const [referrer, stranger, centre, lead, second] = [
  await login('referrer1'),
  await login('referrer2'),
  await login('centre1'),
  await login('expert1'),
  await login('expert2'),
]
const text = (pdf) => execFileSync('pdftotext', ['-layout', '-', '-'], { input: pdf, encoding: 'utf8' })
let path

async function done(session, method, where, json, status = 200) {
  const answer = await session.call(method, where, { json })
  equal(answer.status, status, `${method} ${where}: ${answer.body}`)
  return answer.json
}

await check('a consultation comes to its report', async () => {
  const { id } = await done(
    referrer,
    'POST',
    '/api/v1/requests',
    {
      patient: { name: '欧阳若兰', sex: 'female', birth_date: '1961-05-02' },
      diagnosis: '右肺上叶占位',
      question: '性质？',
    },
    201,
  )
  path = `/api/v1/requests/${id}`
  await referrer.upload(id, 'consent', 'consent.txt', Buffer.from('知情同意\n'))
  await done(referrer, 'POST', `${path}/submit`, {})
  await done(centre, 'POST', `${path}/schedule`, {
    lead: lead.user.id,
    experts: [second.user.id],
    at: Date.now() + 3600000,
    minutes: 30,
  })
  const { room } = await done(lead, 'POST', `${path}/room`, {})
  const inside = []
  for (const { cookie } of [referrer, lead]) {
    const socket = await Socket.open(server.url, { cookie })
    assert((await socket.call('room.join', { room, device: 'phone', ...listening() })).result, 'both are inside')
    inside.push(socket)
  }
  await until('the beginning', async () => (await done(lead, 'GET', path)).state === 'IN_SESSION')
  await done(lead, 'POST', `${path}/finish`, {})
  for (const socket of inside) socket.close()
})

await check('where there is no report yet the answer is null', async () => {
  for (const session of [referrer, lead]) {
    const none = await session.call('GET', `${path}/report`)
    equal([none.status, String(none.body)], [200, 'null'], 'no report')
  }
})

await check('a draft is printed for its author alone, and says so', async () => {
  await done(lead, 'PUT', `${path}/report`, {
    findings: '镜下见异型腺体。',
    conclusion: '浸润性腺癌。',
    advice: '',
    revision: 0,
  })
  const draft = await lead.call('GET', `${path}/report.pdf`)
  equal([draft.status, draft.headers['content-type']], [200, 'application/pdf'], 'draft')
  assert(text(draft.body).includes('草稿，尚未签发'), 'the draft does not say that it is one')
  for (const session of [referrer, second, centre]) {
    const answer = await session.call('GET', `${path}/report.pdf`)
    equal([answer.status, answer.json.type], [409, 'urn:consilium:problem:state'], 'somebody else’s draft')
  }
})

await check('the signed report is printed for whoever has a part in it', async () => {
  await done(second, 'POST', `${path}/opinion`, { text: '同意。' })
  await done(lead, 'POST', `${path}/report/sign`, {})
  let first
  for (const session of [referrer, second, centre, lead]) {
    const answer = await session.call('GET', `${path}/report.pdf`)
    equal(
      [answer.status, answer.headers['content-type'], answer.headers['cache-control']],
      [200, 'application/pdf', 'no-store'],
      'report',
    )
    assert(
      /^inline; filename="report-C\d{8}-\d{4}\.pdf"$/.test(answer.headers['content-disposition']),
      answer.headers['content-disposition'],
    )
    first ??= answer.body
    assert(answer.body.equals(first), 'two get different bytes')
  }
  const words = text(first)
  for (const word of [
    '省肿瘤医院',
    '远程会诊报告',
    '欧阳若兰',
    '浸润性腺癌。',
    '其他专家意见',
    '同意。',
    '签发时间：20',
    '预约时间',
    '实际时间',
    '第1页/共1页',
  ])
    assert(words.includes(word), `${word} is not in ${words}`)
  assert(!words.includes('草稿'), 'a signed report is called a draft')
})

await check('an amendment says why, can be given up, and hides the valid report from nobody', async () => {
  const report = `${path}/report`
  const texts = { findings: '镜下见异型腺体。', conclusion: '浸润性腺癌，中分化。', advice: '' }
  const seen = (await done(lead, 'GET', report)).revision
  const { revision } = await done(lead, 'PUT', report, { ...texts, revision: seen })
  const refused = await done(lead, 'POST', `${report}/sign`, { revision }, 409)
  equal(refused.field, 'reason', 'an amendment without a reason')
  const valid = text((await lead.call('GET', `${report}.pdf?version=signed`)).body)
  assert(valid.includes('浸润性腺癌。') && !valid.includes('草稿'), 'the valid report, for its author')
  equal((await second.call('POST', `${report}/discard`, { json: {} })).status, 403, 'another expert')
  equal((await referrer.call('POST', `${report}/discard`, { json: {} })).status, 403, 'the referrer')
  equal((await done(lead, 'POST', `${report}/discard`, { revision })).report.version, 1, 'what stays')
  await done(lead, 'POST', `${report}/discard`, {}, 409)
  await done(lead, 'PUT', report, { ...texts, reason: '误', revision }, 409)
  const again = (await done(lead, 'GET', report)).revision
  const draft = await done(lead, 'PUT', report, { ...texts, reason: '复阅切片', revision: again })
  await done(lead, 'POST', `${report}/sign`, { revision: draft.revision })
  const words = text((await referrer.call('GET', `${report}.pdf`)).body)
  for (const word of ['修订原因', '复阅切片', '浸润性腺癌，中分化。', '（修订），替代此前各版'])
    assert(words.includes(word), word)
  const { versions } = await done(referrer, 'GET', `${report}/versions`)
  equal(
    versions.map((one) => [one.version, one.conclusion, one.reason]),
    [
      [1, '浸润性腺癌。', ''],
      [2, '浸润性腺癌，中分化。', '复阅切片'],
    ],
    'versions',
  )
  equal((await stranger.call('GET', `${report}/versions`)).status, 404, 'stranger')
  const { history } = await done(referrer, 'GET', path)
  equal(history.filter((row) => row.action === 'sign').at(-1).reason, '复阅切片', 'history')
})

await check('what no font has is named before it is signed', async () => {
  const report = `${path}/report`
  const revision = (await done(lead, 'GET', report)).revision
  const texts = { findings: '镜下见\u{30abf}。', conclusion: '腺癌', advice: '\u{30abf}\u{10ff00}', reason: '复阅' }
  const draft = await done(lead, 'PUT', report, { ...texts, revision })
  equal(
    (await done(lead, 'GET', `${report}/unprintable`)).unprintable,
    [
      { field: 'findings', characters: ['\u{30abf}'] },
      { field: 'advice', characters: ['\u{30abf}', '\u{10ff00}'] },
    ],
    'unprintable',
  )
  equal((await referrer.call('GET', `${report}/unprintable`)).status, 403, 'the referrer signs nothing')
  await done(lead, 'POST', `${report}/discard`, { revision: draft.revision })
  equal((await done(lead, 'GET', `${report}/unprintable`)).unprintable, [], 'the valid report')
})

await check('nobody else prints it, and bad questions are told so', async () => {
  equal((await stranger.call('GET', `${path}/report.pdf`)).status, 404, 'stranger')
  equal((await referrer.call('GET', `${path}/report.pdf?version=7`)).status, 422, 'version')
  equal(
    (await referrer.call('GET', '/api/v1/requests/01ARZ3NDEKTSV4RRFFQ69G5FAV/report.pdf')).status,
    404,
    'no such request',
  )
})

await check('many at once are all printed', async () => {
  const answers = await Promise.all(Array.from({ length: 24 }, () => referrer.call('GET', `${path}/report.pdf`)))
  for (const answer of answers) equal(answer.status, 200, 'report')
})

await check('it ends in order', async () => {
  equal((await server.end()).code, 0, server.log().slice(-2000))
})
server.remove()
finish()
