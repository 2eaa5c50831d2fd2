/* The uploads of one request: two at a time, each checked by SHA-256, each able to go on where it was cut off. Lives on while one moves about in the app. */
import { reactive } from 'vue'
import { DetailedError, Upload } from 'tus-js-client'
import { csrfToken, sessionEnded } from '@/api/client'
import { Problem, problemFrom, type ProblemBody } from '@/api/problem'
import { onUnlock } from '@/ui/locked'
import { Bundle, type Chosen } from './folders'
import { hashesOf, stillReadable, Unreadable } from './hash'
import { isTaken } from './kinds'
import { UnfinishedList, type Unfinished } from './unfinished'

export type JobState = 'queued' | 'hashing' | 'sending' | 'waiting' | 'checking' | 'paused' | 'interrupted' | 'failed'

export interface Job {
  readonly key: number
  category: string
  name: string
  size: number
  /** of several files: to go on the folder has to be chosen again */
  folder: boolean
  state: JobState
  /** bytes hashed or sent */
  done: number
  /** bytes per second, 0: not known yet */
  speed: number
  /** why it failed */
  error: unknown
}

/** The chosen file is not the one that was cut off. */
export class OtherFile extends Error {}
/** The file was changed while it was sent: what arrived of it is of no use. */
export class ChangedFile extends Error {}
/** The server no longer has what arrived before the cut. */
export class Expired extends Error {}

/* What only choosing a file mends. */
const needsFile = (error: unknown) =>
  error instanceof OtherFile || error instanceof ChangedFile || error instanceof Unreadable

const endedLogin = (error: unknown) => error instanceof Problem && error.status === 401

/** It does not go on by itself: somebody has to do something about it. */
export const hasStopped = (job: Job) => ['paused', 'interrupted', 'failed'].includes(job.state)

/* Says what has failed while nobody looks at the list. */
let tell: (job: Job) => void = () => undefined
export function tellFailedUploads(fn: (job: Job) => void): void {
  tell = fn
}

interface Work {
  file: Chosen | null
  sha256: string
  /** of the files of a folder */
  crcs: number[]
  url: string | null
  tus: Upload | null
  abort: AbortController | null
  marks: { at: number; done: number }[]
}

const AT_ONCE = 2
const CHUNK = 8 << 20
const RETRY_MS = [500, 1000, 2000, 3000, 5000, 5000, 8000, 8000, 10_000, 15_000, 20_000, 30_000, 30_000, 30_000]
const SPEED_OVER_MS = 5000

let nextKey = 1

export class UploadQueue {
  readonly jobs: Job[] = reactive([])
  /** The list stands on the page. */
  shown = false
  /** A file is complete. */
  onFile: (file: string) => void = () => undefined
  private readonly work = new Map<number, Work>()
  private readonly unfinished = new UnfinishedList()

  constructor(readonly request: string) {
    for (const row of this.unfinished.of(request)) void this.find(row)
  }

  get busy(): boolean {
    return this.jobs.some((job) => !hasStopped(job))
  }

  add(category: string, files: Chosen[]): void {
    for (const file of files) {
      const old = this.jobs.find((job) => job.state === 'interrupted' && job.name === file.name && this.fits(job, file))
      const failed = this.jobs.find(
        (job) => job.state === 'failed' && job.name === file.name && job.category === category,
      )
      if (failed) this.forget(failed) // this one takes its place
      if (old) this.choose(old, file)
      else
        this.make(
          {
            category,
            name: file.name,
            size: file.size,
            folder: file instanceof Bundle,
            state: 'queued',
            done: 0,
          },
          { file, sha256: '', url: null },
        )
    }
    this.next()
  }

  /** Goes on with one that a reload cut off. */
  choose(job: Job, file: Chosen | null): void {
    const work = this.work.get(job.key)
    if (!work) return
    if (!file || !this.fits(job, file)) {
      job.error = new OtherFile()
      return
    }
    job.name = file.name
    job.size = file.size
    work.file = file
    job.error = null
    job.state = 'queued'
    this.next()
  }

  /* Where something of it lies on the server it has to be the same file again. */
  private fits(job: Job, file: Chosen): boolean {
    return !this.work.get(job.key)?.url || file.size === job.size
  }

  pause(job: Job): void {
    const work = this.work.get(job.key)
    if (!work) return
    job.state = 'paused'
    job.speed = 0
    work.abort?.abort(new Error('paused'))
    void work.tus?.abort().catch(() => undefined)
    this.next()
  }

  resume(job: Job): void {
    job.error = null
    job.state = this.work.get(job.key)?.file ? 'queued' : 'interrupted'
    this.next()
  }

