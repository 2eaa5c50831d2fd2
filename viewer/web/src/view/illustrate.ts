/*
 * Pictures of places on slides for a report. They are taken where a slide is looked at and arrive where the report is written; a click on one, or on its
 * number in the text, leads back to the place.
 */
import type { InjectionKey } from 'vue'
import { api } from '@/api/client'
import type { Figure, Report } from '@/api/types'
import type { Region } from './link'

export const regionOf = ({ cx, cy, w, h, rotation, mirror, z }: Figure): Region => ({
  cx,
  cy,
  w,
  h,
  rotation,
  mirror,
  z,
})

/** Whose report is written on this page, by request. */
const writers = new Map<string, (figure: Figure) => void>()

/** From now on pictures of this request go to `take`; gives back how to end that. */
export function receiveFigures(request: string, take: (figure: Figure) => void): () => void {
  writers.set(request, take)
  return () => {
    if (writers.get(request) === take) writers.delete(request)
  }
}

/* Nobody writes on this page now: it goes into the draft as it is stored, which is begun where there is none. */
async function append(request: string, figure: Figure): Promise<void> {
  const path = `/api/v1/requests/${request}/report`
  const report = await api.get<Report | null>(path)
  const figures = [...(report?.figures ?? []), figure].map(({ id, caption }) => ({ id, caption: caption ?? '' }))
  const { findings = '', conclusion = '', advice = '', revision = 0 } = report ?? {}
  const reason = report?.signed_at ? '' : (report?.reason ?? '')
  await api.put(path, { findings, conclusion, advice, reason, figures, revision })
}

/** Has a picture made of what is on screen and puts it into the report. @throws a problem */
export async function illustrate(
  request: string,
  file: string,
  region: Region,
  marks: readonly string[],
): Promise<void> {
  const made = await api.post<Figure>(`/api/v1/requests/${request}/figures`, { file, ...region, marks })
  const figure = { ...made, caption: '' }
  const take = writers.get(request)
  if (take) take(figure)
  else await append(request, figure)
}

/** Where a slide is looked at: the request whose report the viewer may illustrate; null for everybody else. */
export const illustrated: InjectionKey<() => string | null> = Symbol('illustrated')
/** Leads to a picture's place on its slide. */
export const toPlace: InjectionKey<(figure: Figure) => void> = Symbol('place')
