/* What keeps a request from being handed in: each in words, with the place on the page where it is mended. Pure. */
import { hasStopped, type Job } from '@/uploads/queue'
import type { Faults } from './formFaults'
import { missingCategories } from './state'

export interface Missing {
  /** id of the element */
  at: string
  key: string
  /** What the words name: a key of its own, or as it is. */
  what?: string
  n?: number
  name?: string
}

export const placeOf = {
  field: (field: string) => `field-${field}`,
  category: (category: string) => `category-${category}`,
  job: (job: Pick<Job, 'key'>) => `upload-${job.key}`,
}

export function missingOf(faults: Faults, files: { category: string }[], jobs: Job[]): Missing[] {
  const fields = Object.entries(faults).flatMap(([field, fault]) => (fault === 'missing' ? [field] : []))
  const going = jobs.filter((job) => !hasStopped(job))
  return [
    ...fields.map((field) => ({ at: placeOf.field(field), key: 'required', what: `request.field.${field}` })),
    ...missingCategories(files).map((category) => ({
      at: placeOf.category(category),
      key: 'missing_file',
      what: `category.${category}`,
    })),
    ...going.slice(0, 1).map((job) => ({ at: placeOf.job(job), key: 'unfinished', n: going.length })),
    ...jobs.filter(hasStopped).map((job) => ({ at: placeOf.job(job), key: 'not_sent', name: job.name })),
  ]
}

/** Brings it to the middle of the page, the keyboard with it. */
export function goTo(at: string): void {
  const place = document.getElementById(at)
  const first = place?.querySelector<HTMLElement>('input:not([type="file"]), textarea, button')
  first?.focus({ preventScroll: true })
  place?.scrollIntoView({ block: 'center' })
}
