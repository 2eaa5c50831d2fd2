/* Frames of images as their stored values: fetched from where somebody looks outwards, kept within a bound, given up when he leaves. */
import type { Image } from './study'

export type Stored = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array

const AT_ONCE = 4
const MOST_BYTES = 512 << 20

/** The frame's bytes as numbers; throws when there are too few. */
export function numbersOf(bytes: ArrayBuffer, image: Image): Stored {
  const count = image.rows * image.columns * image.samples
  if (bytes.byteLength < count * image.bytes) throw new Error('a frame is shorter than its image')
  if (image.bytes === 1) return image.signed ? new Int8Array(bytes, 0, count) : new Uint8Array(bytes, 0, count)
  if (image.bytes === 2) return image.signed ? new Int16Array(bytes, 0, count) : new Uint16Array(bytes, 0, count)
  return image.signed ? new Int32Array(bytes, 0, count) : new Uint32Array(bytes, 0, count)
}

/** Places of a list of `count`, from `at` outwards. */
export function outwards(count: number, at: number): number[] {
  const order: number[] = []
  for (let away = 0; order.length < count; away++) {
    if (away > 0 && at - away >= 0) order.push(at - away)
    if (at + away < count) order.push(at + away)
  }
  return order
}

export class Frames {
  /** How many of the stack are there, and something came or failed. */
  onChange: () => void = () => undefined
  private images: readonly Image[] = []
  private readonly kept = new Map<string, Stored>()
  private readonly failed = new Set<string>()
  private readonly coming = new Map<string, AbortController>()
  private bytes = 0
  private at = 0

  constructor(private readonly load: (address: string, signal: AbortSignal) => Promise<ArrayBuffer> = fetched) {}

  /** From now on this stack is wanted, first what lies about `at`. */
  want(images: readonly Image[], at: number): void {
    if (images !== this.images) {
      const wanted = new Set(images.map(({ address }) => address))
      for (const [address, stop] of this.coming) if (!wanted.has(address)) stop.abort()
      this.failed.clear()
      this.images = images
    }
    this.at = at
    this.fetchMore()
  }

  get(image: Image): Stored | undefined {
    const found = this.kept.get(image.address)
    if (found) {
      // the latest used is the last to go
      this.kept.delete(image.address)
      this.kept.set(image.address, found)
    }
    return found
  }
  hasFailed(image: Image): boolean {
    return this.failed.has(image.address)
  }
  here(): number {
    return this.images.filter(({ address }) => this.kept.has(address)).length
  }

  close(): void {
    for (const stop of this.coming.values()) stop.abort()
    this.images = []
    this.kept.clear()
    this.bytes = 0
  }

  private fetchMore(): void {
    const size = (image: Image) => image.rows * image.columns * image.samples * image.bytes
    const room = Math.max(1, Math.floor(MOST_BYTES / Math.max(1, size(this.images[this.at] ?? ({ rows: 1 } as Image)))))
    for (const place of outwards(this.images.length, this.at).slice(0, room)) {
      if (this.coming.size >= AT_ONCE) return
      const image = this.images[place] as Image
      const { address } = image
      if (!this.kept.has(address) && !this.coming.has(address) && !this.failed.has(address)) void this.fetchOne(image)
    }
  }

  private async fetchOne(image: Image): Promise<void> {
    const stop = new AbortController()
    this.coming.set(image.address, stop)
    try {
      this.keep(image.address, numbersOf(await this.load(image.address, stop.signal), image))
    } catch {
      if (!stop.signal.aborted) this.failed.add(image.address)
    }
    this.coming.delete(image.address)
    this.onChange()
    if (this.images.length) this.fetchMore()
  }

  private keep(address: string, stored: Stored): void {
    this.kept.set(address, stored)
    this.bytes += stored.byteLength
    for (const [old, values] of this.kept) {
      if (this.bytes <= MOST_BYTES || old === address) break
      this.kept.delete(old)
      this.bytes -= values.byteLength
    }
  }
}

/* Decoded by the server, whatever the file holds: native pixels, Explicit VR Little Endian. */
async function fetched(address: string, signal: AbortSignal, tries = 6): Promise<ArrayBuffer> {
  const answer = await fetch(address, {
    headers: { Accept: 'application/octet-stream' },
    credentials: 'same-origin',
    cache: 'no-store',
    signal,
  })
  if (answer.status === 503 && tries > 0) {
    // all readers are busy with others' images
    await new Promise((done) => setTimeout(done, 300))
    return fetched(address, signal, tries - 1)
  }
  if (!answer.ok) throw new Error(String(answer.status))
  return answer.arrayBuffer()
}
