import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem } from '@/api/problem'
import type { RequestForm } from '@/api/types'
import { FormDraft, emptyForm, type FormDoor, type KeptForm } from '@/requests/formDraft'

/** The server's rules: a revision must be the last one, what was sent is no draft any more. */
class Store implements FormDoor {
  revision = 0
  form: RequestForm | null = null
  base = emptyForm()
  broken: Problem | null = null
  saves = 0

  async load() {
    return { revision: this.revision, updated_at: 7, form: this.form, base: this.base }
  }
  async save(body: { revision: number; form: RequestForm | null }) {
    this.saves++
    if (this.broken) throw this.broken
    if (body.revision !== this.revision) throw new Problem(409, '', '', 'revision', '')
    this.form = body.form
    return { revision: ++this.revision, updated_at: 8 }
  }
  send = async (form: RequestForm, draft: number) => {
    if (this.broken) throw this.broken
    if (draft !== this.revision) throw new Problem(409, '', '', 'revision', '')
    this.revision++
    this.form = null
    this.base = form
  }
}

const named = (name: string): RequestForm => ({ ...emptyForm(), patient: { ...emptyForm().patient, name } })
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
async function opened(store: Store, kept?: KeptForm) {
  const draft = new FormDraft(store)
  await draft.load(kept)
  return draft
}
function type(draft: FormDraft, name: string) {
  draft.state.form.patient.name = name
  draft.typed()
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a form that is typed', () => {
  it('is saved a moment later, once, and at the latest after 8 s', async () => {
    const store = new Store()
    const draft = await opened(store)
    for (const name of ['王', '王小', '王小明']) {
      type(draft, name)
      await pass(500)
    }
    expect(store.saves).toBe(0)
    await pass(1300)
    expect([store.saves, store.form?.patient.name, draft.state.phase]).toEqual([1, '王小明', 'clean'])
    expect(draft.state.savedAt).toBe(8)
    for (let i = 0; i < 18; i++) {
      type(draft, `x${i}`)
      await pass(500)
    }
    expect(store.saves).toBe(2)
  })

  it('is there again after a reload, and says from when', async () => {
    const store = new Store()
    type(await opened(store), '王小明')
    await pass(1300)
    const again = await opened(store)
    expect([again.state.form.patient.name, again.state.restoredAt, again.differs]).toEqual(['王小明', 7, true])
    expect((await opened(new Store())).state.restoredAt).toBe(0)
  })

  it('typed and taken back leaves nothing', async () => {
    const store = new Store()
    const draft = await opened(store)
    type(draft, 'x')
    await pass(1300)
    await draft.discard()
    expect([store.form, draft.differs, draft.state.savedAt]).toEqual([null, false, 0])
  })

  it('heals by itself after the network broke, and says so until then', async () => {
    const store = new Store()
    const draft = await opened(store)
    store.broken = new Problem(0, '', '', null, '')
    type(draft, 'x')
    await pass(1300)
    expect(draft.state.phase).toBe('failed')
    store.broken = null
    await pass(4100)
    expect([draft.state.phase, store.form?.patient.name]).toEqual(['clean', 'x'])
  })

  it('overwrites nothing of another window: whoever is second is told', async () => {
    const store = new Store()
    const [first, second] = [await opened(store), await opened(store)]
    type(first, 'first')
    await pass(1300)
    type(second, 'second')
    await pass(1300)
    expect([second.state.phase, store.form?.patient.name]).toEqual(['conflict', 'first'])
    type(second, 'second again')
    await pass(20_000)
    expect(store.form?.patient.name).toBe('first')
    second.takeTheirs()
    expect([second.state.phase, second.state.form.patient.name]).toEqual(['clean', 'first'])
    type(first, 'more')
    await pass(1300)
    type(second, 'mine')
    await pass(1300)
    await second.keepMine()
    expect([store.form?.patient.name, second.state.phase]).toEqual(['mine', 'clean'])
  })

  it('knows its own save whose answer was lost', async () => {
    const store = new Store()
    const draft = await opened(store)
    store.form = named('x')
    store.revision = 1
    type(draft, 'x')
    await pass(1300)
    expect([draft.state.phase, draft.state.revision]).toEqual(['clean', 1])
  })

  it('is no draft any more once it was sent, and what was typed meanwhile is the next one', async () => {
    const store = new Store()
    const draft = await opened(store)
    type(draft, 'sent')
    const sending = draft.send(async (form, seen) => {
      draft.state.form.patient.name = 'typed meanwhile'
      draft.typed()
      return store.send(form, seen)
    })
    await sending
    expect([store.base.patient.name, store.form]).toEqual(['sent', null])
    await pass(1300)
    expect([(store.form as RequestForm | null)?.patient.name, draft.state.phase]).toEqual(['typed meanwhile', 'clean'])
  })

  it('cannot be sent over what another window sent', async () => {
    const store = new Store()
    const [first, second] = [await opened(store), await opened(store)]
    type(first, 'first')
    await first.send(store.send)
    type(second, 'second')
    await expect(second.send(store.send)).rejects.toBeInstanceOf(Problem)
    expect([second.state.phase, store.base.patient.name]).toEqual(['conflict', 'first'])
    second.takeTheirs()
    expect([second.state.form.patient.name, second.differs]).toEqual(['first', false])
  })

  it('that could not be saved because the login ended is saved after the next one', async () => {
    const store = new Store()
    store.form = named('王')
    store.revision = 3
    const draft = await opened(store, { form: named('王小明'), revision: 3 })
    expect([draft.state.form.patient.name, draft.dirty]).toEqual(['王小明', true])
    await pass(1300)
    expect(store.form.patient.name).toBe('王小明')
    // another window went on meanwhile
    const late = await opened(store, { form: named('old'), revision: 3 })
    expect([late.state.phase, late.state.form.patient.name]).toEqual(['conflict', 'old'])
  })
})
