/* Uploads that were begun and not ended, kept over a reload. The browser forgets them with everything else at logout. */

export interface Unfinished {
  request: string
  category: string
  name: string
  size: number
  /** of several files */
  folder?: boolean
  sha256: string
  url: string
  at: number
}

const STORAGE = 'consilium.uploads'
/** As long as the server keeps what arrived. */
const KEEP_MS = 7 * 86400000

export interface TextStore {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

function isUnfinished(value: unknown): value is Unfinished {
  const row = value as Unfinished
  return (
    typeof row === 'object' &&
    row !== null &&
    [row.request, row.category, row.name, row.sha256, row.url].every((text) => typeof text === 'string') &&
    /^\/uploads\/[A-Za-z0-9_-]+$/.test(row.url) &&
    Number.isFinite(row.size) &&
    Number.isFinite(row.at)
  )
}

export class UnfinishedList {
  constructor(
    private readonly store: TextStore | null = defaultStore(),
    private readonly now: () => number = Date.now,
  ) {}

  all(): Unfinished[] {
    try {
      const rows = JSON.parse(this.store?.getItem(STORAGE) ?? '[]') as unknown[]
      return Array.isArray(rows) ? rows.filter(isUnfinished).filter((row) => this.now() - row.at < KEEP_MS) : []
    } catch {
      return []
    }
  }

  of(request: string): Unfinished[] {
    return this.all().filter((row) => row.request === request)
  }

  put(row: Unfinished): void {
    this.write([...this.all().filter((other) => other.url !== row.url), row])
  }

  drop(url: string): void {
    this.write(this.all().filter((row) => row.url !== url))
  }

  private write(rows: Unfinished[]): void {
    try {
      if (rows.length) this.store?.setItem(STORAGE, JSON.stringify(rows.slice(-100)))
      else this.store?.removeItem(STORAGE)
    } catch {
      // a private window: the upload goes on, only a reload forgets it
    }
  }
}

function defaultStore(): TextStore | null {
  try {
    return localStorage
  } catch {
    return null
  }
}
