// Known pictures and tones: what a browser sends is a file of ours, so that what arrives can be judged.
import { openSync, writeSync, closeSync } from 'node:fs'

/** Cells of the drawn frame counter: 12 bits in a row at the bottom, white = 1, most significant first, with a black and a white cell before them. */
export const COUNTER_BITS = 12
export const PERIOD = 300

const COLOURS = {
  red: [200, 40, 40],
  green: [40, 170, 60],
  blue: [50, 80, 210],
  yellow: [210, 190, 40],
  violet: [150, 60, 180],
  cyan: [40, 180, 190],
}
export const colourNames = Object.keys(COLOURS)
export const colourOf = (name) => COLOURS[name]

function yuv([r, g, b]) {
  const clamp = (v) => Math.max(16, Math.min(240, Math.round(v)))
  return [
    clamp(16 + 0.257 * r + 0.504 * g + 0.098 * b),
    clamp(128 - 0.148 * r - 0.291 * g + 0.439 * b),
    clamp(128 + 0.439 * r - 0.368 * g - 0.071 * b),
  ]
}

/** Where the cells lie, as shares of the picture: also used by the reader in the page. */
export const CELLS = { left: 0.02, top: 0.8, width: 0.96, height: 0.16, count: COUNTER_BITS + 2 }

/** A Y4M file (Chromium's --use-file-for-fake-video-capture), played in a loop: one colour, the frame's number drawn below; `noise` (0…1) makes it costly to encode. */
export function writeY4m(path, { colour, width = 640, height = 360, fps = 15, frames = PERIOD, noise = 0 }) {
  const fd = openSync(path, 'w')
  const [cy, cu, cv] = yuv(COLOURS[colour])
  const luma = Buffer.alloc(width * height, cy)
  const cu_ = Buffer.alloc((width / 2) * (height / 2), cu)
  const cv_ = Buffer.alloc((width / 2) * (height / 2), cv)
  const y0 = Math.round(height * CELLS.top),
    y1 = Math.round(height * (CELLS.top + CELLS.height))
  // the counter's band has no colour, so that chroma subsampling cannot blur it
  for (let y = y0 >> 1; y < y1 >> 1; y++) {
    cu_.fill(128, y * (width / 2), (y + 1) * (width / 2))
    cv_.fill(128, y * (width / 2), (y + 1) * (width / 2))
  }
  // a strip of noise, from which every frame takes another piece: cheap to write, dear to encode
  const grain = Buffer.alloc(noise ? width * height * 2 : 0)
  let random = 1
  for (let i = 0; i < grain.length; i++) {
    random = (random * 1103515245 + 12345) & 0x7fffffff
    grain[i] = cy + (((random >> 16) % 61) - 30) * noise
  }
  writeSync(fd, `YUV4MPEG2 W${width} H${height} F${fps}:1 Ip A1:1 C420jpeg\n`)
  for (let n = 0; n < frames; n++) {
    if (noise)
      grain.copy(luma, 0, (n * 7919 * 13) % (width * height), ((n * 7919 * 13) % (width * height)) + width * y0)
    for (let cell = 0; cell < CELLS.count; cell++) {
      const on = cell === 0 ? false : cell === 1 ? true : (n >> (COUNTER_BITS - 1 - (cell - 2))) & 1
      const x0 = Math.round(width * (CELLS.left + (CELLS.width * cell) / CELLS.count))
      const x1 = Math.round(width * (CELLS.left + (CELLS.width * (cell + 1)) / CELLS.count))
      for (let y = y0; y < y1; y++) luma.fill(on ? 235 : 16, y * width + x0, y * width + x1)
    }
    writeSync(fd, 'FRAME\n')
    writeSync(fd, luma)
    writeSync(fd, cu_)
    writeSync(fd, cv_)
  }
  closeSync(fd)
}

/** A WAV file (--use-file-for-fake-audio-capture), played in a loop: a tone warbled ±4 % five times a second, swelling, so that noise suppression takes it for no noise. */
export function writeTone(path, frequency, seconds = 10, rate = 48000) {
  const n = rate * seconds
  const data = Buffer.alloc(44 + n * 2)
  data.write('RIFF', 0)
  data.writeUInt32LE(36 + n * 2, 4)
  data.write('WAVEfmt ', 8)
  data.writeUInt32LE(16, 16)
  data.writeUInt16LE(1, 20)
  data.writeUInt16LE(1, 22)
  data.writeUInt32LE(rate, 24)
  data.writeUInt32LE(rate * 2, 28)
  data.writeUInt16LE(2, 32)
  data.writeUInt16LE(16, 34)
  data.write('data', 36)
  data.writeUInt32LE(n * 2, 40)
  let phase = 0
  for (let i = 0; i < n; i++) {
    const t = i / rate
    phase += (2 * Math.PI * frequency * (1 + 0.04 * Math.sin(2 * Math.PI * 5 * t))) / rate
    const swell = 0.35 + 0.25 * Math.sin(2 * Math.PI * 2 * t)
    data.writeInt16LE(Math.round(32000 * swell * Math.sin(phase)), 44 + i * 2)
  }
  const fd = openSync(path, 'w')
  writeSync(fd, data)
  closeSync(fd)
}
