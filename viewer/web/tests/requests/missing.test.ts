import { expect, test } from 'vitest'
import { missingOf } from '@/requests/missing'
import type { Job } from '@/uploads/queue'

const job = (key: number, state: Job['state']) => ({ key, state, name: `${key}.pdf` }) as Job

test('what is missing leads to where it is mended', () => {
  const all = missingOf(
    { name: 'missing', phone: 'format', diagnosis: 'missing' },
    [{ category: 'lab' }],
    [job(3, 'failed'), job(4, 'sending'), job(5, 'queued'), job(6, 'paused')],
  )
  expect(all.map(({ at, key }) => [at, key])).toEqual([
    ['field-name', 'required'],
    ['field-diagnosis', 'required'],
    ['category-consent', 'missing_file'],
    ['upload-4', 'unfinished'],
    ['upload-3', 'not_sent'],
    ['upload-6', 'not_sent'],
  ])
  expect(all[3]?.n).toBe(2)
  expect(missingOf({ phone: 'format' }, [{ category: 'consent' }], [])).toEqual([])
})
