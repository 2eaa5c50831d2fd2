// Records what passes the relay (bench-impair-relay --record) in real calls, and keeps what estimator and load generator need of it.
// node bench/impair/record.mjs camera|clean|step|loss|wireless|jitter|overtaking [--browser chromium|firefox] [--seconds N] [--out FILE] [--keep]
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Call, encodings, makeLarge } from '../../tests/e2e/lib/impaired.mjs'
import { Namespace } from '../../tests/e2e/lib/browsers.mjs'
import { option, sleep } from '../../tests/lib/check.mjs'

const [what] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'consilium-record-'))
const small = { width: 320, height: 180, fps: 5, frames: 50 }
const TAG = 16 // bytes behind the payload, AEAD_AES_128_GCM (RFC 7714)

/** The record's lines as objects, commands among them. */
function read(path) {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const w = line.split(' ')
      if (w[0] === '#') return { command: w.slice(2).join(' '), arrived: Number(w[1]) }
      const [, , arrived, , size, , header, pt, marker, ssrc, seq, ts] = w.map(Number)
      return {
        direction: w[0],
        arrived,
        left: w[3] === 'lost' || w[3] === 'dropped' ? null : Number(w[3]),
        size,
        kind: w[5],
        header,
        pt,
        marker,
        ssrc,
        seq,
        ts,
      }
    })
}

/** What lies between the two marks. */
function between(list) {
  const [from, to] = list.filter((p) => p.command?.includes('"counts"')).map((p) => p.arrived)
  return list.filter((p) => p.arrived >= from && p.arrived < to)
}

const mark = (line) => line.set({ counts: true })
const WIDTH = 4000,
  delay_ms = 20
/** What the viewer's line does, in turn: [seconds, shape]. */
const LINES = {
  clean: [[15, { both: { delay_ms, rate_kbps: WIDTH } }]],
  step: [
    [6, { both: { delay_ms, rate_kbps: WIDTH } }],
    [10, { down: { delay_ms, rate_kbps: 1000 } }],
    [12, { down: { delay_ms, rate_kbps: WIDTH } }],
  ],
  loss: [[20, { both: { delay_ms: 40, loss: 0.05 } }]],
  wireless: [[20, { both: { delay_ms, jitter_ms: 15, burst_enter: 0.005, burst_leave: 0.2, burst_loss: 0.8 } }]],
  jitter: [[20, { both: { delay_ms: 100, jitter_ms: 80 } }]],
  overtaking: [[12, { both: { delay_ms: 100, jitter_ms: 40, jitter_reorders: true } }]],
}

/** Packets of a 720p camera on their way to the server, as they reached the relay. */
async function camera(seconds) {
  const path = join(folder, 'record.txt'),
    call = new Call('record')
  try {
    await call.begin(
      [
        {
          name: 'red',
          username: 'doctor01',
          quality: 'hd',
          record: path,
          camera: { width: 1280, height: 720, fps: 30, frames: 90, noise: Number(option('noise', 0.5)) },
        },
        { name: 'green', username: 'expert01', camera: small },
      ],
      {},
    )
    const { red, green } = call
    await makeLarge(green, red)
    await call.settle(green, red, 720)
    await sleep(10000)
    await mark(red.line)
    const before = await encodings(red)
    await sleep(seconds * 1000)
    await mark(red.line)
    const layers = await encodings(red),
      layer = layers.find((r) => r.frameHeight === 720),
      was = before.find((r) => r.ssrc === layer.ssrc)
    for (const r of layers)
      console.error(
        `${r.rid} ${r.frameWidth}x${r.frameHeight} ${r.framesPerSecond} frames/s, limited by ${r.qualityLimitationReason}`,
      )
    await red.line.counts()
    call.people.forEach((p) => p.line.close())
    await sleep(500)
    const packets = between(read(path)).filter((p) => p.direction === 'up' && p.kind === 'rtp' && p.ssrc === layer.ssrc)
    const first = packets.findIndex((p, i) => i && p.ts !== packets[i - 1].ts) // a whole frame
    const last = packets.findLastIndex((p) => p.marker)
    const kept = packets.slice(first, last + 1),
      zero = kept[0]
    const bits = kept.reduce((sum, p) => sum + 8 * (p.size - p.header - TAG), 0),
      length = (kept.at(-1).arrived - zero.arrived) / 1e6
    const frames = new Set(kept.map((p) => p.ts)).size
    const head = `# ${new Date().toISOString().slice(0, 10)}, ${(await red.eval('navigator.userAgent')).match(/Chrome\S*/)[0]}: ${layer.frameWidth}x${layer.frameHeight}, ${frames} frames and ${kept.length} packets in ${length.toFixed(1)} s, ${Math.round(bits / length / 1000)} kbit/s; keys ${layer.keyFramesEncoded - was.keyFramesEncoded}`
    return [
      head,
      ...kept.map((p) => `${p.arrived - zero.arrived} ${p.size - p.header - TAG} ${(p.ts - zero.ts) >>> 0}`),
      '',
    ].join('\n')
  } finally {
    await call.end()
  }
}

