/* An ECG from the server, whose form viewer/ecg/form.h describes: whatever device wrote it, it was read there. */
import type { Ecg, Lead, Measured } from './record'

const MAGIC = 'CNECG001'

interface HeadLead {
  name: string
  /** Of the file: samples before it that are none, and how many are there. */
  first: number
  count: number
  /** Microvolts of a step. */
  step: number
}
interface Head {
  rate: number
  leads: HeadLead[]
  median?: { rate: number; leads: HeadLead[] }
  acquired: string
  device: string
  filters: string[]
  statements: string[]
  measured: Measured
  calibrated: boolean
}

/** No sample: the device had no value there. */
const ABSENT = -32768

/* `at`: the first byte of the samples that follow. */
function leadsOf(list: readonly HeadLead[], bytes: ArrayBuffer, at: number): { leads: Lead[]; end: number } {
  const leads: Lead[] = []
  for (const { name, first, count, step } of list) {
    const stored = new Int16Array(bytes, at, count)
    const samples = new Float32Array(first + count).fill(NaN, 0, first)
    for (let i = 0; i < count; i++) samples[first + i] = stored[i] === ABSENT ? NaN : stored[i] * step
    leads.push({ name, samples })
    at += 2 * count
  }
  return { leads, end: at }
}

/** Throws where the bytes are no such form. */
export function readForm(bytes: ArrayBuffer): Ecg {
  const view = new DataView(bytes)
  const words = new TextDecoder()
  if (bytes.byteLength < 16 || words.decode(new Uint8Array(bytes, 0, 8)) !== MAGIC) throw new Error('no ECG')
  const length = view.getUint32(8, true)
  const head = JSON.parse(words.decode(new Uint8Array(bytes, 16, length))) as Head
  const { leads, end } = leadsOf(head.leads, bytes, 16 + length)
  const median = head.median && { rate: head.median.rate, leads: leadsOf(head.median.leads, bytes, end).leads }
  return { ...head, leads, median: median ?? null }
}

export async function fetchEcg(file: string, signal: AbortSignal): Promise<Ecg> {
  const answer = await fetch(`/api/v1/files/${file}/ecg`, { credentials: 'same-origin', signal })
  if (!answer.ok) throw new Error(String(answer.status))
  return readForm(await answer.arrayBuffer())
}

/** What the server reads as an ECG, by the type that it found (storage/files/sniff.c). */
export const isEcg = (file: { type: string }): boolean => file.type.startsWith('application/x-ecg-')
