/* Reads a file piece by piece and says its SHA-256. In: the file. Out: {done} bytes now and then, at last {sha256} or {failed}. */
import { Sha256 } from './sha256'

const PIECE = 4 << 20

addEventListener('message', async (event: MessageEvent<Blob>) => {
  const file = event.data
  const hash = new Sha256()
  try {
    for (let at = 0; at < file.size; at += PIECE) {
      hash.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()))
      postMessage({ done: Math.min(at + PIECE, file.size) })
    }
    postMessage({ sha256: hash.hex() })
  } catch {
    postMessage({ failed: true })
  }
})