const TWCC = (p) => p.kind === 'rtcp' && p.header === 205 && p.pt === 15

/** Retransmissions in a row for which nobody asked are a probe (media/forward/probe.c): at least so many, no further apart. */
const PROBE_PACKETS = 4,
  PROBE_GAP_US = 12000,
  ANSWER_US = 5000
function findProbes(list, sent, repeats) {
  // a NACK may stand behind a report in its packet
  const asked = list
    .filter((p) => p.direction === 'up' && p.kind === 'rtcp' && !TWCC(p) && p.left !== null)
    .map((p) => p.left)
  let run = []
  const judge = () => {
    if (run.length >= PROBE_PACKETS) for (const p of run) p.probe = true
    run = []
  }
  for (const p of sent.filter(
    (q) => repeats.has(q.pt) && !asked.some((at) => at <= q.arrived + 200 && at + ANSWER_US > q.arrived),
  )) {
    if (run.length && p.arrived - run.at(-1).arrived > PROBE_GAP_US) judge()
    run.push(p)
  }
  judge()
}

const units = (us) => Math.round(us / 100)

/** What the server sent to the viewer and what came back, at the server's side of the line (tests/data/bwe/README.md). */
function trace(list, repeats, zero) {
  const sent = list.filter((p) => p.direction === 'down' && p.kind === 'rtp')
  findProbes(list, sent, repeats)
  const events = [
    ...sent.map((p) => ({
      at: p.arrived,
      text: `${p.size} ${p.left === null ? '-' : units(p.left - p.arrived)}${p.probe ? ' p' : ''}`,
    })),
    ...list
      .filter((p) => p.direction === 'up' && TWCC(p) && p.left !== null)
      .map((p) => ({ at: p.left, text: `< ${units(p.left - p.arrived)}` })),
    ...list
      .filter((p) => p.command?.includes('delay_ms'))
      .map((p) => ({
        at: p.arrived,
        text: `= ${JSON.parse(p.command).down?.rate_kbps ?? JSON.parse(p.command).both?.rate_kbps ?? 0}`,
      })),
  ].sort((a, b) => a.at - b.at)
  let former = 0
  return events.map((e) => {
    const at = units(e.at - zero),
      line = `${at - former} ${e.text}`
    former = at
    return line
  })
}

/** A viewer of a 720p camera behind a bad line; `most`: seconds of each phase at most. */
async function viewer(line, fox, most) {
  const phases = line.map(([s, shape]) => [Math.min(s, most), shape])
  const namespace = fox ? new Namespace(6) : null
  const path = join(folder, 'record.txt'),
    call = new Call('record', namespace?.outside)
  try {
    await call.begin(
      [
        {
          name: 'red',
          username: 'doctor01',
          quality: 'hd',
          tone: 600,
          camera: { width: 1280, height: 720, fps: 15, frames: 60, noise: 0.5 },
        },
        {
          name: 'green',
          username: 'expert01',
          record: path,
          firefox: namespace,
          shape: phases[0][1],
          quality: 'sd',
          ...(fox ? {} : { camera: small }),
        },
      ],
      {},
    )
    const { red, green } = call
    await makeLarge(green, red)
    await call.settle(green, red, 720)
    await sleep(5000)
    await mark(green.line)
    for (const [seconds, shape] of phases) {
      await green.line.set(shape)
      await sleep(seconds * 1000)
    }
    await mark(green.line)
    const repeats = new Set(
      await green.eval(
        `[...window.__pc.localDescription.sdp.matchAll(/a=rtpmap:(\\d+) rtx/g)].map((m) => Number(m[1]))`,
      ),
    )
    const agent = (await green.eval('navigator.userAgent')).match(/(Chrome|Firefox)\S*/)[0]
    console.error(JSON.stringify(await green.line.counts()))
    call.people.forEach((p) => p.line.close())
    await sleep(500)
    const list = between(read(path)),
      zero = list[0].arrived
    const media = list.filter((p) => p.direction === 'down' && p.kind === 'rtp'),
      seconds = phases.reduce((sum, [s]) => sum + s, 0)
    const head = [
      `# ${new Date().toISOString().slice(0, 10)}, ${agent}, ${what}: ${media.length} packets, ${media.filter((p) => p.left === null).length} lost, ${Math.round((media.reduce((sum, p) => sum + p.size, 0) * 8) / seconds / 1000)} kbit/s`,
      ...phases.map(([s, shape]) => `# ${s} s ${JSON.stringify(shape)}`),
    ]
    return [...head, ...trace(list, repeats, zero), ''].join('\n')
  } finally {
    await call.end()
    namespace?.remove()
  }
}

try {
  const text =
    what === 'camera'
      ? await camera(Number(option('seconds', 10)))
      : await viewer(LINES[what], option('browser') === 'firefox', Number(option('seconds', 60)))
  if (option('out')) writeFileSync(option('out'), text)
  else process.stdout.write(text)
  console.error(text.split('\n')[0])
} finally {
  if (!process.argv.includes('--keep')) rmSync(folder, { recursive: true, force: true })
  else console.error(folder)
}
