import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { onNetworkChange } from '@/room/call/network'

class Way extends EventTarget {
  type?: string
}

describe('a change of network', () => {
  const way = new Way()
  let changed: ReturnType<typeof vi.fn>
  let end: () => void

  beforeEach(() => {
    vi.stubGlobal('window', new EventTarget())
    vi.stubGlobal('navigator', { connection: way })
    way.type = 'wifi'
    changed = vi.fn()
    end = onNetworkChange(changed as () => void)
  })
  afterEach(() => {
    end()
    vi.unstubAllGlobals()
  })

  const become = (type?: string) => {
    way.type = type
    way.dispatchEvent(new Event('change'))
  }

  it('is told when the browser is online again', () => {
    window.dispatchEvent(new Event('online'))
    expect(changed).toHaveBeenCalledTimes(1)
  })

  it('is told when the way out is another one, not when it has another speed', () => {
    become('wifi')
    expect(changed).not.toHaveBeenCalled()
    become('cellular')
    expect(changed).toHaveBeenCalledTimes(1)
  })

  it('is told once there is a way out again', () => {
    become('none')
    expect(changed).not.toHaveBeenCalled()
    become('wifi')
    expect(changed).toHaveBeenCalledTimes(1)
  })

  it('is not told after the end, and needs no Network Information API', () => {
    end()
    window.dispatchEvent(new Event('online'))
    become('cellular')
    expect(changed).not.toHaveBeenCalled()
    vi.stubGlobal('navigator', {})
    end = onNetworkChange(changed as () => void)
    window.dispatchEvent(new Event('online'))
    expect(changed).toHaveBeenCalledTimes(1)
  })
})
