// Numbered pictures: drawn for a publisher, read where a player decoded them; and GStreamer's encoder and decoder for clients that only carry packets.
import { spawn } from 'node:child_process'

export const WIDTH = 320
export const HEIGHT = 180
export const FPS = 15
const LUMA = WIDTH * HEIGHT
const TAKE_BITS = 6
const COUNT_BITS = 10
const BITS = TAKE_BITS + COUNT_BITS
/** Two rows of cells in the lower half: the number, white is 1, most significant first, and its opposite, so that what is not whole is no number. */
const ROWS = [110, 145]
const ROW_HEIGHT = 35
const cellWidth = WIDTH / BITS

/** Of a film: which take it is (0…63) and which picture of it (0…1023). */
const numberOf = (take, count) => (take << COUNT_BITS) | count

/** I420: grey, above a field of squares that change in every picture, so that each has some packets. */
export function draw(take, count) {
  const picture = Buffer.alloc((LUMA * 3) / 2, 128)
  let random = count * 7919 + take + 1
  for (let y = 0; y < 96; y += 8)
    for (let x = 0; x < WIDTH; x += 8) {
      random = (random * 1103515245 + 12345) & 0x7fffffff
      const grey = 80 + ((random >> 16) % 96)
      for (let line = y; line < y + 8; line++) picture.fill(grey, line * WIDTH + x, line * WIDTH + x + 8)
    }
  const number = numberOf(take, count)
  ROWS.forEach((top, row) => {
    for (let cell = 0; cell < BITS; cell++) {
      const on = ((number >> (BITS - 1 - cell)) & 1) ^ row
      for (let y = top; y < top + ROW_HEIGHT; y++)
        picture.fill(on ? 235 : 16, y * WIDTH + cell * cellWidth, y * WIDTH + (cell + 1) * cellWidth)
    }
  })
  return picture
}

/** {take, count} of a decoded picture's luma, null where it cannot be read. */
export function read(luma) {
  let number = 0
  for (let cell = 0; cell < BITS; cell++) {
    const x = Math.floor((cell + 0.5) * cellWidth)
    const [a, b] = ROWS.map((top) => luma[(top + (ROW_HEIGHT >> 1)) * WIDTH + x])
    if (Math.abs(a - b) < 80) return null
    number = (number << 1) | (a > b ? 1 : 0)
  }
  return { take: number >> COUNT_BITS, count: number & ((1 << COUNT_BITS) - 1) }
}

const ENCODER = {
  vp8: 'vp8enc deadline=1 cpu-used=8 target-bitrate=500000 keyframe-max-dist=15 ! rtpvp8pay pt=96',
  vp9: 'vp9enc deadline=1 cpu-used=8 target-bitrate=500000 keyframe-max-dist=15 ! rtpvp9pay pt=96',
  h264: 'x264enc tune=zerolatency speed-preset=ultrafast bitrate=500 key-int-max=15 ! video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 aggregate-mode=zero-latency pt=96',
}
const DECODER = {
  vp8: 'rtpvp8depay ! vp8dec',
  vp9: 'rtpvp9depay ! vp9dec',
  h264: 'rtph264depay ! h264parse ! avdec_h264',
}

function gst(pipeline, log) {
  return spawn('gst-launch-1.0', ['-q', ...pipeline.split(' ')], { stdio: ['pipe', 'pipe', log] })
}

/** Pictures in, RTP packets out, each with its length before it (RFC 4571). Key frames once a second. */
export const encoder = (codec, log) =>
  gst(
    `fdsrc fd=0 ! rawvideoparse format=i420 width=${WIDTH} height=${HEIGHT} framerate=${FPS}/1 ! ${ENCODER[codec]} mtu=1200 ! rtpstreampay ! fdsink fd=1 sync=false`,
    log,
  )

/** The way back; what comes late, repeated by the server on a busy machine, still counts. Luma alone comes out. */
export const decoder = (codec, log) =>
  gst(
    `fdsrc fd=0 ! application/x-rtp-stream,media=video,clock-rate=90000,encoding-name=${codec.toUpperCase()} ! rtpstreamdepay ! rtpjitterbuffer latency=1500 ! ${DECODER[codec]} ! videoconvert ! videoscale ! video/x-raw,format=GRAY8,width=${WIDTH},height=${HEIGHT} ! fdsink fd=1 sync=false`,
    log,
  )

/** Calls `seen` with every picture that can be read from a stream of luma. */
export function watch(stream, seen) {
  let rest = Buffer.alloc(0)
  stream.on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes])
    for (; rest.length >= LUMA; rest = rest.subarray(LUMA)) {
      const number = read(rest)
      if (number) seen(number)
    }
  })
}
