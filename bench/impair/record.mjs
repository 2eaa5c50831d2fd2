// Records what passes the relay (bench-impair-relay --record) in real calls, and keeps what estimator and load generator need of it.
// node bench/impair/record.mjs camera|clean|step|loss|wireless|jitter [--browser chromium|firefox] [--seconds N] [--out FILE] [--keep]
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const lib = resolve(dirname(fileURLToPath(import.meta.url)), '../../tests/e2e/lib')
const { Call, encodings, makeLarge } = await import(join(lib, 'impaired.mjs'))
const { sleep } = await import(join(lib, 'check.mjs'))

const [what] = process.argv.slice(2)
const option = (name, otherwise) => { const at = process.argv.indexOf(`--${name}`); return at < 0 ? otherwise : process.argv[at + 1] }
const folder = mkdtempSync(join(tmpdir(), 'consilium-record-'))
const small = { width: 320, height: 180, fps: 5, frames: 50 }
const TAG = 16 // bytes behind the payload, AEAD_AES_128_GCM (RFC 7714)

/** The record's lines as objects, commands among them. */
function read(path) {
  return readFileSync(path, 'utf8').trim().split('\n').map((line) => {
    const w = line.split(' ')
    if (w[0] === '#') return { command: w.slice(2).join(' '), arrived: Number(w[1]) }
    const [, , arrived, , size, , header, pt, marker, ssrc, seq, ts] = w.map(Number)
    return { direction: w[0], arrived, left: w[3] === 'lost' || w[3] === 'dropped' ? null : Number(w[3]), size, kind: w[5], header, pt, marker, ssrc, seq, ts }
  })
}

/** What lies between the two marks. */
function between(list) {
  const [from, to] = list.filter((p) => p.command?.includes('"counts"')).map((p) => p.arrived)
  return list.filter((p) => p.arrived >= from && p.arrived < to)
}

const mark = (line) => line.set({ counts: true })

/** Packets of a 720p camera on their way to the server, as they reached the relay. */
async function camera(seconds) {
  const path = join(folder, 'record.txt'), call = new Call('record')
  try {
    await call.begin([{ name: 'red', username: 'doctor01', quality: 'hd', record: path, camera: { width: 1280, height: 720, fps: 30, frames: 90, noise: Number(option('noise', 0.5)) } }, { name: 'green', username: 'expert01', camera: small }], {})
    const { red, green } = call
    await makeLarge(green, red)
    await call.settle(green, red, 720)
    await sleep(10000)
    await mark(red.line)
    const before = await encodings(red)
    await sleep(seconds * 1000)
    await mark(red.line)
    const layers = await encodings(red), layer = layers.find((r) => r.frameHeight === 720), was = before.find((r) => r.ssrc === layer.ssrc)
    for (const r of layers) console.error(`${r.rid} ${r.frameWidth}x${r.frameHeight} ${r.framesPerSecond} frames/s, limited by ${r.qualityLimitationReason}`)
    await red.line.counts()
    call.people.forEach((p) => p.line.close())
    await sleep(500)
    const packets = between(read(path)).filter((p) => p.direction === 'up' && p.kind === 'rtp' && p.ssrc === layer.ssrc)
    const first = packets.findIndex((p, i) => i && p.ts !== packets[i - 1].ts) // a whole frame
    const last = packets.findLastIndex((p) => p.marker)
    const kept = packets.slice(first, last + 1), zero = kept[0]
    const bits = kept.reduce((sum, p) => sum + 8 * (p.size - p.header - TAG), 0), length = (kept.at(-1).arrived - zero.arrived) / 1e6
    const frames = new Set(kept.map((p) => p.ts)).size
    const head = `# ${new Date().toISOString().slice(0, 10)}, ${(await red.eval("navigator.userAgent")).match(/Chrome\S*/)[0]}: ${layer.frameWidth}x${layer.frameHeight}, ${frames} frames and ${kept.length} packets in ${length.toFixed(1)} s, ${Math.round(bits / length / 1000)} kbit/s; keys ${layer.keyFramesEncoded - was.keyFramesEncoded}`
    return [head, ...kept.map((p) => `${p.arrived - zero.arrived} ${p.size - p.header - TAG} ${(p.ts - zero.ts) >>> 0}`), ''].join('\n')
  } finally { await call.end() }
}

try {
  const text = await camera(Number(option('seconds', 10)))
  if (option('out')) writeFileSync(option('out'), text); else process.stdout.write(text)
  console.error(text.split('\n')[0])
} finally { if (!process.argv.includes('--keep')) rmSync(folder, { recursive: true, force: true }); else console.error(folder) }
