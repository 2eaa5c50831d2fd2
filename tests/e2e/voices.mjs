// Voices over a line that loses packets: redundancy (RFC 2198) between browsers that have it, and what the speaker's encoder hears of it.
import { Call, voices } from './lib/impaired.mjs'
import { assert, check, sleep, finish, until } from '../lib/check.mjs'

const LOSS = 0.1,
  SECONDS = 15
const call = new Call('voices')

const audio = (browser, type) =>
  browser.eval(
    `(async () => { const out = []; (await window.__pc.getStats()).forEach((r) => { if (r.type === '${type}' && r.kind === 'audio') out.push(r) }); return out })()`,
  )

await check(
  'Chromium sends its voice with redundancy and hears the other one with it',
  async () => {
    const camera = { width: 320, height: 180, fps: 5, frames: 50 }
    await call.begin([
      { name: 'red', username: 'doctor01', camera, tone: 500 },
      { name: 'green', username: 'expert01', camera, tone: 900 },
    ])
    for (const [me, frequency] of [
      [call.red, 900],
      [call.green, 500],
    ]) {
      await until(
        `${me.name} hearing the other`,
        async () => (await me.probe(`hear([${frequency}], 700)`))[0] > -60,
        30,
      )
      // the statistics call it Opus still: that each packet carries two blocks shows in its bytes
      const [out] = await until(
        `${me.name} having sent`,
        async () => {
          const r = await audio(me, 'outbound-rtp')
          return r[0]?.packetsSent > 100 && r
        },
        15,
      )
      const block = out.targetBitrate / 8 / 50,
        bytes = out.bytesSent / out.packetsSent
      assert(bytes > 1.6 * block, `${bytes.toFixed(0)} bytes per packet at ${out.targetBitrate} bit/s`)
      const heard = await until(
        `${me.name} having received`,
        async () => (await audio(me, 'inbound-rtp')).find((r) => r.packetsReceived > 100),
        15,
      )
      assert(
        heard.bytesReceived / heard.packetsReceived > 1.6 * block,
        `${heard.bytesReceived} bytes in ${heard.packetsReceived} packets heard`,
      )
      const negotiated = await me.eval(
        `[window.__pc.localDescription.sdp, window.__pc.remoteDescription.sdp].map((sdp) => sdp.split('\\nm=').filter((m) => m.startsWith('audio') && /red\\/48000/.test(m)).length)`,
      )
      assert(
        negotiated[0] > 1 && negotiated[0] === negotiated[1],
        `sections with redundancy, asked for and agreed: ${negotiated}`,
      )
    }
  },
  90,
)

await check(
  `at ${LOSS * 100} % random loss nearly nothing is made up, and the speaker's encoder knows of the loss`,
  async () => {
    const { red, green } = call
    await green.line.set({ down: { loss: LOSS }, reset: true })
    await sleep(3000) // the jitter buffer learns
    const before = await voices(green)
    const reported = []
    for (let i = 0; i < SECONDS; i++) {
      await sleep(1000)
      reported.push((await audio(red, 'remote-inbound-rtp'))[0]?.fractionLost ?? 0)
    }
    const after = await voices(green),
      counts = await green.line.counts()
    const samples = after.samples - before.samples,
      share = (after.concealed - before.concealed) / samples
    console.log(
      `        ${(100 * share).toFixed(2)} % of ${(samples / 48000).toFixed(0)} s made up; loss that the speaker was told: ${(100 * Math.max(...reported)).toFixed(1)} %; line: ${JSON.stringify(counts.down)}`,
    )
    assert(samples > SECONDS * 48000 * 0.8, `only ${samples} samples`)
    assert(share < LOSS / 3, `${(100 * share).toFixed(1)} % of what was heard was made up`)
    assert(Math.max(...reported) > LOSS / 2, `the speaker was told of ${reported.join(' ')}`)
    await green.line.set({ down: {} })
    await until(
      'the speaker being told that it is over',
      async () => ((await audio(red, 'remote-inbound-rtp'))[0]?.fractionLost ?? 1) < 0.02,
      25,
    )
  },
  90,
)

await call.end()
finish()
