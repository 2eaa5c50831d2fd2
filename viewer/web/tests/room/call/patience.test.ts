import { describe, expect, it } from 'vitest'
import { Patience, patienceMs } from '@/room/call/patience'

const link = (up_loss: number, down_loss: number, rtt_ms: number) => ({ up_loss, down_loss, rtt_ms })

describe('patience', () => {
  it('waits for nothing on good lines or unknown ones', () => {
    expect(patienceMs(undefined, undefined)).toBe(0)
    expect(patienceMs(link(0, 0.2, 80), link(0.2, 0.005, 80))).toBe(0) // the other directions do not concern this picture
  })
  it('waits for three repeats on the worse of both ways', () => {
    expect(patienceMs(link(0.05, 0, 80), link(0, 0, 30))).toBe(400)
    expect(patienceMs(link(0, 0, 80), link(0, 0.05, 30))).toBe(240)
    expect(patienceMs(link(0.05, 0, 0), undefined)).toBe(440) // a round trip not yet known
    expect(patienceMs(link(0.05, 0, 900), undefined)).toBe(500)
    expect(patienceMs(link(0.05, 0, 80), link(0, 0.05, 80))).toBe(480) // lost on both ways
  })
  it('forgets a loss after a while only', () => {
    const patience = new Patience()
    expect(patience.take(280, 1000)).toBe(280)
    expect(patience.take(0, 5000)).toBe(280)
    expect(patience.take(200, 15000)).toBe(280)
    expect(patience.take(0, 17000)).toBe(200)
    expect(patience.take(0, 31000)).toBe(0)
  })
})
