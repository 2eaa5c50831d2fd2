// 8-bit RGB as PNG, written and read, so that pixels can be compared. Node's own modules only.
import { deflateSync, inflateSync, crc32 } from 'node:zlib'

/* zlib's own where Node has it (22). */
const table = Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1
  return n >>> 0
})
const crc = (bytes) => crc32?.(bytes) ?? (bytes.reduce((c, byte) => table[(c ^ byte) & 255] ^ (c >>> 8), ~0) ^ ~0) >>> 0

function chunk(name, bytes) {
  const out = Buffer.alloc(bytes.length + 12)
  out.writeUInt32BE(bytes.length)
  out.write(name, 4, 'latin1')
  bytes.copy(out, 8)
  out.writeUInt32BE(crc(out.subarray(4, -4)), bytes.length + 8)
  return out
}

/** `picture`: {width, height, rgb}. */
export function write({ width, height, rgb }) {
  const lines = Buffer.alloc(height * (3 * width + 1))
  for (let y = 0; y < height; y++)
    Buffer.from(rgb.buffer, rgb.byteOffset + 3 * width * y, 3 * width).copy(lines, y * (3 * width + 1) + 1)
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width)
  head.writeUInt32BE(height, 4)
  head.set([8, 2], 8)
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function paeth(a, b, c) {
  const p = a + b - c,
    [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)]
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c
}

/** RGB or RGBA (its colours), not interlaced. */
export function read(bytes) {
  const parts = []
  let width, height, step
  for (let at = 8; at < bytes.length; at += bytes.readUInt32BE(at) + 12) {
    const name = bytes.toString('latin1', at + 4, at + 8),
      body = bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at))
    if (name === 'IHDR') {
      ;[width, height, step] = [body.readUInt32BE(0), body.readUInt32BE(4), body[9] === 6 ? 4 : 3]
      if (body[8] !== 8 || (body[9] !== 2 && body[9] !== 6)) throw new Error('no 8-bit RGB')
    }
    if (name === 'IDAT') parts.push(body)
  }
  const raw = inflateSync(Buffer.concat(parts)),
    rgb = new Uint8Array(width * height * 3)
  let before = new Uint8Array(width * step)
  for (let y = 0, at = 0; y < height; y++) {
    const filter = raw[at++],
      line = new Uint8Array(width * step)
    for (let i = 0; i < line.length; i++) {
      const [a, b, c] = [i >= step ? line[i - step] : 0, before[i], i >= step ? before[i - step] : 0]
      line[i] = raw[at++] + [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter]
    }
    for (let x = 0; x < width; x++) for (let k = 0; k < 3; k++) rgb[3 * (y * width + x) + k] = line[step * x + k]
    before = line
  }
  return { width, height, rgb }
}

/** Peak signal-to-noise ratio in dB; 99 for the same. */
export function likeness(a, b) {
  if (a.width !== b.width || a.height !== b.height)
    throw new Error(`${a.width}×${a.height} is not ${b.width}×${b.height}`)
  const sum = a.rgb.reduce((all, value, i) => all + (value - b.rgb[i]) ** 2, 0)
  return sum ? 10 * Math.log10((255 ** 2 * a.rgb.length) / sum) : 99
}
