// Writes .br and .gz beside every text file of dist/, so that the server only picks one.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const root = fileURLToPath(new URL('../dist/', import.meta.url))
const TEXT = /\.(js|css|html|svg|json|map|txt|wasm|ttf|pfb|bcmap)$/

function* files(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* files(path)
    else if (TEXT.test(entry.name)) yield path
  }
}

let count = 0
for (const path of files(root)) {
  const bytes = readFileSync(path)
  if (bytes.length < 1024) continue
  const params = { [constants.BROTLI_PARAM_QUALITY]: 10, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
  const br = brotliCompressSync(bytes, { params })
  const gz = gzipSync(bytes, { level: 9 })
  if (br.length < bytes.length) writeFileSync(path + '.br', br)
  if (gz.length < bytes.length) writeFileSync(path + '.gz', gz)
  count++
}

// The first page: what index.html loads before anybody logs in.
const html = readFileSync(join(root, 'index.html'), 'utf8')
const first = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((m) => join(root, m[1] + '.br'))
const size = first.reduce((sum, path) => sum + statSync(path).size, 0)
console.log(`${count} files precompressed; first page ${(size / 1024).toFixed(0)} KB (brotli)`)
if (size > 400 * 1024) {
  console.error('The first page is larger than 400 KB')
  process.exit(1)
}
