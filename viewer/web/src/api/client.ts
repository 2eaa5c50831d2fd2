import { wellFormed } from '@/ui/text'
import { Problem, problemOf } from './problem'

type Query = Record<string, string | number | null | undefined>

let csrf = ''
let onUnauthorized: () => void = () => undefined

export function setCsrf(token: string): void {
  csrf = token
}

export function csrfToken(): string {
  return csrf
}

/** Called once for every 401 outside the login itself: the session ended. */
export function setUnauthorizedHandler(handler: () => void): void {
  onUnauthorized = handler
}

/** Something else than a call found out that the session ended. */
export function sessionEnded(): void {
  onUnauthorized()
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

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (method !== 'GET') headers['X-CSRF-Token'] = csrf
  // a body always has a length: chunked bodies are refused
  const payload = method === 'GET' || method === 'DELETE' ? undefined : jsonOf(body ?? {})
  if (payload !== undefined) headers['Content-Type'] = 'application/json'
  let response: Response
  try {
    response = await fetch(path, { method, headers, body: payload, credentials: 'same-origin', cache: 'no-store' })
  } catch {
    throw new Problem(0, 'network', '', null, '')
  }
  if (!response.ok) {
    const problem = await problemOf(response)
    if (problem.status === 401 && !path.endsWith('/login') && !path.endsWith('/session')) onUnauthorized()
    throw problem
  }
  if (response.status === 204 || response.headers.get('content-length') === '0') return undefined as T
  return (await response.json()) as T
}

export const api = {
  get: <T>(path: string, query?: Query) => call<T>('GET', withQuery(path, query)),
  post: <T = void>(path: string, body?: unknown) => call<T>('POST', path, body),
  put: <T = void>(path: string, body?: unknown) => call<T>('PUT', path, body),
  delete: (path: string) => call<void>('DELETE', path),
}
