/* Which sheets of a slide lie on each other on screen: the plane, and every channel that is on. Pure. */
import type { Sheet, SlideInfo } from './levels'

/** What is chosen of a slide. */
export interface Chosen {
  z: number
  /** Numbers of the channels that are on; null: all, added up by the server. */
  channels: readonly number[] | null
}

export const chosenFirst = (info: SlideInfo): Chosen => ({ z: info.z?.first ?? 0, channels: null })

/** A plane that the slide has. */
export function planeOf(info: SlideInfo, z: number): number {
  const last = (info.z?.planes ?? 1) - 1
  return Math.max(0, Math.min(last, Math.round(z)))
}

/** All of them are one picture, which costs one tile instead of many; none is darkness. */
export function channelsOf(info: SlideInfo, on: readonly number[]): number[] | null {
  const count = info.channels?.length ?? 0
  const known = [...new Set(on)].filter((one) => one >= 0 && one < count).sort((a, b) => a - b)
  return known.length === count ? null : known
}

/** To be laid on each other, their light added. */
export function sheetsOf(info: SlideInfo, { z, channels }: Chosen): Sheet[] {
  const plane = info.z ? { z } : {}
  return channels ? channels.map((channel) => ({ ...plane, channel })) : [plane]
}

/** How far a plane lies from the one that is shown first, µm; null where the file does not say. */
export function depthOf(info: SlideInfo, z: number): number | null {
  if (!info.z || !(info.z.spacing_um > 0)) return null
  return (z - info.z.first) * info.z.spacing_um
}

/** "+1.5 µm"; in focus is 0. */
export function depthText(microns: number): string {
  const text = String(Number(Math.abs(microns).toPrecision(3)))
  return `${microns > 0 ? '+' : microns < 0 ? '−' : ''}${text} µm`
}
