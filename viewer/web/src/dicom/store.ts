/* DICOM files to a request, by STOW-RS (PS3.18 §10.5): some at a time, each with an answer of its own. */
import { csrfToken } from '@/api/client'

const MOST_FILES = 50
const MOST_BYTES = 64 << 20

export interface Refusal {
  name: string
  why: string
}

type Item = Record<string, { Value?: unknown[] } | undefined>
interface Answer {
  '00081199'?: { Value?: Item[] }
  '00081198'?: { Value?: Item[] }
}

/** Batches of at most so many files and bytes; a larger file goes alone. */
export function batches(files: readonly File[]): File[][] {
  const out: File[][] = []
  let bytes = 0
  for (const file of files) {
    const last = out[out.length - 1]
    if (!last || last.length >= MOST_FILES || bytes + file.size > MOST_BYTES) {
      out.push([file])
      bytes = file.size
    } else {
      last.push(file)
      bytes += file.size
    }
  }
  return out
}

function send(path: string, body: Blob, boundary: string, sent: (bytes: number) => void): Promise<XMLHttpRequest> {
  return new Promise((done, fail) => {
    const call = new XMLHttpRequest()
    call.open('POST', path)
    call.setRequestHeader('Content-Type', `multipart/related; type="application/dicom"; boundary=${boundary}`)
    call.setRequestHeader('X-CSRF-Token', csrfToken())
    call.upload.onprogress = ({ loaded }) => sent(loaded)
    call.onload = () => done(call)
    call.onerror = () => fail(new Error('network'))
    call.send(body)
  })
}

const wordOf = (item: Item) => {
  const [word] = item['00000902']?.Value ?? []
  return typeof word === 'string' ? word : ''
}

/* Which of the files was refused is not said where it could not be read at all; then they are told together. */
function refusalsOf(status: number, text: string, files: readonly File[]): Refusal[] {
  let answer: Answer = {}
  try {
    answer = JSON.parse(text) as Answer
  } catch {
    // no DICOM JSON
  }
  if (status !== 200 && status !== 202 && status !== 409)
    return files.map(({ name }) => ({ name, why: String(status) }))
  const failed = answer['00081198']?.Value ?? []
  return failed.map((item) => ({
    name: failed.length === files.length ? (files[failed.indexOf(item)]?.name ?? '') : '',
    why: wordOf(item),
  }))
}

/** Sends them all; `progress` gets the share that has left, 0 to 1. Gives what was refused. @throws when the network breaks */
export async function storeImages(
  number: string,
  files: readonly File[],
  progress: (share: number) => void,
): Promise<Refusal[]> {
  const all = files.reduce((sum, { size }) => sum + size, 0) || 1
  const refused: Refusal[] = []
  let before = 0
  for (const batch of batches(files)) {
    const boundary = `consilium-${crypto.randomUUID()}`
    const parts = batch.flatMap((file) => [`\r\n--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`, file])
    const body = new Blob([...parts, `\r\n--${boundary}--`])
    const start = before
    const call = await send(`/dicom-web/studies?request=${encodeURIComponent(number)}`, body, boundary, (bytes) =>
      progress(Math.min(1, (start + bytes) / all)),
    )
    refused.push(...refusalsOf(call.status, call.responseText, batch))
    before += batch.reduce((sum, { size }) => sum + size, 0)
    progress(before / all)
  }
  return refused
}

/** Whether a file is a DICOM file of part 10: the word stands behind 128 bytes. */
export async function isDicom(file: File): Promise<boolean> {
  return (await file.slice(128, 132).text()) === 'DICM'
}
