/* An ECG from the server, whose form viewer/ecg/form.h describes: whatever device wrote it, it was read there. */
import type { Ecg, Lead } from './record'

const MAGIC = 'CNECG001'

interface HeadLead {
  name: string
  /** Of the file: samples before it that are none, and how many are there. */
  first: number
  count: number
  /** Microvolts of a step. */
  step: number
}
interface Head extends Omit<Ecg, 'leads' | 'median' | 'seconds'> {
  leads: HeadLead[]
  median?: { rate: number; leads: HeadLead[] }
}

/** No sample: the device had no value there. */
const ABSENT = -32768
const FRONT = 16
/** What is fetched at once: a resting ECG whole, of a long recording what it is and its beginning. */
const FIRST_BYTES = 2 << 20

function microvolts(bytes: ArrayBuffer, at: number, count: number, step: number): Float32Array {
  const stored = new Int16Array(bytes, at, count)
  const samples = new Float32Array(count)
  for (let i = 0; i < count; i++) samples[i] = stored[i] === ABSENT ? NaN : stored[i] * step
  return samples
}

/** A file's form, of which a part is here. */
export class Recording {
  readonly seconds: number
  /** Where the samples of each lead begin in the file. */
  private readonly begins: number[] = []

  constructor(
    private readonly file: string,
    private readonly head: Head,
    begin: number,
    private readonly bytes: ArrayBuffer,
    private readonly size: number,
  ) {
    for (const { count } of [...head.leads, ...(head.median?.leads ?? [])]) {
      this.begins.push(begin)
      begin += 2 * count
    }
    this.seconds = Math.max(0, ...head.leads.map(({ first, count }) => first + count)) / head.rate
  }

  get isWhole(): boolean {
    return this.bytes.byteLength >= this.size
  }

  /** What was recorded between two seconds, or all of it where it is here. @throws where the server does not give it */
  async part(from: number, to: number, signal: AbortSignal): Promise<Ecg> {
    const { head } = this
    const leads = await Promise.all(head.leads.map((lead, n) => this.lead(lead, n, from, to, signal)))
    return { ...head, seconds: this.seconds, leads, median: this.median() }
  }

  private async lead(
    { name, first, count, step }: HeadLead,
    n: number,
    from: number,
    to: number,
    signal: AbortSignal,
  ): Promise<Lead> {
    const { rate } = this.head
    const begin = this.begins[n]
    if (this.isWhole) return { name, base: first, samples: microvolts(this.bytes, begin, count, step) }
    const at = Math.min(count, Math.max(0, Math.floor(from * rate) - first))
    const end = Math.min(count, Math.max(at, Math.ceil(to * rate) - first))
    if (at === end) return { name, base: first + at, samples: new Float32Array(0) }
    const bytes = await fetchBytes(this.file, begin + 2 * at, begin + 2 * end, signal)
    return { name, base: first + at, samples: microvolts(bytes.bytes, 0, end - at, step) }
  }

  private median(): Ecg['median'] {
    const { head, bytes } = this
    if (!head.median || !this.isWhole) return null
    const leads = head.median.leads.map(({ name, first, count, step }, n) => ({
      name,
      base: first,
      samples: microvolts(bytes, this.begins[head.leads.length + n], count, step),
    }))
    return { rate: head.median.rate, leads }
  }
}

/** Throws where the bytes are no such form; `size`: of the whole file, `bytes` its beginning. */
export function readForm(file: string, bytes: ArrayBuffer, size: number): Recording {
  const view = new DataView(bytes)
  const words = new TextDecoder()
  if (bytes.byteLength < FRONT || words.decode(new Uint8Array(bytes, 0, 8)) !== MAGIC) throw new Error('no ECG')
  const length = view.getUint32(8, true)
  const head = JSON.parse(words.decode(new Uint8Array(bytes, FRONT, length))) as Head
  return new Recording(file, head, FRONT + length, bytes, size)
}

async function fetchBytes(file: string, from: number, to: number, signal: AbortSignal) {
  const answer = await fetch(`/api/v1/files/${file}/ecg`, {
    headers: { Range: `bytes=${from}-${to - 1}` },
    credentials: 'same-origin',
    signal,
  })
  if (!answer.ok) throw new Error(String(answer.status))
  const bytes = await answer.arrayBuffer()
  const size = Number(/\/(\d+)$/.exec(answer.headers.get('Content-Range') ?? '')?.[1] ?? bytes.byteLength)
  return { bytes, size }
}

export async function openEcg(file: string, signal: AbortSignal): Promise<Recording> {
  const { bytes, size } = await fetchBytes(file, 0, FIRST_BYTES, signal)
  return readForm(file, bytes, size)
}

/** What the server reads as an ECG, by the type that it found (storage/files/sniff.c). */
export const isEcg = (file: { type: string }): boolean => file.type.startsWith('application/x-ecg-')
