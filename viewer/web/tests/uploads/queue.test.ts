import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Problem } from '@/api/problem'
import { faultWords } from '@/uploads/faults'
import { stillReadable, Unreadable } from '@/uploads/hash'
import { ChangedFile, Expired, hasStopped, OtherFile, tellFailedUploads, UploadQueue, type Job } from '@/uploads/queue'

/* A browser page has these; here there is no worker, so that no file can be read. */
beforeEach(() => void vi.stubGlobal('location', { origin: 'http://127.0.0.1' }))
afterEach(() => void vi.unstubAllGlobals())

const file = (name: string, text: string) => Object.assign(new Blob([text]), { name }) as unknown as File
const settled = () => new Promise((yes) => setTimeout(yes, 20))

/* As Chromium (changed at all) and Firefox (cut short) say it. */
test('a file that was changed on the disk after it was chosen cannot be read any more', async () => {
  const reading = (read: () => Promise<ArrayBuffer>, size = 100) =>
    stillReadable({ size, slice: () => ({ arrayBuffer: read }) } as unknown as File)
  expect(await reading(() => Promise.reject(new DOMException('', 'NotReadableError')))).toBe(false)
  expect(await reading(() => Promise.resolve(new ArrayBuffer(0)))).toBe(false)
  expect(await stillReadable(new File(['xyz'], 'a'))).toBe(true)
  expect(await stillReadable(new File([], 'a'))).toBe(true)
})

test('one that cannot be read waits for another choice, of any size, and is told where nobody sees the list', async () => {
  const told: string[] = []
  tellFailedUploads((job) => told.push(job.name))
  const queue = new UploadQueue('r')
  queue.add('lab', [file('a.pdf', 'abc')])
  await settled()
  const job = queue.jobs[0] as Job
  expect([job.state, job.error instanceof Unreadable, hasStopped(job)]).toEqual(['interrupted', true, true])
  expect(told).toEqual(['a.pdf'])
  queue.shown = true
  queue.choose(job, file('b.pdf', 'abcdef'))
  expect([job.name, job.size, job.error]).toEqual(['b.pdf', 6, null])
  await settled()
  expect(told).toEqual(['a.pdf'])
  // the same name once more is the same upload
  queue.add('lab', [file('b.pdf', 'abcdefgh')])
  expect(queue.jobs.length).toBe(1)
  await settled()
  await queue.cancel(job)
  expect(queue.jobs.length).toBe(0)
})

test('why an upload does not go on is one sentence each', () => {
  const t = (key: string) => key
  const words = (error: unknown) => faultWords({ error, name: 'a.pdf' }, t)
  expect([new OtherFile(), new ChangedFile(), new Expired(), new Unreadable()].map(words)).toEqual([
    'request.upload.other_file',
    'request.upload.changed',
    'request.upload.expired',
    'request.upload.unreadable',
  ])
  expect(words(new Problem(422, '', '', 'filename', '', 'format'))).toBe('problem.field.file_name')
  expect(words(new Problem(422, '', '', 'filename', ''))).toBe('problem.field.content')
  expect(words(new Problem(415, '', '', 'filename', ''))).toBe('problem.field.kind')
})

test('what is of no kind that is taken is refused at once, and what cannot be read of it is no reason', async () => {
  const queue = new UploadQueue('r')
  queue.shown = true
  queue.add('imaging', [file('study.7z', 'abc'), file('IM000001', 'no DICOM'), file('b.exe', 'MZ')])
  await settled()
  expect(queue.jobs.map((job) => [job.state, faultWords(job, (key) => key)])).toEqual(
    Array(3).fill(['failed', 'problem.field.kind']),
  )
})
