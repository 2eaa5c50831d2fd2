/*
 * What somebody was typing when his login ended: in this page's memory alone and for him alone, until he has logged in again. Whatever is to
 * outlive the page lies on the server.
 */
let owner = ''
const values = new Map<string, unknown>()

/** Somebody is logged in: what another one typed is forgotten. */
export function keptFor(user: string): void {
  if (user !== owner) values.clear()
  owner = user
}

export function keep(user: string, key: string, value: unknown): void {
  if (user && user === owner) values.set(key, value)
}

/** Gives it once. */
export function takeKept<T>(user: string, key: string): T | undefined {
  const value = user === owner ? (values.get(key) as T | undefined) : undefined
  values.delete(key)
  return value
}

/** He logged out himself: nothing stays. */
export function forgetKept(): void {
  values.clear()
  owner = ''
}
