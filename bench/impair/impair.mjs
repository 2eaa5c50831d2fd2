// Calls over bad networks in Chromium, measured: `loss-5` and `downlink-cut`. Prints JSON lines {name, goal, measured, unit, ok, samples}.
// node bench/impair/impair.mjs [--only loss-5|downlink-cut] [--seconds 60] [--json FILE]
import { writeFileSync } from 'node:fs'
import { Call, cutDownlink, follow, lipSync, makeLarge } from '../../tests/e2e/lib/impaired.mjs'
import { option, sleep } from '../../tests/lib/check.mjs'

const SECONDS = Number(option('seconds', 60)),
  only = option('only')
const rows = []
const row = (name, goal, measured, unit, ok, samples) => rows.push({ name, goal, measured, unit, ok, samples })
const small = { width: 320, height: 180, fps: 5, frames: 50 }

/** 5 % loss both ways at a round trip of 80 ms, for sender and receiver alike. */
async function loss() {
  const call = new Call('bench-impair'),
    line = { delay_ms: 40, loss: 0.05 }
  try {
    await call.begin(
      [
        { name: 'red', username: 'doctor01', studio: { width: 640, height: 360, fps: 15, hue: 200 } },
        { name: 'green', username: 'expert01', camera: small },
      ],
      { both: { delay_ms: 40 } },
    )
    const { red, green } = call
    await makeLarge(green, red)
    await call.lines({ both: line })
    await sleep(10000)
    const r = await follow(green, red, SECONDS),
      sync = await lipSync(green, red, 10)
    row('loss-5', 99, r.percent, '% of encoded frames seen', r.percent >= 99, [r])
    row('loss-5-freeze', 500, r.freeze_ms, 'ms', r.freeze_ms <= 500, [r.freeze_ms])
    row(
      'loss-5-lip-sync',
      80,
      Math.abs(sync.ms),
      'ms',
      sync.samples.length > 4 && Math.abs(sync.ms) <= 80,
      sync.samples,
    )
  } finally {
    await call.end()
  }
}

/** Downlink 4 → 1 → 4 Mbit/s before a queue of 500 ms. */
async function cut() {
  const call = new Call('bench-impair')
  try {
    await call.begin(
      [
        {
          name: 'red',
          username: 'doctor01',
          tone: 600,
          camera: { width: 1280, height: 720, fps: 30, frames: 90, noise: 0.5 },
        },
        { name: 'green', username: 'expert01', camera: small },
      ],
      { both: { delay_ms: 10 } },
    )
    await makeLarge(call.green, call.red)
    await call.settle(call.green, call.red, 720)
    const r = await cutDownlink(call.green, call.red, { cutSeconds: 15, backSeconds: 20 })
    row('downlink-cut', 3, r.settle_s, 's', r.settle_s <= 3 && r.low === 360, [r])
    row('downlink-cut-back', 10, r.back_s, 's', r.back_s <= 10 && r.after === 720, [r.heights])
    row('downlink-cut-audio', 0, r.audio_gaps_ms, 'ms made up', r.audio_gaps_ms <= 100, [
      r.cut_gaps_ms,
      r.audio_gaps_ms,
    ])
  } finally {
    await call.end()
  }
}

for (const [name, run] of [
  ['loss-5', loss],
  ['downlink-cut', cut],
]) {
  if (only && only !== name) continue
  try {
    await run()
  } catch (e) {
    row(name, null, null, '', false, [String(e)])
  }
}
const text = JSON.stringify(rows, null, 1)
console.log(text)
if (option('json')) writeFileSync(option('json'), text)
process.exit(rows.every((r) => r.ok) ? 0 : 1)
