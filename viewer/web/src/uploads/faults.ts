/* Why an upload does not go on, in one sentence. */
import { plainMessage } from '@/api/problem'
import { Unreadable } from './hash'
import { ChangedFile, Expired, OtherFile, type Job } from './queue'

type Translate = (key: string, named?: Record<string, unknown>) => string

export function faultWords({ error, name }: Pick<Job, 'error' | 'name'>, t: Translate): string {
  if (error instanceof OtherFile) return t('request.upload.other_file', { name })
  if (error instanceof ChangedFile) return t('request.upload.changed', { name })
  if (error instanceof Expired) return t('request.upload.expired')
  return error instanceof Unreadable ? t('request.upload.unreadable') : plainMessage(error, t)
}
