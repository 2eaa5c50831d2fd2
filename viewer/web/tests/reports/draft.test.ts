import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Problem } from '@/api/problem'
import type { Report, ReportTexts } from '@/api/types'
import { Draft } from '@/reports/draft'

const author = { id: 'u', name: '', title: '' }

/** The server's rules: a revision must be the last one. */
class Store {
  report: Report | null = null
  broken: Problem | null = null
  saves = 0
  discarded: number[] = []
  async load() {
    return this.report
  }
  async save(body: ReportTexts & { revision: number }) {
    this.saves++
    if (this.broken) throw this.broken
    if (body.revision !== (this.report?.revision ?? 0)) throw new Problem(409, '', '', 'revision', '')
    this.report = { ...body, revision: body.revision + 1, version: 1, author, updated_at: 1, signed_at: null }
    return { revision: this.report.revision }
  }
  async discard(revision: number) {
    if (this.broken) throw this.broken
    if (revision !== this.report?.revision) throw new Problem(409, '', '', 'revision', '')
    this.discarded.push(revision)
  }
  elsewhere(findings: string) {
    this.report = {
      findings,
      conclusion: '',
      advice: '',
      reason: '',
      figures: [],
      revision: (this.report?.revision ?? 0) + 1,
      version: 1,
      author,
      updated_at: 1,
      signed_at: null,
    }
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

async function opened(store: Store): Promise<Draft> {
  const draft = new Draft(store)
  await draft.load()
  return draft
}
function type(draft: Draft, text: string) {
  draft.state.texts.findings = text
  draft.typed()
}

test('what is typed is saved a moment later, once', async () => {
  const store = new Store(),
    draft = await opened(store)
  expect(draft.state.phase).toBe('clean')
  for (const text of ['a', 'ab', 'abc']) {
    type(draft, text)
    await vi.advanceTimersByTimeAsync(500)
  }
  expect(store.saves).toBe(0)
  expect(draft.state.phase).toBe('dirty')
  await vi.advanceTimersByTimeAsync(1300)
  expect(store.saves).toBe(1)
  expect(store.report?.findings).toBe('abc')
  expect([draft.state.phase, draft.state.revision, draft.state.stored]).toEqual(['clean', 1, true])
})

test('who never pauses is saved all the same', async () => {
  const store = new Store(),
    draft = await opened(store)
  for (let i = 0; i < 20; i++) {
    type(draft, 'x'.repeat(i + 1))
    await vi.advanceTimersByTimeAsync(600)
  }
  expect(store.saves).toBeGreaterThan(0)
})

test('a broken network is tried again and nothing is lost', async () => {
  const store = new Store(),
    draft = await opened(store)
  store.broken = new Problem(0, 'network', '', null, '')
  type(draft, 'text')
  await vi.advanceTimersByTimeAsync(1300)
  expect(draft.state.phase).toBe('failed')
  store.broken = null
  await vi.advanceTimersByTimeAsync(5000)
  expect([draft.state.phase, store.report?.findings]).toEqual(['clean', 'text'])
})

test('while a save takes long, the next waits for it, and none is refused', async () => {
  const store = new Store(),
    draft = await opened(store)
  const save = store.save.bind(store)
  let refused = 0,
    under = 0,
    together = 0
  store.save = async (body) => {
    together = Math.max(together, ++under)
    await new Promise((done) => setTimeout(done, 4000))
    under--
    return save(body).catch((error: unknown) => {
      refused++
      throw error
    })
  }
  for (let i = 1; i <= 58; i++) {
    type(draft, 'x'.repeat(i))
    void draft.flush()
    await vi.advanceTimersByTimeAsync(400)
  }
  await vi.advanceTimersByTimeAsync(20_000)
  expect([together, refused, draft.state.phase, store.report?.findings]).toEqual([1, 0, 'clean', 'x'.repeat(58)])
  expect(store.saves).toBeLessThan(10)
})

test('keeping mine sends it, also when the other window has saved meanwhile: then both are there again', async () => {
  const store = new Store(),
    draft = await opened(store)
  store.elsewhere('mine')
  type(draft, 'first')
  expect(await draft.flush()).toBe(false)
  draft.state.texts.findings = 'mine' // as the box shows it
  store.elsewhere('theirs, later')
  expect(await draft.keepMine()).toBe(false)
  expect([draft.state.phase, draft.state.theirs?.findings, draft.state.texts.findings]).toEqual([
    'conflict',
    'theirs, later',
    'mine',
  ])
  expect(await draft.keepMine()).toBe(true)
  expect([draft.state.phase, store.report?.findings]).toEqual(['clean', 'mine'])
})

test('a signature that is refused for another revision exchanges nothing', async () => {
  const store = new Store(),
    draft = await opened(store)
  type(draft, 'mine')
  await draft.flush()
  store.elsewhere('theirs')
  await draft.stale(new Problem(409, '', '', 'revision', ''))
  expect([draft.state.phase, draft.state.theirs?.findings, draft.state.texts.findings]).toEqual([
    'conflict',
    'theirs',
    'mine',
  ])
})

test('a save whose answer was lost is not somebody else, also when typing went on', async () => {
  const store = new Store(),
    draft = await opened(store)
  const save = store.save.bind(store)
  store.save = async (body) => {
    await save(body)
    store.save = save
    throw new Problem(0, 'network', '', null, '')
  }
  type(draft, 'one')
  await vi.advanceTimersByTimeAsync(1300)
  expect([draft.state.phase, store.report?.findings]).toEqual(['failed', 'one'])
  type(draft, 'one and more')
  await vi.advanceTimersByTimeAsync(10_000)
  expect([draft.state.phase, store.report?.findings]).toEqual(['clean', 'one and more'])
})

test('somebody else was first: both are there until one is chosen', async () => {
  const store = new Store(),
    draft = await opened(store)
  store.elsewhere('theirs')
  type(draft, 'mine')
  expect(await draft.flush()).toBe(false)
  expect([draft.state.phase, draft.state.theirs?.findings, draft.state.texts.findings]).toEqual([
    'conflict',
    'theirs',
    'mine',
  ])
  expect(await draft.flush()).toBe(false)
  expect(await draft.keepMine()).toBe(true)
  expect([draft.state.phase, store.report?.findings, store.report?.revision]).toEqual(['clean', 'mine', 2])
  store.elsewhere('theirs again')
  type(draft, 'mine again')
  await draft.flush()
  draft.takeTheirs()
  expect([draft.state.phase, draft.state.texts.findings, draft.dirty]).toEqual(['clean', 'theirs again', false])
})

test('an answer that was lost is no conflict', async () => {
  const store = new Store(),
    draft = await opened(store)
  store.elsewhere('mine')
  type(draft, 'mine')
  expect(await draft.flush()).toBe(true)
  expect([draft.state.phase, draft.state.revision]).toEqual(['clean', 1])
})

test('a signed report is where an amendment begins', async () => {
  const store = new Store()
  store.elsewhere('signed text')
  store.report = { ...(store.report as Report), signed_at: 5 }
  const draft = await opened(store)
  expect([draft.state.texts.findings, draft.state.stored, draft.state.signed?.signed_at]).toEqual([
    'signed text',
    false,
    5,
  ])
})

/** Version 1 is signed, and somebody has begun to amend it. */
async function amending(): Promise<[Store, Draft]> {
  const store = new Store()
  store.elsewhere('signed text')
  store.report = { ...(store.report as Report), reason: 'why it was amended before', signed_at: 5 }
  return [store, await opened(store)]
}

test('an amendment has a reason of its own', async () => {
  const [store, draft] = await amending()
  expect(draft.state.texts.reason).toBe('')
  draft.state.texts.reason = 'second look'
  draft.typed()
  await vi.advanceTimersByTimeAsync(1300)
  expect(store.report?.reason).toBe('second look')
  const again = await opened(store)
  expect(again.state.texts.reason).toBe('second look')
})

test('an amendment is given up as a whole, and nothing of it is saved afterwards', async () => {
  const [store, draft] = await amending()
  type(draft, 'wrong')
  await vi.advanceTimersByTimeAsync(1300)
  type(draft, 'more of it')
  await draft.discard()
  expect([store.discarded, draft.dirty, draft.state.texts.findings]).toEqual([[2], false, 'signed text'])
  await vi.advanceTimersByTimeAsync(20_000)
  expect([store.saves, await draft.flush()]).toEqual([1, true])
})

test('what only stands on the page is given up without the server', async () => {
  const [store, draft] = await amending()
  type(draft, 'not saved')
  await draft.discard()
  expect([store.saves, store.discarded, draft.state.texts.findings]).toEqual([0, [], 'signed text'])
})

test('where the server refuses, the amendment stays and is saved', async () => {
  const [store, draft] = await amending()
  type(draft, 'kept')
  await vi.advanceTimersByTimeAsync(1300)
  store.broken = new Problem(0, 'network', '', null, '')
  type(draft, 'kept as well')
  await expect(draft.discard()).rejects.toThrow()
  expect(draft.state.texts.findings).toBe('kept as well')
  store.broken = null
  await vi.advanceTimersByTimeAsync(9000)
  expect([draft.state.phase, store.report?.findings]).toEqual(['clean', 'kept as well'])
})
