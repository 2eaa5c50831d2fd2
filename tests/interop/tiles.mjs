// A slide's own tiles: what leaves is what stands in the file, addresses with a version are kept for ever, and who may not see a slide sees no tile of it.
// node tests/interop/tiles.mjs (CN_BUILD=release for another build).
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { assert, check, equal, finish, sleep, until } from '../lib/check.mjs'
import { Session, call } from '../lib/rest.mjs'
import { Server, sanitized } from '../lib/server.mjs'

const PASSWORD = 'Good-pass-1x',
  WITHDRAWN_MS = 5000
const server = new Server({ build: sanitized, name: 'door-tiles', pages: false })
server.people({ referrer1: 'referrer' }, { password: PASSWORD })
server.people({ stranger1: 'referrer' }, { password: PASSWORD, hospital: 'Another hospital' })
const path = join(server.dir, 'slide.tif')
execFileSync(join(dirname(server.bin), 'consilium-demo-slide'), [path, '3000', '2000', '7'])
const bytes = readFileSync(path)
await server.start()
const session = await new Session(server.url).login('referrer1', PASSWORD)
const sql = (text) => execFileSync('sqlite3', [join(server.dir, 'consilium.db'), text], { encoding: 'utf8' }).trim()

const request = (await session.post('/api/v1/requests', { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' }))
  .id
async function upload() {
  const id = await session.upload(request, 'pathology', 'slide.tif', bytes)
  await until('the slide', async () => (await session.get(`/api/v1/files/${id}`)).state === 'ready', 30)
  return id
}
const slide = await upload()
const info = await session.get(`/slides/${slide}/info.json`)
const at = (level, column, row, version) =>
  `/slides/${slide}/tiles/${level}/${column}_${row}.jpeg${version ? `?v=${version}` : ''}`
const tile = (...place) => session.call('GET', at(...place))

await check('the grid is the file’s own', () => {
  equal([info.width, info.height, info.background], [3000, 2000, '#ffffff'])
  for (const level of info.levels) {
    equal([level.tile_width, level.tile_height, level.native], [256, 256, true])
    equal([level.columns, level.rows], [Math.ceil(level.width / 256), Math.ceil(level.height / 256)])
  }
})

await check('every tile is a picture whose bytes stand in the file', async () => {
  for (const [i, level] of info.levels.entries())
    for (let n = 0; n < level.columns * level.rows; n++) {
      const answer = await tile(i, n % level.columns, Math.floor(n / level.columns), info.version)
      equal([answer.status, answer.headers['content-type']], [200, 'image/jpeg'])
      equal(answer.body.subarray(0, 2).toString('hex'), 'ffd8', 'begins')
      // behind what was put in front: from the frame on it is the file
      const frame = answer.body.indexOf(Buffer.from('ffc0', 'hex'))
      assert(frame > 0 && bytes.includes(answer.body.subarray(frame)), `tile ${n} of level ${i} is not in the file`)
    }
})

await check('with its version an address is kept for ever, without it is asked for again', async () => {
  const kept = await tile(0, 3, 2, info.version),
    asked = await tile(0, 3, 2),
    old = await tile(0, 3, 2, 'older')
  equal(kept.headers['cache-control'], 'private, max-age=31536000, immutable')
  equal([asked.headers['cache-control'], old.headers['cache-control']], ['private, no-cache', 'private, no-cache'])
  assert(/^"[^"]+"$/.test(kept.headers.etag), 'a strong ETag')
  const again = await session.call('GET', at(0, 3, 2), { headers: { 'If-None-Match': kept.headers.etag } })
  equal([again.status, again.body.length], [304, 0])
  const head = await session.call('HEAD', at(0, 3, 2))
  equal([head.status, head.headers['content-length']], [200, String(kept.body.length)])
})

await check('outside the grid is nothing, and nothing of it is kept', async () => {
  const [first] = info.levels
  for (const place of [
    [0, first.columns, 0],
    [0, 0, first.rows],
    [info.levels.length, 0, 0],
    [31, 0, 0],
    [0, 16777216, 0],
  ]) {
    const answer = await tile(...place, info.version)
    equal([answer.status, answer.headers['cache-control']], [404, answer.headers['cache-control']], `${place}`)
    assert(!answer.headers['cache-control'].includes('immutable'), `${place} is kept`)
  }
  for (const place of ['0/-1_0', '0/a_0', '99/0_0', '0/1_'])
    equal((await session.call('GET', `/slides/${slide}/tiles/${place}.jpeg`)).status, 404, place)
})

await check('planes and channels of an OME-TIFF are said and asked for', async () => {
  const made = join(server.dir, 'made')
  execFileSync(join(dirname(server.bin), 'make-slides'), [made])
  const id = await session.upload(request, 'pathology', 'stack.ome.tif', readFileSync(join(made, 'ome/slide.ome.tif')))
  await until('the stack', async () => (await session.get(`/api/v1/files/${id}`)).state === 'ready', 30)
  const stack = await session.get(`/slides/${id}/info.json`)
  equal(stack.z, { planes: 3, first: 1, spacing_um: 1.5 })
  equal(
    stack.channels.map(({ name, color }) => `${name} ${color}`),
    ['DAPI #ff0000', 'Ki-67 #00ff00', 'CD8 & CD4 #0000ff'],
  )
  equal([info.z, info.channels], [undefined, undefined], 'an ordinary slide')
  const get = (query) => session.call('GET', `/slides/${id}/tiles/0/1_0.jpeg?v=${stack.version}${query}`)
  const [first, middle, last, alone] = [await get(''), await get('&z=1'), await get('&z=2'), await get('&z=1&c=0')]
  equal([first.status, middle.status, last.status, alone.status], [200, 200, 200, 200])
  assert(first.body.equals(middle.body), 'the middle plane is shown first')
  assert(!last.body.equals(middle.body) && !alone.body.equals(middle.body), 'another plane, a channel alone')
  equal(last.headers['cache-control'], 'private, max-age=31536000, immutable')
  equal([(await get('&z=3')).status, (await get('&c=3')).status], [404, 404], 'there is none')
})

await check('who may not see the slide gets 404, a row in the audit log, and no tile', async () => {
  const stranger = await new Session(server.url).login('stranger1', PASSWORD)
  const denied = () =>
    Number(sql(`SELECT COUNT(*) FROM audit_log WHERE outcome = 'denied' AND object = 'file:${slide}'`))
  const before = denied()
  const answer = await stranger.call('GET', at(0, 3, 2, info.version))
  equal([answer.status, answer.headers['content-type']], [404, 'application/problem+json'])
  equal(denied(), before + 1, 'rows')
  equal((await call(server.url, 'GET', at(0, 3, 2, info.version))).status, 401, 'nobody')
})

/** Asks without a pause; → how long after `withdraw` the last tile came. */
async function lastTile(id, withdraw) {
  const ask = async () => (await session.call('GET', `/slides/${id}/tiles/0/3_2.jpeg?v=${info.version}`)).status
  equal(await ask(), 200, 'before')
  await withdraw()
  const start = Date.now()
  let last = 0
  for (let since = 0; since < WITHDRAWN_MS + 3000 && since < last + 3000; since = Date.now() - start) {
    if ((await ask()) === 200) last = Date.now() - start
    await sleep(20)
  }
  return [last, await ask()]
}

await check('a withdrawn right stops tiles within 5 s', async () => {
  const another = await upload()
  const [file, gone] = await lastTile(slide, () => session.call('DELETE', `/api/v1/files/${slide}`))
  assert(file < WITHDRAWN_MS, `tiles for ${file} ms after the file was deleted`)
  equal(gone, 404, 'the file')
  const [account, out] = await lastTile(another, () => server.run('user', 'disable', 'referrer1'))
  assert(account < WITHDRAWN_MS, `tiles for ${account} ms after the account was disabled`)
  equal(out, 401, 'the account')
})

await server.stop()
finish()
