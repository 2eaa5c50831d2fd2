/* What a slide is: asked for when a hand comes near the slide, so that a click finds it there. */

import type { SlideInfo } from './source/levels'

/** A description that nobody used is asked for anew: rights end, and an overview gets made. */
const FRESH_MS = 10_000

const asked = new Map<string, { at: number; slide: Promise<SlideInfo> }>()

async function ask(file: string): Promise<SlideInfo> {
  const answer = await fetch(`/slides/${file}/info.json`)
  if (!answer.ok) throw new Error(`${answer.status}`)
  return (await answer.json()) as SlideInfo
}

/** @throws when there is none, or no right to it */
export function describe(file: string, now: number = performance.now()): Promise<SlideInfo> {
  const before = asked.get(file)
  asked.delete(file)
  return before && now - before.at < FRESH_MS ? before.slide : ask(file)
}

/** Small as it is, the same picture as the overview's: what stands there until the slide does. */
export const glimpse = (file: string): string => `/api/v1/files/${file}/thumbnail?size=336`

/** A hand is near. What fails is asked for again when it is really wanted. */
export async function readyToLook(file: string, now: number = performance.now()): Promise<void> {
  if (now - (asked.get(file)?.at ?? -Infinity) < FRESH_MS) return
  new Image().src = glimpse(file)
  const slide = ask(file)
  asked.set(file, { at: now, slide })
  await slide.catch(() => asked.delete(file))
}
