import { beforeEach, expect, test, vi } from 'vitest'
import { TileLoader, type Wanted } from '@/view/source/loader'

interface Asked {
  address: string
  signal: AbortSignal
  answer: (bytes: number, status?: number) => void
}
let asked: Asked[]
let loader: TileLoader
beforeEach(() => {
  asked = []
  loader = new TileLoader(
    (address, init) =>
      new Promise((resolve, reject) => {
        const signal = init.signal as AbortSignal
        signal.addEventListener('abort', () => reject(new Error('aborted')))
        asked.push({
          address,
          signal,
          answer: (n, status = 200) => resolve(new Response(new Uint8Array(n), { status })),
        })
      }),
    1000,
  )
})

function want(address: string): Wanted & { got: number[]; lost: string[] } {
  const wanted = {
    address,
    got: [] as number[],
    lost: [] as string[],
    done: (tile: Blob) => void wanted.got.push(tile.size),
    failed: (reason: string) => void wanted.lost.push(reason),
  }
  loader.want(wanted)
  return wanted
}
const open = () => asked.filter((each) => !each.signal.aborted).map((each) => each.address)
const settle = () => vi.waitFor(() => new Promise((resolve) => setTimeout(resolve, 5)))
const answer = async (address: string, bytes: number, status = 200) => {
  asked
    .filter((each) => each.address === address)
    .pop()
    ?.answer(bytes, status)
  await settle()
}

test('what is ahead waits for what is on screen, and comes a few at a time', async () => {
  const seen = want('a')
  loader.ahead(['b', 'c', 'd', 'e', 'f'])
  expect(open()).toEqual(['a'])
  await answer('a', 10)
  expect(seen.got).toEqual([10])
  expect(open()).toEqual(['a', 'b', 'c', 'd'])
})

test('what came ahead is there at once; what is on its way is not asked for twice', async () => {
  loader.ahead(['b', 'c'])
  await answer('b', 20)
  expect(want('b').got).toEqual([20])
  const other = want('c')
  expect(asked).toHaveLength(2)
  await answer('c', 30)
  expect(other.got).toEqual([30])
})

test('what left the screen is given up, and its place goes to the next', async () => {
  const all = Array.from({ length: 40 }, (_, i) => want(`t${i}`))
  expect(open()).toHaveLength(32)
  loader.giveUp(all[0]!)
  expect(asked[0]!.signal.aborted).toBe(true)
  expect(open()).toHaveLength(32)
  await settle()
  expect(all[0]!.lost).toEqual([])
  // never begun: never asked for
  loader.giveUp(all[39]!)
  for (let i = 1; i < 39; i++) await answer(`t${i}`, 1)
  expect(asked.some((each) => each.address === 't39')).toBe(false)
})

test('another way ahead gives up the one before, but nothing that somebody waits for', async () => {
  loader.ahead(['b', 'c'])
  const seen = want('b')
  loader.ahead(['x'])
  expect(open()).toEqual(['b'])
  await answer('b', 5)
  expect(seen.got).toEqual([5])
  expect(open()).toEqual(['b', 'x'])
})

test('kept ahead: so many bytes and no more, the oldest go', async () => {
  loader.ahead(['a', 'b', 'c'])
  for (const address of ['a', 'b', 'c']) await answer(address, 400)
  expect(want('a').got).toEqual([])
  expect(want('b').got).toEqual([400])
  expect(want('c').got).toEqual([400])
})

test('a refusal is said; a failure ahead is nobody’s', async () => {
  loader.ahead(['b'])
  await answer('b', 0, 503)
  const seen = want('b')
  await answer('b', 0, 404)
  expect(seen.lost).toEqual(['Error: 404'])
  expect(loader.calm).toBe(true)
})

test('closed, it lets go of everything', async () => {
  const seen = want('a')
  loader.close()
  await settle()
  expect([open(), seen.got, seen.lost]).toEqual([[], [], []])
})
