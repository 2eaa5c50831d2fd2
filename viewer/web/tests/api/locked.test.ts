import { afterEach, expect, test, vi } from 'vitest'
import { api, setCsrf, setUnauthorizedHandler } from '@/api/client'
import { setLocked, unlocked } from '@/ui/locked'

const answer = (status: number, body: unknown = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })
const tick = () => new Promise((resolve) => setTimeout(resolve, 0))

afterEach(() => {
  setLocked(false)
  setUnauthorizedHandler(() => Promise.resolve(false))
  vi.unstubAllGlobals()
})

function server(...answers: Response[]) {
  const calls: { path: string; csrf: string | undefined; body: unknown }[] = []
  vi.stubGlobal('fetch', async (path: string, init: { headers: Record<string, string>; body?: string }) => {
    calls.push({ path, csrf: init.headers['X-CSRF-Token'], body: init.body && JSON.parse(init.body) })
    return answers.shift() ?? answer(200)
  })
  return calls
}

test('what was being saved when the login ended is saved once the same person is there again', async () => {
  const calls = server(answer(401), answer(200, { revision: 3 }))
  setCsrf('old')
  setUnauthorizedHandler(async () => {
    setLocked(true)
    await unlocked()
    return true
  })
  let saved: unknown = null
  void api.put('/api/v1/requests/1/draft', { text: '主诉' }).then((result) => (saved = result))
  await tick()
  expect([calls.length, saved]).toEqual([1, null])
  setCsrf('new')
  setLocked(false)
  await tick()
  expect(saved).toEqual({ revision: 3 })
  expect(calls[1]).toEqual({ path: '/api/v1/requests/1/draft', csrf: 'new', body: { text: '主诉' } })
})

test('behind the lock nothing is read and nothing sent, but the login itself', async () => {
  const calls = server()
  setLocked(true)
  await expect(api.get('/api/v1/requests')).rejects.toMatchObject({ status: 0 })
  let saved = false
  void api.put('/api/v1/requests/1/draft', {}).then(() => (saved = true))
  await api.post('/api/v1/login', { username: 'a', password: 'b' })
  await api.get('/api/v1/session')
  expect([calls.map((one) => one.path), saved]).toEqual([['/api/v1/login', '/api/v1/session'], false])
  setLocked(false)
  await tick()
  expect(saved).toBe(true)
})

test('without anybody logged in a refusal is one, and a second one is no loop', async () => {
  const calls = server(answer(401), answer(401), answer(401))
  await expect(api.get('/api/v1/requests')).rejects.toMatchObject({ status: 401 })
  setUnauthorizedHandler(() => Promise.resolve(true))
  await expect(api.get('/api/v1/requests')).rejects.toMatchObject({ status: 401 })
  expect(calls).toHaveLength(3)
})

test('a token of an earlier login in this browser is asked for anew; another refusal is not', async () => {
  const calls = server(
    answer(403, { field: 'X-CSRF-Token' }),
    answer(200, { ok: true }),
    answer(403, { detail: 'this needs a right' }),
  )
  let asked = 0
  setUnauthorizedHandler(async () => {
    asked++
    setCsrf('fresh')
    return true
  })
  expect(await api.post('/api/v1/requests', {})).toEqual({ ok: true })
  expect(calls[1]?.csrf).toBe('fresh')
  await expect(api.post('/api/v1/requests', {})).rejects.toMatchObject({ status: 403 })
  expect(asked).toBe(1)
})
