export class Unreadable extends Error {}

/** Whether it is still the file that was chosen: browsers refuse to read one that was changed on the disk since. */
export async function stillReadable(file: Blob): Promise<boolean> {
  try {
    return (await file.slice(-1).arrayBuffer()).byteLength === Math.min(1, file.size)
  } catch {
    return false
  }
}

/** SHA-256 of a file, computed beside the page. Aborting rejects with the signal's reason. */
export function sha256Of(file: Blob, signal: AbortSignal, progress: (done: number) => void): Promise<string> {
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
    worker.onmessage = (event: MessageEvent<{ done?: number; sha256?: string; failed?: boolean }>) => {
      if (event.data.done !== undefined) return progress(event.data.done)
      end()
      if (event.data.sha256) resolve(event.data.sha256)
      else reject(new Unreadable())
    }
    worker.onerror = () => {
      end()
      reject(new Unreadable())
    }
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop)
    worker.postMessage(file)
  })
}
