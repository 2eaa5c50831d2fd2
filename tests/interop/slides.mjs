// Slides as they come: what the server cannot open now is tried again; levels that a slide lacks are made, and go with it.
// node tests/interop/slides.mjs (CN_BUILD=release for another build).
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { check, equal, finish, until } from '../lib/check.mjs'
import { Session } from '../lib/rest.mjs'
import { Server, sanitized } from '../lib/server.mjs'

const PASSWORD = 'Good-pass-1x'
const server = new Server({
  build: sanitized,
  name: 'door-slides',
  pages: false,
  extra: { viewer: { decoder: '/bin/false' } },
})
server.people({ referrer1: 'referrer' }, { password: PASSWORD })
const path = join(server.dir, 'slide.tif')
execFileSync(join(dirname(server.bin), 'consilium-demo-slide'), [path, '5000', '4000', '7'])
const slide = readFileSync(path)

/** The same with its first level only. */
function oneLevel() {
  const bytes = Buffer.from(slide)
  const directory = bytes.readUInt32LE(4)
  bytes.writeUInt32LE(0, directory + 2 + 12 * bytes.readUInt16LE(directory))
  return bytes
}

let session
async function start() {
  await server.start()
  session = await new Session(server.url).login('referrer1', PASSWORD)
}
const levels = (id) => join(server.dir, 'files/slides', id, 'levels.tif')
const scratch = () => readdirSync(join(server.dir, 'files/scratch'))
const get = (path) => session.call('GET', path)
const file = async (id) => (await get(`/api/v1/files/${id}`)).json
const state = (id, wanted, seconds = 30) =>
  until(`${id} being ${wanted}`, async () => (await file(id)).state === wanted, seconds, 100)

await start()
const made = await session.call('POST', '/api/v1/requests', {
  json: { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' },
})
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

let single
await check('a slide without a pyramid gets its levels, also over kill -9, whole or not at all', async () => {
  single = await session.upload(request, 'pathology', 'single.tif', oneLevel())
  await state(single, 'preparing')
  equal(existsSync(levels(single)), false, 'levels')
  equal((await get(`/slides/${single}_files/13/9_7.jpeg`)).status, 200, 'full size meanwhile')
  await server.end('SIGKILL')
  equal(existsSync(levels(single)), false, 'levels after the kill')
  await start()
  await state(single, 'ready', 60)
  equal(readFileSync(levels(single)).subarray(0, 4).toString('latin1'), 'II+\0', 'a BigTIFF')
  equal((await get(`/api/v1/files/${single}/thumbnail`)).status, 200, 'thumbnail')
  for (let level = 0; level < 14; level++)
    equal((await get(`/slides/${single}_files/${level}/0_0.jpeg`)).status, 200, `level ${level}`)
})

await check('levels that are lost are made again when the slide is opened', async () => {
  await server.end()
  execFileSync('rm', [levels(single)])
  await start()
  equal((await file(single)).state, 'ready', 'before it is opened')
  equal((await get(`/slides/${single}/info.json`)).status, 200, 'opened')
  await until('the levels', async () => existsSync(levels(single)) && (await file(single)).state === 'ready', 60, 100)
})

await check('they go with the file, also when it goes while they are made', async () => {
  equal((await session.call('DELETE', `/api/v1/files/${single}`)).status, 204, 'delete')
  equal(existsSync(levels(single)), false, 'levels')
  const left = scratch() // what the kill left is removed when it is a day old
  const another = await session.upload(request, 'pathology', 'single.tif', oneLevel())
  await state(another, 'preparing')
  equal((await session.call('DELETE', `/api/v1/files/${another}`)).status, 204, 'delete')
  await until('the work being done', () => scratch().every((name) => left.includes(name)), 60, 100)
  await server.end()
  equal(existsSync(levels(another)), false, 'levels')
})

await server.stop()
finish()
