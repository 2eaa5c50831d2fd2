import { locked, unlocked } from '@/ui/locked'
import { wellFormed } from '@/ui/text'
import { Problem, problemOf } from './problem'

type Query = Record<string, string | number | null | undefined>

let csrf = ''
let onUnauthorized: () => Promise<boolean> = () => Promise.resolve(false)

/** They are about the login itself: no lock keeps them. */
const ABOUT_LOGIN = ['/api/v1/login', '/api/v1/logout', '/api/v1/session', '/api/v1/session/activity']

export function setCsrf(token: string): void {
  csrf = token
}

export function csrfToken(): string {
  return csrf
}

/** Called for every 401 outside the login itself: the session ended. True, at last: the same person is logged in again. */
export function setUnauthorizedHandler(handler: () => Promise<boolean>): void {
  onUnauthorized = handler
}

/** Something else than a call found out that the session ended. */
export function sessionEnded(): void {
  void onUnauthorized()
}

export function withQuery(path: string, query: Query = {}): string {
  const params = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') params.set(key, String(value))
  }
  const text = params.toString()
  return text ? `${path}?${text}` : path
}

const jsonOf = (body: unknown) =>
  JSON.stringify(body, (_key, value: unknown) => (typeof value === 'string' ? wellFormed(value) : value))

async function send(method: string, path: string, payload?: string, etag = ''): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (etag) headers['If-None-Match'] = etag
  if (method !== 'GET') headers['X-CSRF-Token'] = csrf
  if (payload !== undefined) headers['Content-Type'] = 'application/json'
  try {
    return await fetch(path, { method, headers, body: payload, credentials: 'same-origin', cache: 'no-store' })
  } catch {
    throw new Problem(0, 'network', '', null, '')
  }
}

/** The login has ended, or another one has taken its place in this browser. */
const isForeign = (problem: Problem) =>
  problem.status === 401 || (problem.status === 403 && problem.field === 'X-CSRF-Token')

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  // a body always has a length: chunked bodies are refused
  const payload = method === 'GET' || method === 'DELETE' ? undefined : jsonOf(body ?? {})
  const inside = !ABOUT_LOGIN.includes(path)
  // what is to be saved waits for the lock to open; what a page asks for by itself it asks for again
  if (inside && locked.value && method === 'GET') throw new Problem(0, 'locked', '', null, '')
  if (inside) await unlocked()
  let response = await send(method, path, payload)
  if (!response.ok) {
    const problem = await problemOf(response)
    // nothing has happened: once the same person is there again it is done after all
    if (!inside || !isForeign(problem) || !(await onUnauthorized())) throw problem
    response = await send(method, path, payload)
    if (!response.ok) throw await problemOf(response)
  }
  if (response.status === 204 || response.headers.get('content-length') === '0') return undefined as T
  return (await response.json()) as T
}

/** null: nothing changed since that etag. */
async function fresh<T>(path: string, etag: string): Promise<{ etag: string; value: T } | null> {
  if (locked.value) throw new Problem(0, 'locked', '', null, '')
  const response = await send('GET', path, undefined, etag)
  if (response.status === 304) return null
  if (!response.ok) throw await problemOf(response)
  return { etag: response.headers.get('etag') ?? '', value: (await response.json()) as T }
}

export const api = {
  get: <T>(path: string, query?: Query) => call<T>('GET', withQuery(path, query)),
  post: <T = void>(path: string, body?: unknown) => call<T>('POST', path, body),
  put: <T = void>(path: string, body?: unknown) => call<T>('PUT', path, body),
  delete: <T = void>(path: string) => call<T>('DELETE', path),
  fresh,
}
