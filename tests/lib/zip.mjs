/* ZIP files as people and enemies make them: each entry may be told to be what it should not be. */
import { deflateRawSync } from 'node:zlib'

const TABLE = Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1
  return n
})

export function crc32(bytes) {
  let c = -1
  for (const byte of bytes) c = TABLE[(c ^ byte) & 255] ^ (c >>> 8)
  return ~c >>> 0
}

const u16 = (...values) => Buffer.concat(values.map((value) => Buffer.from(Uint16Array.of(value).buffer)))
const u32 = (...values) => Buffer.concat(values.map((value) => Buffer.from(Uint32Array.of(value).buffer)))
const u64 = (...values) => Buffer.concat(values.map((value) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer)))

/**
 * entries: [{name: text or bytes, data, deflate, method, flags, mode, crc}]. Names given as text bear the mark of UTF-8 (flag 0x800). `mode`: Unix's,
 * with the type. `large`: sizes and places in 64 bits everywhere.
 */
export function zip(entries, { large = false } = {}) {
  const pieces = []
  const directory = []
  let at = 0
  for (const entry of entries) {
    const name = Buffer.from(entry.name)
    const data = Buffer.from(entry.data ?? '')
    const packed = entry.deflate ? deflateRawSync(data) : data
    const flags = (typeof entry.name === 'string' ? 0x800 : 0) | (entry.flags ?? 0)
    const method = entry.method ?? (entry.deflate ? 8 : 0)
    const sizes = large ? [0xffffffff, 0xffffffff] : [packed.length, data.length]
    const common = [u16(flags, method), u32(0x21 << 16, entry.crc ?? crc32(data), ...sizes)]
    const extra = large ? Buffer.concat([u16(1, 16), u64(data.length, packed.length)]) : Buffer.alloc(0)
    const local = [u32(0x04034b50), u16(45), ...common, u16(name.length, extra.length), name, extra, packed]
    const wide = large ? Buffer.concat([u16(1, 24), u64(data.length, packed.length, at)]) : extra
    directory.push(
      u32(0x02014b50),
      u16(0x032d, 45),
      ...common,
      u16(name.length, wide.length, 0, 0, 0),
      u32(((entry.mode ?? 0o100644) << 16) >>> 0, large ? 0xffffffff : at),
      name,
      wide,
    )
    pieces.push(...local)
    at += local.reduce((sum, piece) => sum + piece.length, 0)
  }
  const list = Buffer.concat(directory)
  const n = entries.length
  const end64 = large
    ? [
        u32(0x06064b50),
        u64(44),
        u16(45, 45),
        u32(0, 0),
        u64(n, n, list.length, at),
        u32(0x07064b50, 0),
        u64(at + list.length),
        u32(1),
      ]
    : []
  const end = [u32(0x06054b50), u16(0, 0, Math.min(n, 0xffff), Math.min(n, 0xffff))]
  const place = large ? [0xffffffff, 0xffffffff] : [list.length, at]
  return Buffer.concat([...pieces, list, ...end64, ...end, u32(...place), u16(0)])
}
