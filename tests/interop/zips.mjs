// Slides of several files as ZIPs: unpacked into a slide that can be looked at, whole or not at all over kill -9, gone with the file; and ZIPs as
// enemies make them, each refused in its own word with nothing left. node tests/interop/zips.mjs (CN_BUILD=release for another build).
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { assert, check, equal, finish, until } from '../lib/check.mjs'
import { mrxs, vms } from '../lib/parts.mjs'
import { Session, partHeaders, uploadHeaders } from '../lib/rest.mjs'
import { Server, sanitized } from '../lib/server.mjs'
import { zip } from '../lib/zip.mjs'

const PASSWORD = 'Good-pass-1x'
const server = new Server({
  build: sanitized,
  name: 'door-zips',
  pages: false,
  extra: { files: { max_upload_mb: 200 } },
})
server.people({ referrer1: 'referrer' }, { password: PASSWORD })

let session
async function start() {
  await server.start()
  session = await new Session(server.url).login('referrer1', PASSWORD)
}
const get = (path) => session.call('GET', path)
const file = async (id) => (await get(`/api/v1/files/${id}`)).json
const state = (id, wanted, seconds = 60) =>
  until(`${id} being ${wanted}`, async () => (await file(id)).state === wanted, seconds, 50)
const folder = (id) => join(server.dir, 'files/slides', id)
const inFolder = (...path) => (existsSync(join(...path)) ? readdirSync(join(...path)).sort() : [])
const scratch = () => inFolder(server.dir, 'files/scratch')

const COLOURS = [
  [
    [200, 30, 30],
    [30, 200, 30],
  ],
  [
    [30, 30, 200],
    [200, 200, 30],
  ],
]
const slide = mrxs('切片 1', COLOURS)
/** As programs of Chinese Windows write names: GB 18030, without the mark of UTF-8. */
const chinese = (name) =>
  Buffer.concat(
    name
      .split('切片')
      .flatMap((piece, i) => [...(i ? [Buffer.from([0xc7, 0xd0, 0xc6, 0xac])] : []), Buffer.from(piece)]),
  )

