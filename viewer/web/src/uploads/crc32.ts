/* CRC-32 of ISO 3309, as ZIP has it, of data that comes piece by piece; four bytes at a time. */
const TABLES = [0, 1, 2, 3].map(() => new Int32Array(256))
for (let n = 0; n < 256; n++) {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
  TABLES[0]![n] = c
}
for (let k = 1; k < 4; k++)
  for (let n = 0; n < 256; n++) {
    const before = TABLES[k - 1]![n]!
    TABLES[k]![n] = (before >>> 8) ^ TABLES[0]![before & 255]!
  }
const [T0, T1, T2, T3] = TABLES as [Int32Array, Int32Array, Int32Array, Int32Array]

export class Crc32 {
  private state = -1

  update(bytes: Uint8Array): this {
    let c = this.state
    let at = 0
    for (; at + 4 <= bytes.length; at += 4) {
      c ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
      c = T3[c & 255]! ^ T2[(c >>> 8) & 255]! ^ T1[(c >>> 16) & 255]! ^ T0[c >>> 24]!
    }
    for (; at < bytes.length; at++) c = (c >>> 8) ^ T0[(c ^ bytes[at]!) & 255]!
    this.state = c
    return this
  }

  value(): number {
    return ~this.state >>> 0
  }
}
