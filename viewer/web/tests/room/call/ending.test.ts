import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { roomMessages } from '@/room/messages'
import { Ending } from '@/room/call/ending'

describe('the end of a room', () => {
  const over = vi.fn()
  let ending: Ending

  beforeEach(() => {
    vi.useFakeTimers()
    over.mockClear()
    ending = new Ending(over)
  })
  afterEach(() => {
    ending.close()
    vi.useRealTimers()
  })

  it('counts down from what the server says', () => {
    expect(ending.state.reason).toBeNull()
    ending.take({ seconds: 60, reason: 'closed' })
    expect([ending.state.reason, ending.state.secondsLeft]).toEqual(['closed', 60])
    vi.advanceTimersByTime(1250)
    expect(ending.state.secondsLeft).toBe(59)
    expect(ending.due).toBe(false)
    vi.advanceTimersByTime(58_000)
    expect(ending.state.secondsLeft).toBe(1)
    expect(ending.due).toBe(true)
    vi.advanceTimersByTime(2000)
    expect(ending.state.secondsLeft).toBe(0)
  })

  it('goes on where the server says it stands, after a new connection', () => {
    ending.take({ seconds: 60, reason: 'cancelled' })
    vi.advanceTimersByTime(20_000)
    ending.take({ seconds: 37, reason: 'cancelled' })
    expect(ending.state.secondsLeft).toBe(37)
  })

  it('is over once, a little later, when the server says nothing more', () => {
    ending.take({ seconds: 60, reason: 'closed' })
    vi.advanceTimersByTime(64_000)
    expect(over).not.toHaveBeenCalled()
    vi.advanceTimersByTime(60_000)
    expect(over).toHaveBeenCalledTimes(1)
  })

  it('is not over again when the room has ended', () => {
    ending.take({ seconds: 60, reason: 'closed' })
    vi.advanceTimersByTime(60_000)
    ending.close()
    vi.advanceTimersByTime(60_000)
    expect(over).not.toHaveBeenCalled()
  })

  it('is said in both languages', () => {
    for (const messages of [roomMessages.zh, roomMessages.en]) {
      for (const reason of ['closed', 'cancelled'] as const) expect(messages.room.ending[reason]).toContain('{n}')
      expect(messages.room.ended.ended).not.toBe('')
    }
  })
})
