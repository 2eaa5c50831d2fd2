/* Reads a file, or a slide's files as the ZIP around them, piece by piece and says its SHA-256. In: the files, and for a ZIP what it is made of.
   Out: {done} bytes now and then, at last {sha256, crcs} or {failed}. */
import { Crc32 } from './crc32'
import { Sha256 } from './sha256'
import { ZipLayout, type ZipPart } from './zip'

const PIECE = 4 << 20

export interface HashTask {
  files: Blob[]
  zip: ZipPart[] | null
}

async function hashAll({ files, zip }: HashTask): Promise<{ sha256: string; crcs: number[] }> {
  const hash = new Sha256()
  const layout = zip && new ZipLayout(zip)
  const crcs: number[] = []
  let done = 0
  for (const [i, file] of files.entries()) {
    const crc = new Crc32()
    if (layout) hash.update(layout.head(i))
    for (let at = 0; at < file.size; at += PIECE) {
      const bytes = new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer())
      hash.update(bytes)
      if (layout) crc.update(bytes)
      done += bytes.length
      postMessage({ done })
    }
    crcs.push(crc.value())
    if (layout) hash.update(layout.tail(i, crc.value()))
  }
  if (layout) hash.update(layout.end(crcs))
  return { sha256: hash.hex(), crcs }
}

addEventListener('message', async (event: MessageEvent<HashTask>) => {
  try {
    postMessage(await hashAll(event.data))
  } catch {
    postMessage({ failed: true })
  }
})