  async cancel(job: Job): Promise<void> {
    const work = this.work.get(job.key)
    this.forget(job)
    work?.abort?.abort(new Error('cancelled'))
    if (work) await this.giveBack(work)
    this.next()
  }

  /** What arrived is thrown away; another try begins anew. */
  private async giveBack(work: Work): Promise<void> {
    const tus = work.tus
    const url = tus?.url ?? work.url
    if (work.url) this.unfinished.drop(work.url)
    work.url = null
    work.tus = null
    work.sha256 = ''
    await tus?.abort().catch(() => undefined)
    if (url)
      await fetch(url, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0', 'X-CSRF-Token': csrfToken() } }).catch(
        () => undefined,
      )
  }

  /** The same person is logged in again: what his former login's end stopped goes on. */
  goOn(): void {
    for (const job of this.jobs) if (job.state === 'failed' && endedLogin(job.error)) this.resume(job)
  }

  /** Stops everything, e.g. at logout. */
  close(): void {
    for (const work of this.work.values()) {
      work.abort?.abort(new Error('closed'))
      void work.tus?.abort().catch(() => undefined)
    }
    this.jobs.splice(0)
    this.work.clear()
  }

  private make(
    job: Pick<Job, 'category' | 'name' | 'size' | 'folder' | 'state' | 'done'>,
    work: Pick<Work, 'file' | 'sha256' | 'url'>,
  ): Job {
    const key = nextKey++
    this.jobs.push({ key, speed: 0, error: null, ...job })
    this.work.set(key, { tus: null, abort: null, marks: [], crcs: [], ...work })
    // the reactive one, so that changes show
    return this.jobs[this.jobs.length - 1] as Job
  }

  private forget(job: Job): void {
    const work = this.work.get(job.key)
    if (work?.url) this.unfinished.drop(work.url)
    this.work.delete(job.key)
    const at = this.jobs.findIndex((other) => other.key === job.key)
    if (at >= 0) this.jobs.splice(at, 1)
  }

  /** Asks the server how far one of an earlier page came. */
  private async find(row: Unfinished): Promise<void> {
    const job = this.make(
      {
        category: row.category,
        name: row.name,
        size: row.size,
        folder: row.folder === true,
        state: 'interrupted',
        done: 0,
      },
      { file: null, sha256: row.sha256, url: row.url },
    )
    try {
      const answer = await fetch(row.url, { method: 'HEAD', headers: { 'Tus-Resumable': '1.0.0' }, cache: 'no-store' })
      if (answer.ok && !answer.headers.get('x-file-id')) job.done = Number(answer.headers.get('upload-offset')) || 0
      else if (answer.ok) this.forget(job)
      else if (answer.status === 404) this.expire(job)
    } catch {
      // offline: it stays in the list
    }
  }

  /** It stands in the list until it is chosen again or cancelled: nothing goes missing without a word. */
  private expire(job: Job): void {
    const work = this.work.get(job.key)
    if (!work) return
    if (work.url) this.unfinished.drop(work.url)
    work.url = null
    work.sha256 = ''
    job.error = new Expired()
  }

  private next(): void {
    const running = this.jobs.filter((job) => ['hashing', 'sending', 'waiting', 'checking'].includes(job.state)).length
    for (const job of this.jobs.filter((one) => one.state === 'queued').slice(0, Math.max(0, AT_ONCE - running)))
      void this.run(job)
  }

  private async run(job: Job): Promise<void> {
    const work = this.work.get(job.key)
    if (!work?.file) return
    try {
      await this.hash(job, work, work.file)
      if (work.tus) {
        job.state = 'sending'
        work.tus.start()
      } else this.send(job, work, work.file)
    } catch (error) {
      if (!this.work.has(job.key) || (job.state as JobState) === 'paused') return
      this.fail(job, needsFile(error) || error instanceof Problem ? error : new Unreadable())
    }
  }

  private async hash(job: Job, work: Work, file: Chosen): Promise<void> {
    if (work.tus) return
    const known = work.sha256
    const sent = job.done
    job.state = 'hashing'
    job.done = 0
    work.abort = new AbortController()
    // as the server would, after hashing and sending what may be large
    if (!(file instanceof Bundle) && !(await isTaken(file, job.name))) throw new Problem(415, '', '', 'filename', '')
    const { sha256, crcs } = await hashesOf(file, work.abort.signal, (done) => (job.done = done))
    job.done = work.url ? sent : 0
    // the same bytes as before the cut, or it is another file
    if (work.url && known && known !== sha256) {
      work.file = null
      throw new OtherFile()
    }
    work.sha256 = sha256
    work.crcs = crcs
  }

