import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Rpc } from '@/room/call/rpc'
import type { SharedFile } from '@/room/call/protocol'
import { ViewLink } from '@/view/link'

const shared = (file: string, presenter: string | null): SharedFile => ({
  file,
  name: `${file}.svs`,
  kind: 'slide',
  page: 1,
  presenter,
  state: null,
  pointers: [],
  strokes: [],
})
const region = { cx: 10, cy: 20, w: 30, h: 40, rotation: 90 }
const names: Record<string, string> = { me: '我', li: '李医生', wang: '王医生' }

/** A connection whose server answers every call with the caller as the presenter. */
function connect() {
  const handlers = new Map<string, (params: never) => void>()
  const sent: { method: string; params: object }[] = []
  const rpc = {
    on: (method: string, handler: (params: never) => void) => void handlers.set(method, handler),
    notify: (method: string, params: object) => void sent.push({ method, params }),
    call: async (_method: string, params: { file?: string }) => ({ view: shared(params.file ?? 'slide', 'me') }),
  }
  const company = { alone: false, cut: false, lost: [] as string[] }
  const link = new ViewLink(rpc as unknown as Rpc, {
    me: () => 'me',
    nameOf: (id) => names[id] ?? '',
    isLost: (id) => company.lost.includes(id),
    isAlone: () => company.alone,
    others: () => [],
    isCut: () => company.cut,
  })
  const hear = (method: string, params: object) => handlers.get(method)?.(params as never)
  return { link, sent, hear, company }
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('before one presents', () => {
  test('nobody is asked where nobody else presents', async () => {
    const { link } = connect()
    const ask = vi.fn(async () => false)
    expect(await link.mayPresent(ask)).toBe(true)
    link.set(shared('slide', null))
    expect(await link.mayPresent(ask)).toBe(true)
    link.set(shared('slide', 'me'))
    expect(await link.mayPresent(ask)).toBe(true)
    expect(ask).not.toHaveBeenCalled()
  })

  test('who presents is named, and stays the presenter at a no', async () => {
    const { link } = connect()
    link.set(shared('slide', 'li'))
    const ask = vi.fn(async () => false)
    expect(await link.mayPresent(ask)).toBe(false)
    expect(ask.mock.calls).toEqual([['李医生']])
    ask.mockResolvedValue(true)
    expect(await link.mayPresent(ask)).toBe(true)
  })

  test('somebody else who took it meanwhile is asked about anew; one who gave it up is not', async () => {
    const { link } = connect()
    link.set(shared('slide', 'li'))
    const ask = vi.fn(async (name: string) => {
      link.set(shared('slide', name === '李医生' ? 'wang' : null))
      return true
    })
    expect(await link.mayPresent(ask)).toBe(true)
    expect(ask.mock.calls).toEqual([['李医生'], ['王医生']])
  })
})

describe('a presenter who looks at something else', () => {
  test('comes back to the region that the others see', () => {
    const { link, sent } = connect()
    link.set(shared('slide', 'me'))
    link.sendRegion(region, 1)
    vi.advanceTimersByTime(100)
    expect(sent).toHaveLength(1)
    expect(link.state.region).toMatchObject({ ...region, page: 1 })
  })

  test('begins for all where he looked by himself', async () => {
    const { link } = connect()
    link.set(shared('other', 'li'))
    await link.open('slide', 3, region)
    expect(link.presenting).toBe(true)
    expect(link.state.region).toMatchObject({ ...region, page: 3 })
  })
})

test('coming back follows the presenter again', () => {
  const { link, hear } = connect()
  link.set(shared('slide', 'li'))
  link.state.following = false
  hear('view.now', { state: { seq: 7, ...region, page: 2 }, pointers: [] })
  link.comeBack()
  expect(link.state.following).toBe(true)
  expect(link.state.region).toMatchObject({ ...region, page: 2 })
})

test('says who presents, and only while he does', () => {
  const { link, company } = connect()
  const say = (presenter: string | null) => {
    link.set(shared('slide', presenter))
    return link.standing
  }
  expect(say(null)).toBe('nobody')
  expect(say('gone')).toBe('nobody')
  expect(say('li')).toBe('follows')
  link.state.following = false
  expect(link.standing).toBe('free')
  company.lost = ['li']
  expect(link.standing).toBe('lost')
  expect(say('me')).toBe('presenting')
  company.alone = true
  expect(link.standing).toBe('presenting_alone')
  company.cut = true
  expect(link.standing).toBe('cut')
})

test('a place of another presenter counts, whatever its number', () => {
  const { link, hear } = connect()
  link.set(shared('slide', 'li'))
  hear('view.now', { state: { presenter: 'li', seq: 7, ...region, page: 1 }, pointers: [] })
  hear('view.now', { state: { presenter: 'wang', seq: 7, ...region, cx: 99, page: 1 }, pointers: [] })
  expect(link.state.region?.cx).toBe(99)
})

test('who took the view over or handed it on need not be told so', async () => {
  const { link } = connect()
  link.set(shared('slide', 'li'))
  await link.present(true)
  expect(link.byMyself).toBe(true)
  link.set(shared('slide', 'wang'))
  expect(link.byMyself).toBe(false)
  await link.handOver('li')
  expect(link.byMyself).toBe(true)
})
