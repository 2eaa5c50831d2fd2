// Slides as they come: what the server cannot open now is tried again.
// node tests/interop/slides.mjs (CN_BUILD=release for another build).
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { check, equal, finish, until } from '../lib/check.mjs'
import { Session } from '../lib/rest.mjs'
import { Server, sanitized } from '../lib/server.mjs'

const PASSWORD = 'Good-pass-1x'
const server = new Server({ build: sanitized, name: 'door-slides', pages: false, extra: { viewer: { decoder: '/bin/false' } } })
server.people({ referrer1: 'referrer' }, { password: PASSWORD })
const path = join(server.dir, 'slide.tif')
execFileSync(join(dirname(server.bin), 'consilium-demo-slide'), [path, '5000', '4000', '7'])
const slide = readFileSync(path)

let session
async function start() {
  await server.start()
  session = await new Session(server.url).login('referrer1', PASSWORD)
}
const get = (path) => session.call('GET', path)
const file = async (id) => (await get(`/api/v1/files/${id}`)).json
const state = (id, wanted, seconds = 30) =>
  until(`${id} being ${wanted}`, async () => (await file(id)).state === wanted, seconds, 100)

await start()
const made = await session.call('POST', '/api/v1/requests', { json: { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' } })
const request = made.json.id

await check('a decoder that dies makes no bad file, and keeps no other one', async () => {
  const id = await session.upload(request, 'pathology', 'slide.tif', slide)
  const other = await session.upload(request, 'pathology', 'other.tif', slide)
  for (const each of [id, other]) await state(each, 'stuck')
  equal((await server.end()).code, 0, 'exit')
  server.set('viewer', { decoder: undefined })
  await start()
  await state(id, 'ready')
  equal((await get(`/api/v1/files/${id}/thumbnail`)).status, 200, 'thumbnail')
})

await server.stop()
finish()