  private send(job: Job, work: Work, file: Chosen): void {
    const body = file instanceof Bundle ? file.blob(work.crcs) : file
    let fileId = ''
    job.state = 'sending'
    work.marks = []
    work.tus = new Upload(body, {
      endpoint: `${location.origin}/uploads`,
      uploadUrl: work.url ? location.origin + work.url : null,
      chunkSize: CHUNK,
      retryDelays: RETRY_MS,
      storeFingerprintForResuming: false,
      metadata: {
        request: this.request,
        category: job.category,
        filename: job.name,
        filetype: file.type,
        sha256: work.sha256,
      },
      onBeforeRequest: (request) => request.setHeader('X-CSRF-Token', csrfToken()),
      onAfterResponse: (_request, response) => {
        fileId = response.getHeader('X-File-Id') ?? fileId
      },
      onUploadUrlAvailable: () => {
        const url = work.tus?.url ? new URL(work.tus.url, location.origin).pathname : null
        if (work.url && work.url !== url) this.unfinished.drop(work.url)
        work.url = url
        if (url)
          this.unfinished.put({
            request: this.request,
            category: job.category,
            name: job.name,
            size: job.size,
            folder: job.folder,
            sha256: work.sha256,
            url,
            at: Date.now(),
          })
      },
      onProgress: (sent, total) => this.progress(job, work, sent, total),
      onShouldRetry: (error) => {
        const status = error.originalResponse?.getStatus() ?? 0
        const again = status === 0 || status === 409 || status === 423 || status === 429 || status >= 500
        if (again && job.state !== 'paused') job.state = 'waiting'
        // a file that was changed cannot be read any more, and that looks like a network that failed
        if (status === 0) void this.lookAtFile(job, work, file)
        return again
      },
      onError: (error) => {
        if (!this.work.has(job.key) || job.state === 'paused') return
        this.fail(job, problemOfUpload(error))
      },
      onSuccess: () => {
        this.forget(job)
        this.onFile(fileId)
        this.next()
      },
    })
    work.tus.start()
  }

  private async lookAtFile(job: Job, work: Work, file: Chosen): Promise<void> {
    if ((await stillReadable(file)) || this.work.get(job.key) !== work || work.file !== file) return
    this.fail(job, new ChangedFile())
  }

  private progress(job: Job, work: Work, sent: number, total: number): void {
    if (job.state === 'paused') return
    job.state = sent >= total ? 'checking' : 'sending'
    job.done = sent
    const at = performance.now()
    work.marks = [...work.marks.filter((mark) => at - mark.at < SPEED_OVER_MS && mark.done <= sent), { at, done: sent }]
    const first = work.marks[0]
    if (first && at - first.at > 500) job.speed = ((sent - first.done) * 1000) / (at - first.at)
  }

  private fail(job: Job, error: unknown): void {
    const work = this.work.get(job.key)
    job.speed = 0
    job.error = error
    job.state = needsFile(error) ? 'interrupted' : 'failed'
    if (work && needsFile(error)) work.file = null
    if (work && error instanceof ChangedFile) {
      job.done = 0
      void this.giveBack(work)
    }
    // what the server refused it has thrown away: another try begins anew
    if (
      work &&
      error instanceof Problem &&
      error.status >= 400 &&
      error.status < 500 &&
      ![401, 403, 429].includes(error.status)
    ) {
      if (work.url) this.unfinished.drop(work.url)
      work.url = null
      work.tus = null
      job.done = 0
    }
    if (endedLogin(error)) sessionEnded()
    else if (!this.shown) tell(job)
    this.next()
  }
}

/** A tus error as the problem document that the server sent. */
export function problemOfUpload(error: Error | DetailedError): Problem {
  const response = error instanceof DetailedError ? error.originalResponse : null
  const status = response?.getStatus() ?? 0
  if (!response || status === 0) return new Problem(0, 'network', '', null, '')
  try {
    return problemFrom(status, JSON.parse(response.getBody()) as ProblemBody)
  } catch {
    return problemFrom(status, {})
  }
}

const queues = new Map<string, UploadQueue>()

export function uploadsOf(request: string): UploadQueue {
  let queue = queues.get(request)
  if (!queue) queues.set(request, (queue = new UploadQueue(request)))
  return queue
}

onUnlock(() => {
  for (const queue of queues.values()) queue.goOn()
})

export function anyUploadBusy(): boolean {
  return [...queues.values()].some((queue) => queue.busy)
}

export function closeUploads(): void {
  for (const queue of queues.values()) queue.close()
  queues.clear()
}
