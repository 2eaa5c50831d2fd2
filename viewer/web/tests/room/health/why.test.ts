import { describe, expect, it } from 'vitest'
import { roomMessages } from '@/room/messages'
import {
  REASONS,
  Steady,
  lineReason,
  ownReasons,
  standsStill,
  tierOfHeight,
  together,
  type Reading,
} from '@/room/health/why'

const well: Reading = { limited: 'none', sent: 720, meant: 720, path: 'udp', micMuted: false }

describe('a tile', () => {
  it('says that nothing comes from its person, or that the picture of the camera stands', () => {
    expect(standsStill([], true)).toBe(null)
    expect(standsStill(['up_loss', 'mic_silent'], true)).toBe(null)
    expect(standsStill(['camera_silent'], true)).toBe('frozen')
    expect(standsStill(['camera_silent'], false)).toBe(null)
    expect(standsStill(['camera_silent', 'lost'], false)).toBe('lost')
  })
})

describe('reasons of this browser', () => {
  it('are none while all is well', () => expect(ownReasons(well)).toEqual([]))
  it('are a slow upload only when a smaller picture is sent', () => {
    expect(ownReasons({ ...well, limited: 'bandwidth', sent: 360 })).toEqual(['up_slow'])
    expect(ownReasons({ ...well, limited: 'bandwidth' })).toEqual([])
    expect(ownReasons({ ...well, limited: 'none', sent: 360 })).toEqual([])
    expect(ownReasons({ ...well, limited: 'bandwidth', sent: 0, meant: 0 })).toEqual([])
  })
  it('are a smaller picture where the browser does not say why', () =>
    expect(ownReasons({ ...well, limited: null, sent: 360 })).toEqual(['sends_less']))
  it('are the computer, the microphone, the way', () => {
    expect(ownReasons({ ...well, limited: 'cpu' })).toEqual(['cpu'])
    expect(ownReasons({ ...well, micMuted: true, path: 'tcp' })).toEqual(['mic_silent', 'tcp'])
    expect(ownReasons({ ...well, limited: null, path: null })).toEqual([])
  })
  it('stand with the server’s, most useful first, none that says less, none unknown', () => {
    expect(together(['up_slow'], ['tcp', 'sends_less', 'up_loss', 'from the future'])).toEqual([
      'up_slow',
      'up_loss',
      'tcp',
    ])
    expect(together([], ['sends_less'])).toEqual(['sends_less'])
    expect(together(['cpu'], ['mic_silent', 'lost', 'camera_silent'])).toEqual(['lost'])
    expect(together(['tcp'], ['tcp'])).toEqual(['tcp'])
  })
})

describe('steady reasons', () => {
  it('come after three seconds and go after six', () => {
    const s = new Steady()
    expect(s.update(['cpu'], 0)).toEqual([])
    expect(s.update(['cpu'], 1500)).toEqual([])
    expect(s.update(['cpu'], 3000)).toEqual(['cpu'])
    expect(s.update([], 4500)).toEqual(['cpu'])
    expect(s.update([], 8999)).toEqual(['cpu'])
    expect(s.update([], 9000)).toEqual([])
  })
  it('never blink', () => {
    const s = new Steady()
    const shown = Array.from({ length: 40 }, (_, i) => s.update(i % 2 ? ['tcp'] : [], i * 1500).length)
    expect(new Set(shown).size).toBe(1)
  })
})

describe('the line', () => {
  const none = new Set<never>()
  it('speaks of what one can change, and of the rest when it is bad', () => {
    expect(lineReason(['up_slow', 'tcp'], 4, none)).toBe('up_slow')
    expect(lineReason(['tcp'], 4, none)).toBe(null)
    expect(lineReason(['tcp'], 2, none)).toBe('tcp')
    expect(lineReason(['relay'], 1, none)).toBe(null)
    expect(lineReason([], 1, none)).toBe(null)
    expect(lineReason(['up_loss'], null, none)).toBe(null)
  })
  it('is silent about what was read', () =>
    expect(lineReason(['up_slow', 'up_loss'], 2, new Set(['up_slow'] as const))).toBe('up_loss'))
})

describe('words', () => {
  it('exist for every reason, in both languages', () => {
    for (const language of [roomMessages.zh, roomMessages.en]) {
      for (const reason of REASONS) {
        expect(language.room.why.own[reason]).toBeTruthy()
        expect(language.room.why.other[reason]).toContain('{name}')
      }
    }
  })
  it('name the size that is sent', () =>
    expect([180, 360, 540, 720, 1080, 2160].map(tierOfHeight)).toEqual(['sd', 'sd', 'hd', 'hd', 'super_hd', '4k']))
})
