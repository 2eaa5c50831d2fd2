// One camera in three layers up to 3840 × 2160 (VP8), and one of 4K alone (H.264): real encoded frames, listeners who want 4K,
// 2K and SD. Every frame that arrives is compared with the file's, and what a listener saved decodes again.
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, check, equal, finish } from '../lib/check.mjs'
import { root } from '../lib/server.mjs'

const dir = mkdtempSync(join(tmpdir(), 'consilium-wide-'))
const at = (name) => join(dir, name)
const FRAMES = 24,
  SECONDS = 2

// ---- clips ----

function encode() {
  const raw = (width, height) => `video/x-raw,format=I420,width=${width},height=${height}`
  const vp8 = (kbps, file) =>
    `vp8enc deadline=1 cpu-used=16 threads=2 keyframe-max-dist=300 target-bitrate=${kbps}000 ! avmux_ivf ! filesink location=${at(file)}`
  const h264 = (file) =>
    `x264enc speed-preset=ultrafast tune=zerolatency key-int-max=300 bitrate=6000 ! video/x-h264,stream-format=byte-stream,profile=constrained-baseline ! filesink location=${at(file)}`
  const scaled = (width, height, file, kbps) =>
    `t. ! queue ! videoscale method=0 ! ${raw(width, height)} ! ${vp8(kbps, file)}`
  const line = `videotestsrc num-buffers=${FRAMES} pattern=smpte75 horizontal-speed=6 ! ${raw(3840, 2160)},framerate=30/1 ! tee name=t
    t. ! queue ! ${vp8(6000, '4k.ivf')} ${scaled(2560, 1440, '2k.ivf', 3000)} ${scaled(640, 360, 'sd.ivf', 600)} t. ! queue ! ${h264('4k.h264')}`
  execFileSync('gst-launch-1.0', ['-q', ...line.split(/\s+/)], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 120000,
  })
}

// Width, height and number of the first frames that a file decodes to, one clip's length of them.
function decoded(file, parser, decoder) {
  const out = execFileSync(
    'gst-launch-1.0',
    [
      '-v',
      'filesrc',
      `location=${at(file)}`,
      '!',
      parser,
      '!',
      decoder,
      '!',
      'fakesink',
      'name=end',
      'silent=false',
      `num-buffers=${FRAMES}`,
    ],
    { encoding: 'utf8', timeout: 120000, maxBuffer: 64 << 20 },
  )
  const size = /end\.GstPad:sink: caps = video\/x-raw.*?width=\(int\)(\d+), height=\(int\)(\d+)/.exec(out)
  return {
    width: Number(size?.[1]),
    height: Number(size?.[2]),
    frames: (out.match(/chain +\*+ \(end:sink\)/g) ?? []).length,
  }
}

// ---- the room ----

function load(media, ...more) {
  const args = [
    '--scene',
    'lecture',
    '--video',
    '1',
    '--json',
    '--seconds',
    String(SECONDS),
    '--warm',
    '25',
    '--server-cpu',
    '-1',
    '--load-cpu',
    '-1',
    '--media',
    media.map(at).join(','),
    ...more,
  ]
  return new Promise((done) => {
    execFile(join(root, 'build/release/bench/bench-load'), args, { timeout: 90000 }, (error, stdout, stderr) => {
      if (stderr) console.log(stderr)
      try {
        done(JSON.parse(stdout))
      } catch {
        done({ failed: `${error}` })
      }
    })
  })
}

const whole = (result) =>
  equal(
    ['frames_altered', 'frames_missing', 'frames_cut', 'lost', 'clean'].map((key) => result[key]),
    [0, 0, 0, 0, true],
    JSON.stringify(result),
  )
const rate = (frames, what) =>
  assert(Math.abs(frames / SECONDS - 30) <= 1.5, `${what}: ${frames} frames in ${SECONDS} s`)

encode()
const [three, one] = await Promise.all([
  load(
    ['sd.ivf', '2k.ivf', '4k.ivf'],
    '--voice',
    '6',
    '--tiers',
    '4k,2k,sd',
    '--ceiling',
    '2k',
    '--save',
    at('got.ivf'),
  ),
  load(['4k.h264'], '--voice', '3', '--tiers', '4k,2k,sd', '--save', at('got.h264')),
])
const of = (result, tier) => (result.listeners ?? []).filter((listener) => listener.tier === tier)

await check('three layers: every frame of 4K, 2K and SD comes unaltered, 30 a second, to who wants that tier', () => {
  whole(three)
  for (const [tier, height] of [
    ['4k', 2160],
    ['2k', 1440],
    ['sd', 360],
  ]) {
    equal(of(three, tier).length, 2, `listeners of ${tier}`)
    for (const listener of of(three, tier)) {
      equal(listener.slot, 'live', tier)
      rate(listener.frames_seen[height], tier)
      for (const [other, seen] of Object.entries(listener.frames_seen))
        if (Number(other) !== height) equal(seen, 0, `${tier}: frames of ${other}`)
    }
  }
})
await check('a ceiling of 2K set by the host ends the 4K layer within a second, and 2K comes instead', () => {
  assert(three.ceiling_ms >= 0 && three.ceiling_ms <= 1000, `4K came for ${three.ceiling_ms} ms`)
  equal(three.ceiling_slot, 'live', 'slot')
  assert(three.ceiling_frames?.[1440] >= 30, `2K: ${JSON.stringify(three.ceiling_frames)}`)
})
await check('4K alone: every frame comes unaltered to who wants 4K; for the others the slot says `limit`', () => {
  whole(one)
  for (const listener of of(one, '4k')) rate(listener.frames_seen[2160], '4k')
  equal(of(one, '4k').length, 1, 'listeners')
  for (const tier of ['2k', 'sd'])
    equal(
      of(one, tier).map((listener) => [listener.slot, listener.frames_seen[2160]]),
      [['limit', 0]],
      tier,
    )
})
await check('what was received decodes to 3840 × 2160, frame for frame', () => {
  equal(decoded('got.ivf', 'ivfparse', 'vp8dec'), { width: 3840, height: 2160, frames: FRAMES }, 'VP8')
  equal(decoded('got.h264', 'h264parse', 'avdec_h264'), { width: 3840, height: 2160, frames: FRAMES }, 'H.264')
})
rmSync(dir, { recursive: true, force: true })
finish()
