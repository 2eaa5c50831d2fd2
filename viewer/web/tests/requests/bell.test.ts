import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Bell, urgentName } from '@/requests/told'
import { RequestWatch, type Line, type Waiting } from '@/requests/watch'
import { RpcError } from '@/room/call/rpc'

const one = (id: string): Waiting => ({ id, number: id, created_at: 1, hospital: '县医院', department: '' })

describe('the bar', () => {
  it('names two of one hospital so that they can be told apart', () => {
    const name = (number: string, department: string) => urgentName({ hospital: '县医院', department, number })
    expect(name('C20261130-0007', '呼吸内科')).toBe('县医院 呼吸内科 · C20261130-0007')
    expect(name('C20261130-0008', '')).toBe('县医院 · C20261130-0008')
  })
})

describe('the bell', () => {
  it('rings once for each, again when one came back, and not for what was told before a reload', () => {
    const told: string[][] = []
    const bell = new Bell(new Set(['before']), (fresh) => told.push(fresh.map(({ id }) => id)))
    bell.take([one('before')])
    bell.take([one('before'), one('a')])
    bell.take([one('before'), one('a')])
    bell.take([one('before')])
    bell.take([one('before'), one('a')])
    expect(told).toEqual([['a'], ['a']])
  })
})

class UrgentLine implements Line {
  isOpen = false
  closed = false
  asked = 0
  waiting: Waiting[] = []
  refuses: RpcError | null = null
  onopen: () => void = () => undefined
  private changed: () => void = () => undefined

  on<T>(method: string, handler: (params: T) => void): void {
    if (method === 'urgent.changed') this.changed = handler as () => void
  }
  connect(): void {
    this.isOpen = true
    this.onopen()
  }
  close(): void {
    this.isOpen = false
    this.closed = true
  }
  async call<T>(method: string): Promise<T> {
    expect(method).toBe('urgent.watch')
    this.asked++
    if (this.refuses) throw this.refuses
    return { requests: this.waiting } as T
  }
  change(...waiting: Waiting[]): void {
    this.waiting = waiting
    this.changed()
  }
}

describe('an expert who listens', () => {
  let lines: UrgentLine[]
  let watch: RequestWatch
  const line = () => lines[lines.length - 1]!
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

  beforeEach(() => {
    vi.useFakeTimers()
    lines = []
    watch = new RequestWatch(() => {
      lines.push(new UrgentLine())
      return line()
    })
  })
  afterEach(() => void vi.useRealTimers())

  it('hears of what waits on whatever page, also in a tab that nobody sees', async () => {
    const heard: string[][] = []
    const stop = watch.listen((waiting) => heard.push(waiting.map(({ id }) => id)))
    await pass(1)
    expect(heard).toEqual([[]])
    watch.see(false)
    await pass(120_000)
    line().change(one('a'))
    await pass(600)
    expect(heard.at(-1)).toEqual(['a'])
    expect(lines).toHaveLength(1)
    stop()
    await pass(70_000)
    expect(line().closed).toBe(true)
  })

  it('asks once however many changes come', async () => {
    watch.listen(() => undefined)
    await pass(1000)
    for (let i = 0; i < 20; i++) line().change(one(`${i}`))
    await pass(1000)
    expect(line().asked).toBe(2)
  })

  it('is told when the login has ended', async () => {
    const ended = vi.fn()
    watch.onended = ended
    watch.listen(() => undefined)
    await pass(1000)
    line().refuses = new RpcError(1001, 'unauthorized')
    line().change()
    await pass(1000)
    expect(ended).toHaveBeenCalledTimes(1)
    expect(line().closed).toBe(true)
  })
})
