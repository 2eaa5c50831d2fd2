export type Weakness = 'short' | 'letter' | 'digit' | 'symbol' | 'username'

/** What is missing in a new password, or null. The server decides; this only says so while typing. */
export function passwordWeakness(password: string, username: string): Weakness | null {
  if ([...password].length < 10) return 'short'
  if (!/\p{L}/u.test(password)) return 'letter'
  if (!/\d/.test(password)) return 'digit'
  if (!/[^\p{L}\p{N}\s]/u.test(password)) return 'symbol'
  if (username && password.toLowerCase().includes(username.toLowerCase())) return 'username'
  return null
}
