// Plain pictures as slides: uploaded where slides are asked for they get a pyramid in the background, which says how far it is and survives
// kill -9; elsewhere they stay pictures. node tests/interop/pictures.mjs (CN_BUILD=release for another build).
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, check, equal, finish, until } from '../lib/check.mjs'
import { likeness, read, write } from '../lib/png.mjs'
import { Session } from '../lib/rest.mjs'
import { Server, sanitized } from '../lib/server.mjs'

const PASSWORD = 'Good-pass-1x'
const server = new Server({
  build: sanitized,
  name: 'door-pictures',
  pages: false,
})
server.people({ referrer1: 'referrer' }, { password: PASSWORD })

function picture(width, height) {
  const rgb = new Uint8Array(3 * width * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      rgb.set([128 + 100 * Math.sin(x / 61), 128 + 100 * Math.cos(y / 43), ((x + y) / 20) & 255], 3 * (y * width + x))
  return { width, height, rgb }
}

/** Strips of 16-bit RGB without compression, as cameras write them. */
function tiff({ width, height, rgb }) {
  const entries = [
    [256, 4, 1, width],
    [257, 4, 1, height],
    [258, 3, 3, 8],
    [259, 3, 1, 1],
    [262, 3, 1, 2],
    [273, 4, 1, 256],
    [277, 3, 1, 3],
    [278, 4, 1, height],
    [279, 4, 1, 6 * width * height],
  ]
  const out = Buffer.alloc(256 + 6 * width * height)
  out.write('II*\0', 0, 'latin1')
  out.writeUInt32LE(16, 4)
  for (let c = 0; c < 3; c++) out.writeUInt16LE(16, 8 + 2 * c)
  out.writeUInt16LE(entries.length, 16)
  entries.forEach(([tag, type, count, value], i) => {
    out.writeUInt16LE(tag, 18 + 12 * i)
    out.writeUInt16LE(type, 20 + 12 * i)
    out.writeUInt32LE(count, 22 + 12 * i)
    out.writeUInt32LE(value, 26 + 12 * i)
  })
  rgb.forEach((value, i) => out.writeUInt16LE(value * 257, 256 + 2 * i))
  return out
}

let session
async function start() {
  await server.start()
  session = await new Session(server.url).login('referrer1', PASSWORD)
}
const pyramid = (id) => join(server.dir, 'files/slides', id, 'pyramid.tif')
const file = async (id) => (await session.call('GET', `/api/v1/files/${id}`)).json
const state = (id, wanted, seconds = 60) =>
  until(`${id} being ${wanted}`, async () => (await file(id)).state === wanted, seconds, 20)

await start()
const made = await session.call('POST', '/api/v1/requests', {
  json: { patient: { name: '患者', sex: 'unknown' }, diagnosis: 'x' },
})
const request = made.json.id
const small = picture(1500, 900)

async function looksLike(id, wanted) {
  const answer = await session.call('GET', `/iiif/3/${id}/full/max/0/default.png`)
  equal(answer.status, 200, 'picture')
  const found = likeness(read(answer.body), wanted)
  assert(found >= 35, `${found.toFixed(1)} dB`)
}

await check('a PNG and a TIFF of 16 bits are slides where slides are asked for', async () => {
  for (const [name, bytes] of [
    ['a.png', write(small)],
    ['a.tif', tiff(small)],
  ]) {
    const id = await session.upload(request, 'pathology', name, bytes)
    await state(id, 'ready')
    equal((await file(id)).kind, 'slide', name)
    const info = (await session.call('GET', `/slides/${id}/info.json`)).json
    equal([info.width, info.height, info.mpp_x, info.levels.length], [1500, 900, 0, 3], name)
    await looksLike(id, small)
    equal((await session.call('GET', `/slides/${id}_files/11/1_1.jpeg`)).status, 200, 'a tile')
    equal((await session.call('GET', `/api/v1/files/${id}/thumbnail`)).status, 200, 'a thumbnail')
  }
})

/* What no browser shows is a slide wherever it is sent. libde265 has a thread of its own, in the confined helper too. */
await check('a HEIC of a phone and a JPEG 2000 are slides everywhere', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'consilium-pictures-'))
  try {
    writeFileSync(join(dir, 'in.png'), write(small))
    execFileSync('heif-enc', ['-q', '95', '-o', join(dir, 'a.heic'), join(dir, 'in.png')], { stdio: 'ignore' })
    execFileSync('opj_compress', ['-i', join(dir, 'in.png'), '-o', join(dir, 'a.jp2')], { stdio: 'ignore' })
    for (const name of ['a.heic', 'a.jp2']) {
      const id = await session.upload(request, 'lab', name, readFileSync(join(dir, name)))
      await state(id, 'ready')
      equal((await file(id)).kind, 'slide', name)
      await looksLike(id, small)
    }
  } finally {
    rmSync(dir, { recursive: true })
  }
})

await check('elsewhere a PNG stays a picture', async () => {
  const id = await session.upload(request, 'lab', 'a.png', write(picture(60, 40)))
  const { kind, state: now } = await file(id)
  equal([kind, now], ['image', 'ready'])
})

await check('what is cut or lies is refused in words, and nothing is left of it', async () => {
  const bytes = write(small)
  for (const [name, wrong] of [
    ['cut.png', bytes.subarray(0, bytes.length / 2)],
    ['cut.tif', tiff(small).subarray(0, 90000)],
  ]) {
    const id = await session.upload(request, 'pathology', name, wrong)
    await state(id, 'failed')
    const answer = await session.call('GET', `/slides/${id}/info.json`)
    equal([answer.status, existsSync(pyramid(id))], [name === 'cut.png' ? 415 : answer.status, false], name)
    assert(/cannot be read/.test(answer.json.detail), answer.json.detail)
  }
})

/* Of flat squares: a small file of many pixels. */
function squares(width, height) {
  const rgb = new Uint8Array(3 * width * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      rgb.fill((((x >> 6) ^ (y >> 6)) * 7) & 255, 3 * (y * width + x), 3 * (y * width + x) + 3)
  return { width, height, rgb }
}
const large = squares(7000, 5000)
let slide
await check('how far it is can be seen, and over kill -9 it is there whole or not at all', async () => {
  slide = await session.upload(request, 'pathology', 'large.png', write(large))
  const seen = new Set()
  await until(
    'some progress',
    async () => {
      const { progress } = await file(slide)
      if (progress !== undefined) seen.add(progress)
      return seen.size > 2
    },
    60,
    20,
  )
  assert(
    [...seen].every((far, i, all) => far <= 100 && (!i || far > all[i - 1])),
    [...seen].join(),
  )
  equal((await session.call('GET', `/slides/${slide}/info.json`)).status, 503, 'not yet')
  await server.end('SIGKILL')
  equal(existsSync(pyramid(slide)), false, 'after the kill')
  await start()
  await state(slide, 'ready')
  equal((await file(slide)).progress, undefined, 'at the end')
})

await check('a pyramid that is lost is made again when it is opened', async () => {
  await server.end()
  rmSync(pyramid(slide))
  await start()
  equal((await session.call('GET', `/slides/${slide}/info.json`)).status, 503, 'opened')
  await state(slide, 'ready')
  equal((await session.call('GET', `/slides/${slide}/info.json`)).status, 200, 'opened again')
})

await check('it goes with the file', async () => {
  equal((await session.call('DELETE', `/api/v1/files/${slide}`)).status, 204)
  equal(existsSync(join(server.dir, 'files/slides', slide)), false)
})

await server.stop()
finish()