await start()
const made = await session.call('POST', '/api/v1/requests', {
  json: { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' },
})
const request = made.json.id

async function looksRight(id) {
  await state(id, 'ready')
  const info = (await get(`/slides/${id}/info.json`)).json
  equal([info.width, info.height, info.vendor, info.mpp_x], [512, 512, 'mirax', 0.25])
  equal((await get(`/slides/${id}_files/9/0_0.jpeg`)).status, 200, 'a tile')
  equal(inFolder(folder(id)), ['slide', 'slide.mrxs'])
  equal(inFolder(folder(id), 'slide'), ['Data0000.dat', 'Index.dat', 'Slidedat.ini'])
}

let whole
await check('a MRXS in a ZIP becomes a slide, whoever packed it, and what is not of it is left out', async () => {
  const odd = [...slide, { name: '切片 1/Stitching.log', data: 'x' }, { name: '__MACOSX/._切片 1.mrxs', data: 'x' }]
  for (const [name, bytes] of [
    ['stored.zip', zip(odd)],
    ['deflated.ZIP', zip(slide.map((part) => ({ ...part, deflate: true })))],
    ['large.zip', zip(slide, { large: true })],
    ['gb18030.zip', zip(slide.map((part) => ({ ...part, name: chinese(part.name) })))],
    ['within.zip', zip(slide.map((part) => ({ ...part, name: `扫描/周一/${part.name}` })))],
  ]) {
    whole = await session.upload(request, 'pathology', name, bytes)
    await looksRight(whole)
    const { kind, size } = await file(whole)
    equal([kind, size], ['slide', bytes.length], name)
    const content = await get(`/api/v1/files/${whole}/content`)
    assert(content.body.equals(bytes), 'what was sent comes back')
  }
})

await check('a VMS in a ZIP becomes a slide, its parts under the names that it says', async () => {
  const parts = vms('切片 2', COLOURS)
  const named = parts.map((part) => ({ ...part, name: `d/${part.name.toUpperCase()}` }))
  const id = await session.upload(request, 'pathology', 'vms.zip', zip([...named, { name: 'd/other.jpg', data: 'x' }]))
  await state(id, 'ready')
  const info = (await get(`/slides/${id}/info.json`)).json
  equal([info.width, info.height, info.vendor], [512, 512, 'hamamatsu'])
  equal((await get(`/slides/${id}_files/9/0_0.jpeg`)).status, 200, 'a tile')
  equal(inFolder(folder(id)), ['slide.vms', ...parts.slice(1).map((part) => part.name)].sort())
})

await check('one slide of a single file may come as a ZIP', async () => {
  const path = join(server.dir, 'slide.tif')
  execFileSync(join(dirname(server.bin), 'consilium-demo-slide'), [path, '1500', '1000', '7'])
  const tiff = readFileSync(path)
  const id = await session.upload(request, 'pathology', 'a.zip', zip([{ name: 'd/a.TIF', data: tiff }]))
  await state(id, 'ready')
  equal(inFolder(folder(id)), ['slide.tif'])
})

const HERE = { name: 'a.svs', data: 'x' }
const cut = zip(slide)
const damaged = zip(slide.map((part) => ({ ...part, crc: part.name.endsWith('0.dat') ? 1 : undefined })))
const REFUSED = [
  ['damaged', cut.subarray(0, cut.length - 30)],
  ['damaged', cut.subarray(0, 3000)],
  ['damaged', Buffer.concat([cut.subarray(0, 300), cut.subarray(900)])],
  ['password', zip(slide.map((part) => ({ ...part, flags: 1 })))],
  ['method', zip([{ ...HERE, method: 9 }])],
  ['outside', zip([HERE, { name: '../a.svs' }])],
  ['outside', zip([{ name: '/etc/a.svs' }])],
  ['outside', zip([{ name: 'd\\..\\..\\a.svs' }])],
  ['outside', zip([{ name: 'C:\\a.svs' }])],
  ['link', zip([{ name: 'a.svs', data: '/etc/passwd', mode: 0o120777 }])],
  ['link', zip([HERE, { name: 'a', data: '', mode: 0o020666 }])],
  ['twice', zip([HERE, { name: 'A.svs', data: 'y' }])],
  ['twice', zip([{ name: chinese('切片.svs') }, { name: '切片.svs' }])],
  ['name', zip([HERE, { name: Buffer.from([0xff, 0xfe]) }])],
  ['many', zip(Array.from({ length: 100_000 }, (_, i) => ({ name: `d/${i}` })))],
  ['bomb', zip([{ name: 'a.svs', data: Buffer.alloc(100 << 20), deflate: true }])],
  ['no_slide', zip([{ name: 'a.txt', data: 'x' }])],
  ['several', zip([HERE, { name: 'b.ndpi', data: 'y' }])],
  ['no_folder', zip(slide.slice(0, 1))],
  ['no_mrxs', zip(slide.slice(1))],
  ['lacks', zip(slide.slice(0, 3))],
]

async function send(name, bytes) {
  const begun = await session.call('POST', '/uploads', {
    headers: uploadHeaders(bytes.length, request, 'pathology', name),
  })
  if (begun.status !== 201) return begun
  return session.call('PATCH', begun.headers.location, { headers: partHeaders(0), body: bytes })
}

await check('every ZIP that is no slide is refused with its own word, and nothing of it stays', async () => {
  const before = [inFolder(server.dir, 'files/slides').length, inFolder(server.dir, 'files/objects').length]
  for (const [word, bytes] of REFUSED) {
    const sent = await send('患者张三.zip', bytes).catch((error) =>
      assert(false, `${word}, ${bytes.length} bytes: ${error}`),
    )
    equal([sent.status, sent.json.field], [422, `file.zip.${word}`], word)
    assert(!sent.json.detail.includes('张三') && sent.json.detail.startsWith('the '), sent.json.detail)
  }
  equal([inFolder(server.dir, 'files/slides').length, inFolder(server.dir, 'files/objects').length], before, 'left')
  equal([inFolder(server.dir, 'files/uploads'), scratch()], [[], []])
})

await check('one file of several, and formats that are not read, are refused with what to do', async () => {
  for (const [name, field] of [
    ['a.mrxs', 'filename.folder'],
    ['a.VMS', 'filename.folder'],
    ['a.kfb', 'filename.export'],
    ['a.sdpc', 'filename.export'],
  ]) {
    const sent = await send(name, Buffer.from('xyz'))
    equal([sent.status, sent.json.field], [422, field], name)
  }
  for (const bytes of ['\0\0\0\0KFB\0\x01\0', 'SQ\x00\x01\0\0\0']) {
    const sent = await send('renamed.svs', Buffer.from(bytes, 'latin1'))
    equal([sent.status, sent.json.field], [422, 'filename.export'], bytes)
  }
})

await check('data that do not keep what the directory says are found out while unpacking', async () => {
  const id = await session.upload(request, 'pathology', 'crc.zip', damaged)
  await state(id, 'failed')
  equal([inFolder(folder(id)), scratch()], [[], []])
})

await check('kill -9 while it is unpacked leaves no half of a slide, and it is made anew', async () => {
  const padded = mrxs('a', COLOURS, 24 << 20)
  const id = await session.upload(request, 'pathology', 'a.zip', zip(padded))
  await until('it is being unpacked', async () => scratch().length > 0, 20, 2).catch(() => undefined)
  await server.end('SIGKILL')
  const parts = inFolder(folder(id))
  assert(parts.length === 0 || parts.length === 2, `half: ${parts}`)
  await start()
  await looksRight(id)
})

await check('parts that are not there any more, as after a backup was read back, are made again', async () => {
  rmSync(folder(whole), { recursive: true })
  equal((await server.end()).code, 0, 'exit')
  await start()
  const first = await get(`/slides/${whole}/info.json`)
  equal([first.status, first.json.field], [503, 'state'])
  await looksRight(whole)
})

await check('the parts go with the file', async () => {
  equal((await session.call('DELETE', `/api/v1/files/${whole}`)).status, 204)
  equal(inFolder(folder(whole)), [])
  equal((await get(`/slides/${whole}/info.json`)).status, 404)
})

equal((await server.end()).code, 0, 'exit')
finish()
