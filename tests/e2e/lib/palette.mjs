// A screenshot as a PNG of 256 colours, a third of the size: for pictures in the documentation.
import { deflateSync } from 'node:zlib'
import { readPng } from './canvas.mjs'

/** Median cut over the colours, five bits of each: [r, g, b] of every box's mean, and the box of every colour. */
function palette(counts) {
  const boxes = [
    [...counts.entries()].map(([key, n]) => ({
      key,
      n,
      c: [(key >> 10) << 3, ((key >> 5) & 31) << 3, (key & 31) << 3],
    })),
  ]
  const spread = (box) =>
    [0, 1, 2].map((i) => {
      let lo = 255,
        hi = 0
      for (const { c } of box) {
        lo = Math.min(lo, c[i])
        hi = Math.max(hi, c[i])
      }
      return hi - lo
    })
  const weigh = (box) => (box.length < 2 ? -1 : Math.max(...spread(box)) * Math.cbrt(box.reduce((a, b) => a + b.n, 0)))
  const weights = boxes.map(weigh)
  while (boxes.length < 256) {
    const at = weights.indexOf(Math.max(...weights))
    if (weights[at] < 0) break
    const box = boxes[at],
      wide = spread(box),
      axis = wide.indexOf(Math.max(...wide))
    box.sort((a, b) => a.c[axis] - b.c[axis])
    const half = box.reduce((a, b) => a + b.n, 0) / 2
    let sum = 0,
      cut = 0
    while (cut < box.length - 1 && sum < half) sum += box[cut++].n
    boxes[at] = box.slice(0, cut)
    boxes.push(box.slice(cut))
    weights[at] = weigh(boxes[at])
    weights.push(weigh(boxes[boxes.length - 1]))
  }
  return boxes
}

const CRC = Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1
  return n >>> 0
})
function chunk(type, bytes) {
  const out = Buffer.alloc(12 + bytes.length)
  out.writeUInt32BE(bytes.length, 0)
  out.write(type, 4, 'latin1')
  bytes.copy(out, 8)
  let c = 0xffffffff
  for (const b of out.subarray(4, 8 + bytes.length)) c = CRC[(c ^ b) & 255] ^ (c >>> 8)
  out.writeUInt32BE((c ^ 0xffffffff) >>> 0, 8 + bytes.length)
  return out
}

export function smallPng(bytes) {
  const { width, height, channels, data } = readPng(bytes),
    counts = new Map()
  const keyAt = (i) => ((data[i] >> 3) << 10) | ((data[i + 1] >> 3) << 5) | (data[i + 2] >> 3)
  for (let i = 0; i < data.length; i += channels) {
    const k = keyAt(i)
    counts.set(k, (counts.get(k) || 0) + 1)
  }
  const boxes = palette(counts),
    boxOf = new Map(),
    sums = boxes.map(() => [0, 0, 0, 0]),
    raw = Buffer.alloc(height * (width + 1))
  boxes.forEach((box, b) => {
    for (const { key } of box) boxOf.set(key, b)
  })
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = (y * width + x) * channels,
        b = boxOf.get(keyAt(i)),
        s = sums[b]
      s[0] += data[i]
      s[1] += data[i + 1]
      s[2] += data[i + 2]
      s[3]++
      raw[y * (width + 1) + 1 + x] = b
    }
  const colours = Buffer.from(sums.flatMap(([r, g, b, n]) => [r / n, g / n, b / n].map(Math.round)))
  const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 3, 0, 0, 0])
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  return Buffer.concat([
    bytes.subarray(0, 8),
    chunk('IHDR', head),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(raw, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
