import { Bundle, type Chosen } from './folders'
import type { HashTask } from './hash.worker'

export class Unreadable extends Error {}

async function lastByteReads(file: Blob): Promise<boolean> {
  try {
    return (await file.slice(-1).arrayBuffer()).byteLength === Math.min(1, file.size)
  } catch {
    return false
  }
}

/** Whether it is still what was chosen: browsers refuse to read a file that was changed on the disk since. */
export async function stillReadable(chosen: Chosen): Promise<boolean> {
  for (const file of chosen instanceof Bundle ? chosen.files : [chosen]) if (!(await lastByteReads(file))) return false
  return true
}

/** SHA-256 of what is sent, and the checksums that a ZIP needs. */
export interface Hashes {
  sha256: string
  crcs: number[]
}

const taskOf = (chosen: Chosen): HashTask =>
  chosen instanceof Bundle
    ? {
        files: chosen.files,
        zip: chosen.parts.map(({ path, file }) => ({ name: path, size: file.size, modified: file.lastModified })),
      }
    : { files: [chosen], zip: null }

/** Computed beside the page. Aborting rejects with the signal's reason. */
export function hashesOf(chosen: Chosen, signal: AbortSignal, progress: (done: number) => void): Promise<Hashes> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./hash.worker.ts', import.meta.url), { type: 'module' })
    const end = () => {
      worker.terminate()
      signal.removeEventListener('abort', stop)
    }
    const stop = () => {
      end()
      reject(signal.reason as Error)
    }
    worker.onmessage = (event: MessageEvent<Partial<Hashes> & { done?: number; failed?: boolean }>) => {
      const { done, sha256, crcs } = event.data
      if (done !== undefined) return progress(done)
      end()
      if (sha256 && crcs) resolve({ sha256, crcs })
      else reject(new Unreadable())
    }
    worker.onerror = () => {
      end()
      reject(new Unreadable())
    }
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop)
    worker.postMessage(taskOf(chosen))
  })
}
