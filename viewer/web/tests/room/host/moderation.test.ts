import { describe, expect, it } from 'vitest'
import { actsOn, byHands, Moderation, type ModerationPort } from '@/room/host/moderation'
import { CODE, type Limits, type Participant, type RoomCodec } from '@/room/call/protocol'
import { overCeiling, withinCeiling } from '@/room/call/quality'
import { RpcError } from '@/room/call/rpc'

const person = (id: string, more: Partial<Participant> = {}): Participant => ({
  id,
  user: id,
  name: `Dr ${id}`,
  title: '',
  hospital: '',
  role: 'expert',
  kind: 'person',
  sources: { mic: true },
  host: false,
  video: false,
  tier_max: '4k',
  hand: null,
  ...more,
})

function bench(people: Participant[], me = 'me') {
  const handlers = new Map<string, (params: never) => void>()
  const calls: [string, unknown][] = []
  const told: string[] = []
  const off: string[] = []
  let fail: Error | null = null
  let limits: Limits | null = null
  const codecs: RoomCodec[] = []
  const port: ModerationPort = {
    call: async <T>(method: string, params: object) => {
      calls.push([method, params])
      if (fail) {
        const error = fail
        fail = null
        throw error
      }
      return {} as T
    },
    on: (method, handler) => void handlers.set(method, handler as (params: never) => void),
    me: () => me,
    person: (id) => people.find((one) => one.id === id),
    everybody: () => people,
    switchedOff: (source) => void off.push(source),
    limits: (l) => void (limits = l),
    codec: (c) => void codecs.push(c),
    tell: (key) => void told.push(key),
  }
  const moderation = new Moderation(port)
  return {
    moderation,
    calls,
    told,
    off,
    limits: () => limits,
    codecs,
    failWith: (error: Error) => (fail = error),
    notice: (method: string, params: unknown) => handlers.get(method)?.(params as never),
  }
}

describe('the list of people', () => {
  it('has raised hands first, in the order of raising', () =>
    expect(
      byHands([person('a'), person('b', { hand: 20 }), person('c'), person('d', { hand: 10 })]).map((p) => p.id),
    ).toEqual(['d', 'b', 'a', 'c']))
  it('offers what fits the person', () => {
    expect(actsOn(person('a', { sources: { mic: true, camera: true }, hand: 1 }), 'me')).toEqual([
      'mute',
      'camera_off',
      'lower_hand',
      'remove',
    ])
    expect(actsOn(person('a', { sources: { mic: false } }), 'me')).toEqual(['ask_mic', 'ask_camera', 'remove'])
    expect(actsOn(person('a', { kind: 'device', sources: {} }), 'me')).toEqual(['remove'])
    expect(actsOn(person('a', { host: true }), 'me')).not.toContain('remove')
    expect(actsOn(person('me'), 'me')).toEqual([])
  })
})

describe('what a host does to me', () => {
  it('muting tells who did it and withdraws a question', () => {
    const b = bench([person('me'), person('host', { host: true })])
    b.notice('room.asked', { by: 'host', source: 'mic' })
    expect(b.moderation.state.asked).toEqual({ by: 'host', source: 'mic' })
    b.moderation.switchedOff('mic', 'host')
    expect([b.off, b.told, b.moderation.state.asked]).toEqual([['mic'], ['muted_by'], null])
  })
  it('a ceiling arrives as limits', () => {
    const b = bench([person('me')])
    b.notice('room.limits', { tier_max: 'sd' })
    expect(b.limits()?.tier_max).toBe('sd')
  })
  it('another codec is passed on, the same one is not', () => {
    const b = bench([person('me')])
    b.notice('room.settings', { codec: 'av1', by: 'me' })
    b.notice('room.settings', { codec: 'av1', locked: true, by: null })
    expect(b.codecs).toEqual(['av1'])
  })
  it('becoming host is said, and no host keeps a list of who waits', () => {
    const me = person('me')
    const b = bench([me, person('lead', { host: true })])
    b.notice('room.hosts', { hosts: ['me'] })
    expect([me.host, b.told]).toEqual([true, ['now_host']])
    b.notice('room.knock', { knocks: [{ participant: 'x' }] })
    b.notice('room.hosts', { hosts: ['lead'] })
    expect([me.host, b.moderation.state.knocks]).toEqual([false, []])
  })
})

describe('what I do as host', () => {
  it('asks for what is meant', async () => {
    const b = bench([person('me', { host: true }), person('a')])
    await b.moderation.do('mute', person('a'))
    await b.moderation.do('ask_camera', person('a'))
    await b.moderation.muteAll()
    await b.moderation.limit(person('a'), 'sd')
    expect(b.calls).toEqual([
      ['room.mute', { participant: 'a', source: 'mic', on: false }],
      ['room.ask', { participant: 'a', source: 'camera' }],
      ['room.mute', { participant: null, source: 'mic', on: false }],
      ['room.limit', { participant: 'a', tier_max: 'sd' }],
    ])
  })
  it('is tried once more when the server is busy, and told when it is refused', async () => {
    const b = bench([person('me', { host: true })])
    b.failWith(new RpcError(CODE.busy, '', { retry_ms: 1 }))
    await b.moderation.set({ locked: true })
    expect([b.calls.length, b.told]).toEqual([2, []])
    b.failWith(new RpcError(CODE.forbidden, ''))
    await expect(b.moderation.set({ locked: true })).rejects.toThrow()
    expect(b.told).toEqual(['not_host'])
  })
})

describe('a ceiling', () => {
  it('bounds what is chosen', () =>
    expect([withinCeiling('4k', 'hd'), withinCeiling('sd', 'hd'), withinCeiling('hd', '4k')]).toEqual([
      'hd',
      'sd',
      'hd',
    ]))
  it('shrinks a picture that is above it, and no other', () => {
    expect(overCeiling(640, 480, 'sd')).toBe(1)
    expect(overCeiling(3840, 2160, '4k')).toBe(1)
    const by = overCeiling(3840, 2160, 'sd')
    expect(Math.round(3840 / by) * Math.round(2160 / by)).toBeLessThanOrEqual(307_200)
  })
})
