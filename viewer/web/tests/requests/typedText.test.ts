import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem } from '@/api/problem'
import { TypedText, type TextDoor } from '@/requests/typedText'
import type { Kept } from '@/ui/unsentDraft'

/** The server's rules: a revision must be the last one, what was sent is no draft any more. */
class Store implements TextDoor {
  revision = 0
  text: string | null = null
  sent = ''
  broken: Problem | null = null
  saves = 0

  async load() {
    return { revision: this.revision, updated_at: 7, text: this.text, sent: this.sent }
  }
  async save(body: { revision: number; text: string | null }) {
    this.saves++
    if (this.broken) throw this.broken
    if (body.revision !== this.revision) throw new Problem(409, '', '', 'revision', '')
    this.text = body.text
    return { revision: ++this.revision, updated_at: 8 }
  }
  send = async (text: string, draft: number) => {
    if (this.broken) throw this.broken
    if (draft !== this.revision) throw new Problem(409, '', '', 'revision', '')
    this.revision++
    this.text = null
    this.sent = text
  }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
async function opened(store: Store, kept?: Kept) {
  const draft = new TypedText(store)
  await draft.restore(kept)
  return draft
}
function type(draft: TypedText, text: string) {
  draft.state.text = text
  draft.typed()
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a record that is typed', () => {
  it('is there again after the tab died, and says from when', async () => {
    const store = new Store()
    store.sent = '患者已转入病房。'
    type(await opened(store), '患者已转入病房。\n复查血')
    await pass(1300)
    const again = await opened(store)
    expect([again.state.text, again.state.restoredAt, again.differs]).toEqual(['患者已转入病房。\n复查血', 7, true])
    expect((await opened(new Store())).state.restoredAt).toBe(0)
  })

  it('heals after the network broke while it was saved and while it was sent', async () => {
    const store = new Store()
    const draft = await opened(store)
    store.broken = new Problem(0, '', '', null, '')
    type(draft, '复查')
    await pass(1300)
    expect(draft.state.phase).toBe('failed')
    await expect(draft.send(store.send, true)).rejects.toBeInstanceOf(Problem)
    store.broken = null
    await pass(4100)
    expect([draft.state.phase, store.text, store.sent]).toEqual(['clean', '复查', ''])
  })

  it('is no draft any more once it was sent: a record stays, an opinion goes', async () => {
    for (const [stays, text] of [
      [true, '复查'],
      [false, ''],
    ] as const) {
      const store = new Store()
      const draft = await opened(store)
      type(draft, '复查 ')
      await draft.send(store.send, stays)
      expect([store.sent, store.text, draft.state.text, draft.differs]).toEqual(['复查', null, text, false])
      await pass(10_000)
      expect(store.saves).toBe(0)
    }
  })

  it('typed while it was on its way is the next draft', async () => {
    const store = new Store()
    const draft = await opened(store)
    type(draft, 'sent')
    await draft.send(async (text, seen) => {
      type(draft, 'sent and more')
      await store.send(text, seen)
    }, true)
    expect(draft.state.text).toBe('sent and more')
    await pass(1300)
    expect([store.sent, store.text]).toEqual(['sent', 'sent and more'])
  })

  it('taken back leaves nothing', async () => {
    const store = new Store()
    const draft = await opened(store)
    type(draft, 'x')
    await pass(1300)
    await draft.discard()
    expect([store.text, draft.differs, draft.state.savedAt]).toEqual([null, false, 0])
  })

  it('overwrites and sends nothing over another window', async () => {
    const store = new Store()
    const [first, second] = [await opened(store), await opened(store)]
    type(first, 'first')
    await pass(1300)
    type(second, 'second')
    await expect(second.send(store.send, true)).rejects.toBeInstanceOf(Problem)
    expect([second.state.phase, store.text, store.sent]).toEqual(['conflict', 'first', ''])
    await second.keepMine()
    expect([store.text, second.state.phase]).toEqual(['second', 'clean'])
  })

  it('that could not be saved because the login ended is saved after the next one', async () => {
    const store = new Store()
    const draft = await opened(store, { text: '复查血', revision: 0 })
    await pass(1300)
    expect([draft.state.text, store.text]).toEqual(['复查血', '复查血'])
    const late = await opened(store, { text: 'old', revision: 0 })
    expect([late.state.phase, late.state.text]).toEqual(['conflict', 'old'])
  })
})
