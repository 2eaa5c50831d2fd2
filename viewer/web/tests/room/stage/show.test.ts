import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Shower, type Wish } from '@/room/stage/show'
import type { SlotNote, SlotWant } from '@/room/call/protocol'

let now = 0
let sent: SlotWant[][] = []

function make(): Shower {
  const shower = new Shower({
    mid: (slot) => `m${slot}`,
    call: (slots) => {
      sent.push(slots)
      return Promise.resolve()
    },
    changed: () => undefined,
    now: () => now,
  })
  shower.resize(2)
  shower.setReady(true)
  return shower
}

function wish(slot: number, participant: string): Wish {
  return { slot, participant, source: 'camera', width: 640, height: 360, priority: 1 }
}

function live(mid: string, participant: string, rtp_timestamp = 0): SlotNote {
  return { mid, state: 'live', participant, source: 'camera', rtp_timestamp, codec: 'VP8', width: 640, height: 360 }
}

const settle = () => vi.advanceTimersByTimeAsync(0)
async function pass(ms: number) {
  now += ms
  await vi.advanceTimersByTimeAsync(ms)
}
const asked = () => Object.fromEntries((sent.at(-1) ?? []).map((want) => [want.mid, want.participant]))

beforeEach(() => {
  vi.useFakeTimers()
  now = 0
  sent = []
})
afterEach(() => vi.useRealTimers())

test('the large picture is listed first and every slot is named', async () => {
  const shower = make()
  shower.want([wish(1, 'b'), wish(0, 'a')], 'hd')
  await settle()
  expect(sent.at(-1)?.map((want) => [want.mid, want.participant])).toEqual([
    ['m1', 'b'],
    ['m0', 'a'],
  ])
})

test('a slot waits for its confirmation, the others do not', async () => {
  const shower = make()
  shower.want([wish(0, 'a')], '4k')
  await settle()
  shower.want([wish(0, 'b'), wish(1, 'c')], '4k')
  await settle()
  expect(asked()).toEqual({ m0: 'a', m1: 'c' })
  shower.announce(live('m0', 'a'))
  await settle()
  expect(asked()).toEqual({ m0: 'b', m1: 'c' })
})

test('what is never confirmed is taken back before anything else is asked', async () => {
  const shower = make()
  shower.want([wish(0, 'a')], '4k')
  await settle()
  shower.want([wish(0, 'b')], '4k')
  await settle()
  expect(asked().m0).toBe('a')
  await pass(2600)
  expect(asked().m0).toBe(null)
  await pass(600)
  expect(asked().m0).toBe('b')
})

test('after a lost connection unconfirmed requests are taken back at once', async () => {
  const shower = make()
  shower.want([wish(0, 'a')], '4k')
  await settle()
  shower.setReady(false)
  shower.setReady(true)
  shower.want([wish(0, 'b')], '4k')
  await settle()
  expect(asked().m0).toBe(null)
  shower.announce({ ...live('m0', ''), state: 'empty', participant: null, source: null })
  await settle()
  expect(asked().m0).toBe('b')
})

test('a picture whose announcement was lost with the connection is asked for again', async () => {
  const shower = make()
  shower.want([wish(0, 'a')], '4k')
  await settle()
  shower.setReady(false)
  shower.setReady(true)
  await settle()
  expect(asked().m0).toBe(null)
  await pass(600)
  expect(asked().m0).toBe('a')
})

test('the same wish is not said twice', async () => {
  const shower = make()
  shower.want([wish(0, 'a')], '4k')
  await settle()
  const count = sent.length
  shower.want([wish(0, 'a')], '4k')
  await settle()
  expect(sent.length).toBe(count)
})
