import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Disconnected, Rpc, RpcError } from '@/room/call/rpc'

/** A WebSocket whose other end is the test. */
class Line {
  static last: Line
  onopen = () => undefined
  onmessage = (_: { data: string }) => undefined
  onclose = (_: { code: number }) => undefined
  constructor() {
    Line.last = this
  }
  send() {}
  close() {}
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('WebSocket', Line)
  vi.stubGlobal('window', { addEventListener() {}, removeEventListener() {} })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function closedWith(code: number) {
  const rpc = new Rpc('ws://here/ws')
  rpc.connect()
  Line.last.onopen()
  const answer = rpc.call('ping').catch((error: unknown) => error)
  Line.last.onclose({ code })
  rpc.close()
  return answer
}

test('a login that ended is told to the calls under way', async () => {
  const error = await closedWith(4401)
  expect(error).toBeInstanceOf(RpcError)
  expect((error as RpcError).code).toBe(1001)
})

test('a lost connection is no ended login', async () => {
  expect(await closedWith(1006)).toBeInstanceOf(Disconnected)
})
