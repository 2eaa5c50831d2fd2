import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Answer, IdleWatch, type Soon } from '@/account/idle'

const MINUTE = 60_000
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

/** A server with one login, which keeps time as the real one does; and what the page was told. */
function scene({ idle = 15 * MINUTE, life = 12 * 60 * MINUTE } = {}) {
  const server = { seen: Date.now(), begun: Date.now(), away: false, gone: false, reports: 0, looks: 0 }
  const says: string[] = []
  let soon: Soon | null = null
  const answer = (): Answer => {
    const now = Date.now()
    if (server.away) return 'unknown'
    if (now - server.seen > idle || now - server.begun > life) server.gone = true
    if (server.gone) return 'ended'
    return { idle_ms: idle, idle_left_ms: server.seen + idle - now, life_left_ms: server.begun + life - now }
  }
  const watch = new IdleWatch(
    {
      look: async () => {
        server.looks++
        return answer()
      },
      report: async (ago) => {
        server.reports++
        const before = answer()
        if (typeof before === 'object') server.seen = Math.max(server.seen, Date.now() - ago)
        return answer()
      },
    },
    {
      soon: (now) => {
        if ((now === null) !== (soon === null)) says.push(now ? `soon ${now.why}` : 'no more')
        soon = now
      },
      cover: () => says.push('cover'),
      uncover: () => says.push('uncover'),
      lock: (why) => says.push(`lock ${why}`),
    },
  )
  watch.begin(answer() as Exclude<Answer, string>)
  return { server, watch, says, soon: () => soon }
}

test('a minute before the limit it warns, at the limit it locks', async () => {
  const { says, soon, server } = scene()
  await pass(14 * MINUTE - 100)
  expect(says).toEqual([])
  await pass(200)
  expect(says).toEqual(['soon idle'])
  expect(Math.round((soon()?.left ?? 0) / 1000)).toBe(60)
  await pass(30_000)
  expect(Math.round((soon()?.left ?? 0) / 1000)).toBe(30)
  await pass(31_000)
  expect(says).toEqual(['soon idle', 'cover', 'no more', 'lock idle'])
  expect(server.reports).toBe(0)
})

test('hands put it off, and are told at most once a minute, the last of them too', async () => {
  const { says, server, watch } = scene()
  for (let i = 0; i < 20 * 20; i++) {
    watch.sign()
    await pass(3000)
  }
  expect(says).toEqual([])
  expect(server.reports).toBeGreaterThanOrEqual(20)
  expect(server.reports).toBeLessThanOrEqual(21)
  await pass(MINUTE)
  expect(Date.now() - server.seen).toBeLessThan(MINUTE + 4000) // the very last one, not that of a minute ago
  await pass(13 * MINUTE - 5000)
  expect(says).toEqual([])
  await pass(2 * MINUTE)
  expect(says.at(-1)).toBe('lock idle')
})

test('whoever moves while it warns is believed at once', async () => {
  const { says, server, watch } = scene()
  await pass(14.5 * MINUTE)
  watch.sign()
  await pass(10)
  expect(says).toEqual(['soon idle', 'no more'])
  expect(server.reports).toBe(1)
  await pass(14 * MINUTE - 1000)
  expect(says).toEqual(['soon idle', 'no more'])
})

test('who is there in another tab, or in a room, is asked nothing', async () => {
  const { says, server } = scene()
  for (let i = 0; i < 120; i++) {
    server.seen = Date.now() // the server sees him
    await pass(MINUTE)
  }
  expect(says).toEqual([])
  expect(server.looks).toBeLessThan(12)
})

test('a warning goes when another tab says that somebody is there', async () => {
  const { says, server, watch } = scene()
  await pass(14.5 * MINUTE)
  server.seen = Date.now()
  await watch.check()
  expect(says).toEqual(['soon idle', 'no more'])
})

test('a login grows old under busy hands: it warns three minutes before', async () => {
  const { says, watch } = scene({ life: 60 * MINUTE })
  for (let i = 0; i < 56 * 6; i++) {
    watch.sign()
    await pass(10_000)
  }
  expect(says).toEqual([])
  for (let i = 0; i < 2 * 6; i++) {
    watch.sign()
    await pass(10_000)
  }
  expect(says).toEqual(['soon life'])
  await pass(3 * MINUTE)
  expect(says.at(-1)).toBe('lock life')
})

test('a call that was refused hides the page, and shows it where only the token was old', async () => {
  const { says, server, watch } = scene()
  await pass(MINUTE)
  await watch.check(true)
  expect(says).toEqual(['cover', 'uncover'])
  server.gone = true
  await watch.check(true)
  expect(says).toEqual(['cover', 'uncover', 'cover', 'lock ended'])
  watch.sign() // hands open no lock
  await pass(30 * MINUTE)
  expect(says).toHaveLength(4)
  expect(server.reports).toBe(0)
})

test('after a machine slept the page is hidden before anything else, whoever moves', async () => {
  const { says, server, watch } = scene()
  vi.setSystemTime(Date.now() + 3 * 60 * MINUTE)
  watch.sign()
  expect(says).toEqual(['cover'])
  await pass(0)
  expect(says).toEqual(['cover', 'lock idle'])
  expect(server.reports).toBe(0)
})

test('without the server the page keeps time itself; a report that got lost is sent again', async () => {
  const { says, server, watch } = scene()
  server.away = true
  watch.sign()
  await pass(12_000)
  expect(server.reports).toBe(3)
  server.away = false
  await pass(5000)
  expect(Date.now() - server.seen).toBeLessThan(18_000)
  expect(server.reports).toBe(4)
  server.away = true
  await pass(14 * MINUTE)
  expect(says).toEqual(['soon idle'])
  await pass(2 * MINUTE)
  expect(says.at(-1)).toBe('lock idle')
})

test('short limits have short warnings', async () => {
  const { says, watch, server } = scene({ idle: MINUTE })
  await pass(44_000)
  expect(says).toEqual([])
  await pass(2000)
  expect(says).toEqual(['soon idle'])
  watch.sign()
  await pass(40_000)
  watch.sign()
  await pass(44_000)
  expect(says).toEqual(['soon idle', 'no more'])
  expect(server.gone).toBe(false)
  watch.end()
  await pass(10 * MINUTE)
  expect(says).toHaveLength(2)
})
