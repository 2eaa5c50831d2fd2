// DICOMweb: what is stored comes back byte for byte, one broken instance fails alone, and who may not see a study sees nothing of it.
// node tests/interop/dicom.mjs (CN_BUILD=release for another build).
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { assert, check, equal, finish, until } from '../lib/check.mjs'
import { CT, element, file } from '../lib/dicom.mjs'
import { Session } from '../lib/rest.mjs'
import { Server, root, sanitized } from '../lib/server.mjs'

const PASSWORD = 'Good-pass-1x'
const server = new Server({ build: sanitized, name: 'door-dicom', pages: false })
server.people({ referrer1: 'referrer' }, { password: PASSWORD })
server.people({ stranger1: 'referrer' }, { password: PASSWORD, hospital: 'Another hospital' })
await server.start()
const session = await new Session(server.url).login('referrer1', PASSWORD)
const stranger = await new Session(server.url).login('stranger1', PASSWORD)
const form = { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' }
const request = await session.post('/api/v1/requests', form)

// ---- a CT image, element by element, Explicit VR Little Endian ----

const pixels = (number) => Buffer.from(Array.from({ length: 64 * 64 * 2 }, (_, i) => (i % 2 ? number : i & 255)))
function image(study, number, data = pixels(number)) {
  const uid = `${study}.1.${number}`
  return file(CT, uid, [
    element(8, 5, 'CS', 'ISO_IR 192'),
    element(8, 0x16, 'UI', CT),
    element(8, 0x18, 'UI', uid),
    element(8, 0x20, 'DA', '20260102'),
    element(8, 0x50, 'SH', 'ACC-1'),
    element(8, 0x60, 'CS', 'CT'),
    element(8, 0x1030, 'LO', '胸部平扫'),
    element(0x10, 0x10, 'PN', '张^三'),
    element(0x10, 0x20, 'LO', 'PID-7'),
    element(0x20, 0xd, 'UI', study),
    element(0x20, 0xe, 'UI', `${study}.1`),
    element(0x20, 0x11, 'IS', '1'),
    element(0x20, 0x13, 'IS', `${number}`),
    element(0x28, 2, 'US', 1),
    element(0x28, 4, 'CS', 'MONOCHROME2'),
    element(0x28, 0x10, 'US', 64),
    element(0x28, 0x11, 'US', 64),
    element(0x28, 0x100, 'US', 16),
    element(0x28, 0x101, 'US', 12),
    element(0x28, 0x102, 'US', 11),
    element(0x28, 0x103, 'US', 0),
    element(0x7fe0, 0x10, 'OW', data),
  ])
}

// ---- bodies of parts ----

const BOUNDARY = 'a b'
function body(files) {
  const parts = files.flatMap((file) => [
    Buffer.from(`\r\n--${BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n`),
    file,
  ])
  return Buffer.concat([...parts, Buffer.from(`\r\n--${BOUNDARY}--`)])
}
const store = (who, files, path = `/dicom-web/studies?request=${request.number}`) =>
  who.call('POST', path, {
    body: body(files),
    headers: { 'Content-Type': `multipart/related; type="application/dicom"; boundary="${BOUNDARY}"` },
  })
const items = (answer, tag) => answer.json[tag]?.Value ?? []
const get = (who, path, accept) => who.call('GET', path, { headers: accept ? { Accept: accept } : {} })
const STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'
function parts(answer) {
  const mark = `--${/boundary=([^;]+)/.exec(answer.headers['content-type'])[1]}`
  const text = answer.body.toString('latin1').split(`\r\n${mark}`).slice(1, -1)
  return text.map((part) => Buffer.from(part.slice(part.indexOf('\r\n\r\n') + 4), 'latin1'))
}
const sha = (bytes) => createHash('sha256').update(bytes).digest('hex')

const STUDY = '1.2.826.0.1.3680043.2.1143.7',
  files = Array.from({ length: 40 }, (_, i) => image(STUDY, i + 1)),
  study = `/dicom-web/studies/${STUDY}`,
  one = `${study}/series/${STUDY}.1/instances/${STUDY}.1.5`

await check('images are stored, and all come back as they were', async () => {
  const answer = await store(session, files)
  equal([answer.status, items(answer, '00081199').length], [200, 40])
  const back = await get(session, study, STORED)
  equal(back.status, 200)
  equal(parts(back).map(sha), files.map(sha))
  const alone = await get(session, one, 'application/dicom; transfer-syntax=*')
  equal([alone.status, alone.headers['content-type'], sha(alone.body)], [200, 'application/dicom', sha(files[4])])
})

await check('the request names its studies, and an image sent again is there once', async () => {
  equal((await store(session, [files[0]])).status, 200)
  const { studies } = await session.get(`/api/v1/requests/${request.id}`)
  const picture = `${study}/series/${STUDY}.1/instances/${STUDY}.1.21/thumbnail`
  const counted = { modalities: ['CT'], series: 1, instances: 40, conflicts: 0 }
  equal(studies, [{ uid: STUDY, date: '20260102', description: '胸部平扫', ...counted, picture }])
  equal((await get(session, picture)).headers['content-type'], 'image/jpeg')
})

await check('a client that waits for the word to send its body has it at once', async () => {
  const data = body(files.slice(0, 4))
  const begun = performance.now()
  // what curl does with a body over 1 MiB; it waits for a second, others for ever
  const socket = connect(server.ports.port, '127.0.0.1')
  socket.write(
    [
      `POST /dicom-web/studies?request=${request.number} HTTP/1.1`,
      'Host: localhost',
      `Cookie: ${session.cookie}`,
      `X-CSRF-Token: ${session.csrf}`,
      `Content-Type: multipart/related; type="application/dicom"; boundary="${BOUNDARY}"`,
      `Content-Length: ${data.length}`,
      'Expect: 100-continue',
      'Connection: close\r\n\r\n',
    ].join('\r\n'),
  )
  let said = ''
  socket.on('data', (bytes) => (said += bytes))
  await until('the word', () => said.startsWith('HTTP/1.1 100 '), 5, 10)
  assert(performance.now() - begun < 900, 'it came late')
  socket.write(data)
  await until('the answer', () => /\r\n\r\nHTTP\/1.1 200 /.test(said), 5, 10)
  socket.destroy()
})

await check('a broken image fails alone, with a reason', async () => {
  const broken = files[2].subarray(0, 300)
  const answer = await store(session, [image(`${STUDY}1`, 1), broken, Buffer.from('no image')])
  equal([answer.status, items(answer, '00081199').length, items(answer, '00081198').length], [202, 1, 2])
  for (const failed of items(answer, '00081198')) assert(failed['00081197'].Value[0] >= 0x100, 'a reason')
  equal((await store(session, [broken])).status, 409)
  const other = await store(session, [files[0]], `/dicom-web/studies/1.2.3?request=${request.number}`)
  equal([other.status, items(other, '00081198')[0]['00081197'].Value[0]], [409, 0xa900])
})

await check('other pixels under the same UID are kept beside, and said to be', async () => {
  equal((await store(session, [image(STUDY, 5, pixels(99))])).status, 200)
  const { studies } = await session.get(`/api/v1/requests/${request.id}`)
  equal([studies[0].instances, studies[0].conflicts], [40, 1])
  equal(sha((await get(session, one, 'application/dicom; transfer-syntax=*')).body), sha(files[4]))
})

await check('frames, metadata and pictures', async () => {
  const frame = await get(session, `${one}/frames/1`, 'application/octet-stream; transfer-syntax=*')
  equal([frame.status, sha(frame.body)], [200, sha(pixels(5))])
  equal(parts(await get(session, `${one}/frames/1,1`)).map(sha), [sha(pixels(5)), sha(pixels(5))])
  equal((await get(session, `${one}/frames/2`)).status, 404)
  equal((await get(session, `${one}/frames/1`, 'image/gif')).status, 406)
  const tags = (await get(session, `${one}/metadata`)).json[0]
  equal(tags['00100010'].Value[0].Alphabetic, '张^三')
  const bulk = new URL(tags['7FE00010'].BulkDataURI)
  equal(sha((await get(session, bulk.pathname)).body), sha(pixels(5)))
  equal((await get(session, `${study}/metadata`)).json.length, 40)
  for (const path of ['rendered', 'thumbnail', 'frames/1/rendered?window=40,400']) {
    const picture = await get(session, `${one}/${path}`)
    equal([picture.status, picture.headers['content-type']], [200, 'image/jpeg'])
    equal(picture.body.subarray(0, 2).toString('hex'), 'ffd8')
  }
})

await check('a frame asked for again is not sent again, and each form has a name of its own', async () => {
  const stored = 'application/octet-stream; transfer-syntax=*'
  for (let i = 0; i < 3; i++) equal(sha((await get(session, `${one}/frames/1`, stored)).body), sha(pixels(5)))
  const { etag } = (await get(session, `${one}/frames/1`, stored)).headers
  const again = (accept) =>
    session.call('GET', `${one}/frames/1`, { headers: { Accept: accept, 'If-None-Match': etag } })
  equal((await again(stored)).status, 304)
  const parted = await again('multipart/related; type="application/octet-stream"')
  equal([parted.status, parts(parted).map(sha)], [200, [sha(pixels(5))]])
  equal((await get(stranger, `${one}/frames/1`, stored)).status, 404)
})

await check('what is known of an image is made anew where it is lost or bent', async () => {
  const kept = join(server.dir, 'files/indexes'),
    all = readdirSync(kept).flatMap((two) => readdirSync(join(kept, two)).map((name) => join(kept, two, name)))
  assert(all.length >= 40, `${all.length} are kept`)
  const before = (await get(session, `${study}/metadata`)).json
  all.forEach((path, i) => (i % 2 ? rmSync(path) : writeFileSync(path, 'CNDICOMX'.padEnd(900, 'x'))))
  await server.end()
  await server.start()
  equal((await get(session, `${study}/metadata`)).json.length, 40)
  equal(JSON.stringify((await get(session, `${study}/metadata`)).json).length, JSON.stringify(before).length)
  const frame = await get(session, `${one}/frames/1`, 'application/octet-stream; transfer-syntax=*')
  equal([frame.status, sha(frame.body)], [200, sha(pixels(5))])
})

await check('without identity: no name, new UIDs that stay one study, the same pixels', async () => {
  const back = parts(await get(session, `${study}?deidentified=yes`, STORED))
  equal(back.length, 40, 'instances')
  const text = back.map((bytes) => bytes.toString('latin1'))
  for (const word of [Buffer.from('张').toString('latin1'), 'PID-7', 'ACC-1', STUDY])
    assert(!text.some((one) => one.includes(word)), `${word} is still there`)
  const uids = text.map((one) => /2\.25\.[0-9]+/.exec(one)?.[0])
  assert(uids.every(Boolean), 'UIDs are new')
  assert(back[4].includes(pixels(5)), 'pixels are those of before')
  equal((await get(session, `/dicom-web/studies?Unheard=1`)).status, 400, 'a filter that nobody knows')
})

await check('searches find by day, identity and UID, page by page, and refuse what they cannot', async () => {
  const count = async (query) => (await get(session, `/dicom-web/studies?${query}`)).json.length
  equal(await count('StudyDate=20260101-20260103'), 2)
  equal(await count('StudyDate=20260103-'), 0)
  equal(await count('PatientID=PID-7&ModalitiesInStudy=CT&AccessionNumber=ACC-1'), 2)
  equal(await count('PatientID=PID-8'), 0)
  equal(await count(`StudyInstanceUID=${STUDY}`), 1)
  const [found] = (await get(session, `/dicom-web/studies?StudyInstanceUID=${STUDY}`)).json
  equal([found['00100010'].Value[0].Alphabetic, found['00201208'].Value[0]], ['张^三', 40])
  equal((await get(session, `${study}/series?Modality=MR`)).json, [])
  equal((await get(session, `${study}/series`)).json[0]['0020000E'].Value, [`${STUDY}.1`])
  const page = await get(session, `${study}/instances?limit=10&offset=35`)
  equal(
    page.json.map((item) => item['00200013'].Value[0]),
    [36, 37, 38, 39, 40],
  )
  assert((await get(session, `${study}/instances?limit=10`)).headers.warning?.startsWith('299'), 'more are announced')
  equal([await count(encodeURI('PatientName=张*')), await count('PatientName=nobody*')], [2, 0], 'by name')
  equal(await count(encodeURI('PatientName=张*&limit=1&offset=1')), 1, 'the second page of what was found')
  equal([await count('PatientID=PID-*'), await count('PatientID=P?D-8')], [2, 0], 'by part of an identity')
  equal([await count('StudyTime=00-24'), await count('00100040=*')].map(Number.isInteger), [true, true])
  const everywhere = async (query) => (await get(session, `/dicom-web/${query}`)).json
  equal((await everywhere('series?Modality=CT')).length, 2, 'series without a study')
  const seven = await everywhere(`instances?InstanceNumber=7&StudyInstanceUID=${STUDY}`)
  equal([seven.length, seven[0]['00200013'].Value[0]], [1, 7], 'instances without a study')
  assert(seven[0]['00081190'].Value[0].endsWith(`${study}/series/${STUDY}.1/instances/${STUDY}.1.7`), 'its address')
  const got = await get(session, new URL(seven[0]['00081190'].Value[0]).pathname, STORED)
  equal(got.status, 200, 'it is had there')
  equal((await get(session, '/dicom-web/studies?PatientComments=x')).status, 400)
  equal((await get(session, '/dicom-web/studies?PatientBirthDate=yesterday')).status, 400)
  equal((await get(session, '/dicom-web/studies?StudyDate=today')).status, 400)
})

await check('another hospital’s study is not there', async () => {
  equal((await get(stranger, '/dicom-web/studies')).json, [])
  for (const path of ['', '/metadata', `/series/${STUDY}.1`]) equal((await get(stranger, study + path)).status, 404)
  for (const path of ['', '/frames/1', '/rendered', '/bulkdata/0/10'])
    equal((await get(stranger, one + path)).status, 404)
  equal((await get(stranger, `${study}/instances`)).json, [])
  equal((await store(stranger, [files[0]])).status, 404)
  equal((await store(session, [files[0]], '/dicom-web/studies')).status, 400)
})

const shared = join(root, '../shared/data/dicom/pydicom')
if (!existsSync(shared)) console.log('skipped: no ../shared/data')
else
  await check('real files of many transfer syntaxes come back as they were', async () => {
    const real = readdirSync(shared)
      .filter((name) => /^(CT|MR|JP|SC_|Expl|image|color|US|emri|HTJ)/i.test(name) && /\.dcm$/.test(name))
      .map((name) => join(shared, name))
    // some of them have one UID between them: then the first is given out
    const first = new Map()
    for (const path of real) {
      const bytes = readFileSync(path)
      const answer = await store(session, [bytes])
      if (answer.status === 409) {
        assert(items(answer, '00081198')[0]['00000902'].Value[0].length > 5, `${path} is refused with words`)
        continue
      }
      const at = new URL(items(answer, '00081199')[0]['00081190'].Value[0]).pathname
      if (!first.has(at)) first.set(at, sha(bytes))
      equal(sha(parts(await get(session, at, STORED))[0]), first.get(at), path)
    }
    assert(first.size > 15, `${first.size} of ${real.length} files`)
  })

await server.stop()
finish()
