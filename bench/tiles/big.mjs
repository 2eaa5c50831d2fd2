// The big slide of the tiles' benches: made once, uploaded. Node's own modules only.
import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { equal, until } from '../../tests/lib/check.mjs'
import { partHeaders, uploadHeaders } from '../../tests/lib/rest.mjs'
import { root } from '../../tests/lib/server.mjs'

const PART = 8 << 20

/** The slide of the manifest: 59,940 × 41,538, nine levels, 520 MB. */
export function bigSlide() {
  const path = join(root, 'build/tiles/big.tif'),
    small = join(root, '../shared/data/wsi/CMU-1-Small-Region.svs')
  if (existsSync(path)) return path
  if (!existsSync(small)) throw new Error('no ../shared/data: give a slide with --slide')
  mkdirSync(dirname(path), { recursive: true })
  const flat = join(dirname(path), 'flat.v'),
    own = `${path}.${process.pid}.tif`
  execFileSync('vips', ['flatten', small, flat])
  const how = '[tile,pyramid,tile-width=256,tile-height=256,compression=jpeg,Q=80,bigtiff]'
  execFileSync('vips', ['replicate', flat, own + how, '27', '14'])
  renameSync(own, path)
  rmSync(flat)
  return path
}

/** A file that is not read into memory. */
async function send(session, request, path) {
  const size = statSync(path).size
  const made = await session.call('POST', '/uploads', { headers: uploadHeaders(size, request, 'pathology', 'big.tif') })
  equal(made.status, 201, 'upload')
  const fd = openSync(path, 'r')
  for (let at = 0; ; ) {
    const body = Buffer.alloc(Math.min(PART, size - at))
    readSync(fd, body, 0, body.length, at)
    const part = await session.call('PATCH', made.headers.location, { body, headers: partHeaders(at) })
    equal(part.status, 204, 'part')
    at = Number(part.headers['upload-offset'])
    if (!part.headers['x-file-id']) continue
    closeSync(fd)
    return part.headers['x-file-id']
  }
}

/** Uploads the slide into a request and waits until it can be looked at: → its id. */
export async function upload(session, request, path) {
  const slide = await send(session, request, path)
  await until('the slide', async () => (await session.get(`/api/v1/files/${slide}`)).state === 'ready', 120)
  return slide
}

/** Distinct tiles of all levels that leave as they are, in an order that no cache foresees; the same ones each time. */
export function choose(levels, n) {
  const all = []
  levels.forEach((level, at) => {
    for (let i = 0; level.native && i < level.columns * level.rows; i++)
      all.push({ level: at, column: i % level.columns, row: Math.floor(i / level.columns) })
  })
  let seed = 12345
  const next = (most) => (seed = (seed * 48271) % 2147483647) % most
  for (let i = 0; i < Math.min(n, all.length); i++) {
    const other = i + next(all.length - i)
    ;[all[i], all[other]] = [all[other], all[i]]
  }
  return all.slice(0, n)
}

/** Where a tile of a slide is asked for. */
export const address = (slide, { level, column, row }) => `/slides/${slide}/tiles/${level}/${column}_${row}.jpeg`
