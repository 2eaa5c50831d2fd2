import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { PointerMessage, StrokeMessage } from '@/room/call/protocol'
import { RpcError, type Rpc } from '@/room/call/rpc'
import { Board, FADES_MS } from '@/view/together/board'

const pointer = (participant: string, hue = 1): PointerMessage => ({
  participant,
  x: 1,
  y: 2,
  page: 1,
  hue,
  laser: false,
})
const stroke = (participant: string, from: number, points: number[], fades = false): StrokeMessage => ({
  participant,
  stroke: 1,
  hue: 2,
  page: 1,
  z: 0,
  fades,
  age_ms: 0,
  from,
  points,
})

function connect(refuses = false) {
  const handlers = new Map<string, (params: never) => void>()
  const calls: { method: string; params: { stroke: number; points: number[] } }[] = []
  const rpc = {
    on: (method: string, handler: (params: never) => void) => void handlers.set(method, handler),
    notify: () => undefined,
    call: async (method: string, params: never) => {
      calls.push({ method, params })
      if (refuses) throw new RpcError(1009, 'full')
    },
  }
  const board = new Board(rpc as unknown as Rpc, () => 'me')
  const hear = (method: string, params: object) => handlers.get(method)?.(params as never)
  return { board, calls, hear }
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

test("others' pointers are shown, one's own is not", () => {
  const { board } = connect()
  board.takePointers([pointer('li'), pointer('me', 5), pointer('wang')])
  expect(board.state.pointers.map(({ participant }) => participant)).toEqual(['li', 'wang'])
  expect(board.ownHue).toBe(5)
})

describe("others' strokes", () => {
  test('grow by what is told, and never twice', () => {
    const { board, hear } = connect()
    hear('view.drawn', { strokes: [stroke('li', 0, [0, 0, 1, 1])] })
    hear('view.drawn', { strokes: [stroke('li', 2, [2, 2])] })
    hear('view.drawn', { strokes: [stroke('li', 2, [2, 2])] })
    expect(board.strokes.get('li/1')?.points).toEqual([0, 0, 1, 1, 2, 2])
  })

  test('whose beginning is not known are left out', () => {
    const { board, hear } = connect()
    hear('view.drawn', { strokes: [stroke('li', 5, [2, 2])] })
    expect(board.strokes.size).toBe(0)
  })

  test('that fade are gone after a while, for a late one earlier', () => {
    const { board, hear } = connect()
    hear('view.drawn', { strokes: [stroke('li', 0, [0, 0], true)] })
    board.take([], [{ ...stroke('wang', 0, [1, 1], true), age_ms: 4000 }, stroke('li', 0, [3, 3])])
    expect(board.strokes.size).toBe(2)
    vi.advanceTimersByTime(FADES_MS - 4000 + 100)
    expect([...board.strokes.keys()]).toEqual(['li/1'])
  })

  test('are cleared, those of one or of all', () => {
    const { board, hear } = connect()
    board.take([], [stroke('li', 0, [0, 0]), stroke('wang', 0, [0, 0])])
    hear('view.cleared', { participant: 'li' })
    expect([...board.strokes.keys()]).toEqual(['wang/1'])
    hear('view.cleared', { participant: null })
    expect(board.strokes.size).toBe(0)
  })
})

describe("one's own stroke", () => {
  test('stands there at once and is sent in few calls, in order', () => {
    const { board, calls } = connect()
    board.begin({ page: 1, z: 0, fades: false })
    for (let i = 0; i < 300; i++) board.draw(i, -i)
    expect([...board.strokes.values()][0]?.points).toHaveLength(600)
    vi.advanceTimersByTime(100)
    expect(calls.map(({ params }) => params.points.length)).toEqual([256, 256, 88])
    expect(calls.flatMap(({ params }) => params.points).filter((_, i) => i % 2 === 0)).toEqual(
      Array.from({ length: 300 }, (_, i) => i),
    )
    expect(new Set(calls.map(({ params }) => params.stroke)).size).toBe(1)
  })

  test('that is very long goes on as another, without a gap', () => {
    const { board, calls } = connect()
    board.begin({ page: 1, z: 0, fades: false })
    for (let i = 0; i < 1500; i++) board.draw(i, 0)
    board.end()
    const numbers = [...new Set(calls.map(({ params }) => params.stroke))]
    expect(numbers).toHaveLength(2)
    const second = calls.filter(({ params }) => params.stroke === numbers[1]).flatMap(({ params }) => params.points)
    expect(second.slice(0, 4)).toEqual([999, 0, 1000, 0])
  })

  test('comes back from the server without being doubled', () => {
    const { board, hear } = connect()
    board.begin({ page: 1, z: 0, fades: false })
    board.draw(1, 1)
    const [key] = [...board.strokes.keys()] as [string]
    hear('view.drawn', { strokes: [{ ...stroke('me', 0, [1, 1]), stroke: Number(key.split('/')[1]) }] })
    expect(board.strokes.get(key)).toMatchObject({ points: [1, 1], hue: 2 })
  })

  test('that is not taken goes away, and that is said', async () => {
    const { board } = connect(true)
    const full = vi.fn()
    board.tellFull(full)
    board.begin({ page: 1, z: 0, fades: false })
    board.draw(1, 1)
    await vi.advanceTimersByTimeAsync(100)
    expect(board.strokes.size).toBe(0)
    expect(full).toHaveBeenCalledOnce()
  })
})
