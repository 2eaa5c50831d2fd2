/*
 * A ZIP (APPNOTE 6.3.9) of files as they are, nothing compressed, built around them: what stands before, between and behind the files is small,
 * so that the whole is a Blob that reads them only as it is sent. The same files give the same bytes. Checksums stand behind the data, known
 * only once a file was read (general purpose bit 3); names are UTF-8 (bit 11); ZIP64 where 32 bits are not enough.
 */

export interface ZipPart {
  name: string
  size: number
  /** milliseconds since 1970 */
  modified: number
}

const FLAGS = 0x0808
const LARGE = 0xffffffff

interface Row {
  name: Uint8Array
  size: number
  at: number
  date: number
  large: boolean
}

/** Date and time as MS-DOS has them, of UTC: the same in every time zone. */
function dosTime(milliseconds: number): number {
  const date = new Date(Math.min(Math.max(milliseconds || 0, Date.UTC(1980, 0, 1)), Date.UTC(2107, 11, 31)))
  const day = ((date.getUTCFullYear() - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate()
  return day * 65536 + ((date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1))
}

class Writer {
  readonly bytes: Uint8Array<ArrayBuffer>
  private readonly view: DataView
  private at = 0
  constructor(size: number) {
    this.bytes = new Uint8Array(size)
    this.view = new DataView(this.bytes.buffer)
  }
  u16(...values: number[]): this {
    for (const value of values) this.view.setUint16((this.at += 2) - 2, value, true)
    return this
  }
  u32(...values: number[]): this {
    for (const value of values) this.view.setUint32((this.at += 4) - 4, value, true)
    return this
  }
  u64(...values: number[]): this {
    for (const value of values) this.u32(value % 4294967296, Math.floor(value / 4294967296))
    return this
  }
  raw(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.at)
    this.at += bytes.length
    return this
  }
}

export class ZipLayout {
  /** Bytes of the whole. */
  readonly size: number
  private readonly rows: Row[] = []
  private readonly directoryAt: number

  constructor(parts: ZipPart[]) {
    let at = 0
    for (const part of parts) {
      const row = {
        name: new TextEncoder().encode(part.name),
        size: part.size,
        at,
        date: dosTime(part.modified),
        large: part.size >= LARGE,
      }
      this.rows.push(row)
      at += this.headSize(row) + row.size + this.tailSize(row)
    }
    this.directoryAt = at
    this.size = at + this.rows.reduce((sum, row) => sum + this.entrySize(row), 0) + (this.needs64() ? 76 : 0) + 22
  }

  /** What stands before the data of part `i` (4.3.7). */
  head(i: number): Uint8Array<ArrayBuffer> {
    const row = this.rows[i]!
    const size = row.large ? LARGE : 0
    const out = new Writer(this.headSize(row))
      .u32(0x04034b50)
      .u16(row.large ? 45 : 20, FLAGS, 0)
      .u32(row.date, 0, size, size)
      .u16(row.name.length, row.large ? 20 : 0)
      .raw(row.name)
    if (row.large) out.u16(1, 16).u64(0, 0)
    return out.bytes
  }

  /** What stands behind them (4.3.9). */
  tail(i: number, crc: number): Uint8Array<ArrayBuffer> {
    const row = this.rows[i]!
    const out = new Writer(this.tailSize(row)).u32(0x08074b50, crc)
    return (row.large ? out.u64(row.size, row.size) : out.u32(row.size, row.size)).bytes
  }

  /** The directory (4.3.12) and what ends the file (4.3.14 to 4.3.16). */
  end(crcs: number[]): Uint8Array<ArrayBuffer> {
    const size = this.size - this.directoryAt
    const directory = size - 22 - (this.needs64() ? 76 : 0)
    const n = this.rows.length
    const out = new Writer(size)
    this.rows.forEach((row, i) => this.entry(out, row, crcs[i]!))
    if (this.needs64())
      out
        .u32(0x06064b50)
        .u64(44)
        .u16(45, 45)
        .u32(0, 0)
        .u64(n, n, directory, this.directoryAt)
        .u32(0x07064b50, 0)
        .u64(this.directoryAt + directory)
        .u32(1)
    return out
      .u32(0x06054b50)
      .u16(0, 0, Math.min(n, 0xffff), Math.min(n, 0xffff))
      .u32(Math.min(directory, LARGE), Math.min(this.directoryAt, LARGE))
      .u16(0).bytes
  }

  private entry(out: Writer, row: Row, crc: number): void {
    const wide = this.isWide(row)
    const narrow = (value: number) => (wide ? LARGE : value)
    out
      .u32(0x02014b50)
      .u16(wide ? 45 : 20, wide ? 45 : 20, FLAGS, 0)
      .u32(row.date, crc, narrow(row.size), narrow(row.size))
      .u16(row.name.length, wide ? 28 : 0, 0, 0, 0)
      .u32(0, narrow(row.at))
      .raw(row.name)
    if (wide) out.u16(1, 24).u64(row.size, row.size, row.at)
  }

  private isWide = (row: Row) => row.large || row.at >= LARGE
  private headSize = (row: Row) => 30 + row.name.length + (row.large ? 20 : 0)
  private tailSize = (row: Row) => (row.large ? 24 : 16)
  private entrySize = (row: Row) => 46 + row.name.length + (this.isWide(row) ? 28 : 0)
  private needs64 = () => this.directoryAt >= LARGE || this.rows.length >= 0xffff
}

/** The whole, which reads its files as it is read itself. */
export function zipBlob(layout: ZipLayout, files: Blob[], crcs: number[]): Blob {
  const pieces = files.flatMap((file, i) => [layout.head(i), file, layout.tail(i, crcs[i]!)])
  return new Blob([...pieces, layout.end(crcs)], { type: 'application/zip' })
}
