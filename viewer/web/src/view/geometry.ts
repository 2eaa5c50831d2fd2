/* What part of a picture is on screen, in the picture's own coordinates. Pure arithmetic. */
import type { Region } from './link'

/**
 * Device pixels per pixel of a level, at least: the finest level that has so many is drawn. Levels halve, so it has between one and two pixels for each of
 * the screen's: none is enlarged, and none is finer than it must be. A little over 0.5, so that "exactly full size" does not fetch the level below it too.
 */
export const LEAST_RATIO = 0.501

/** Picture units per screen pixel at which a follower of this size sees the whole region. */
export function followScale(region: Pick<Region, 'w' | 'h'>, ownWidth: number, ownHeight: number): number {
  return Math.max(region.w / ownWidth, region.h / ownHeight)
}

export function regionOf(
  centre: { x: number; y: number },
  scale: number,
  width: number,
  height: number,
  rotation: number,
  mirror = false,
): Region {
  const region = { cx: centre.x, cy: centre.y, w: width * scale, h: height * scale, rotation: normalRotation(rotation) }
  return mirror ? { ...region, mirror } : region
}

/** How a picture lies: degrees clockwise, then mirrored. */
export type Turn = Pick<Region, 'rotation' | 'mirror'>

export function normalRotation(degrees: number): number {
  return ((degrees % 360) + 360) % 360
}

/** The rotation of a picture that a hand turns clockwise by `degrees`, as it is seen: what is mirrored turns the other way. */
export function turnedBy(turn: Turn, degrees: number): number {
  return normalRotation(turn.rotation + (turn.mirror ? -degrees : degrees))
}

/**
 * Where a point of the picture is on screen, from the middle of a view with this scale. The picture is turned clockwise first; then, mirrored, the left and
 * the right of the screen change places.
 */
export function toScreen(
  point: { x: number; y: number },
  region: Region,
  scale: number,
  width: number,
  height: number,
): { x: number; y: number } {
  const angle = (region.rotation * Math.PI) / 180
  const dx = (point.x - region.cx) / scale
  const dy = (point.y - region.cy) / scale
  const side = region.mirror ? -1 : 1
  return {
    x: width / 2 + side * (dx * Math.cos(angle) - dy * Math.sin(angle)),
    y: height / 2 + dx * Math.sin(angle) + dy * Math.cos(angle),
  }
}

export function toPicture(
  screen: { x: number; y: number },
  region: Region,
  scale: number,
  width: number,
  height: number,
): { x: number; y: number } {
  const angle = (-region.rotation * Math.PI) / 180
  const dx = (region.mirror ? -1 : 1) * (screen.x - width / 2)
  const dy = screen.y - height / 2
  return {
    x: region.cx + (dx * Math.cos(angle) - dy * Math.sin(angle)) * scale,
    y: region.cy + (dx * Math.sin(angle) + dy * Math.cos(angle)) * scale,
  }
}

/** Corners of what is on screen, in picture coordinates: upper left, upper right, lower right, lower left of the screen. */
export function cornersOf(region: Region): { x: number; y: number }[] {
  const corners: readonly [number, number][] = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
  ]
  return corners.map(([x, y]) => toPicture({ x: x * region.w, y: y * region.h }, region, 1, region.w, region.h))
}

export interface ScaleBar {
  microns: number
  /** Length on screen, in CSS pixels. */
  pixels: number
}

/** The longest of 1, 2, 5, 10… µm that is at most `most` pixels long; null when the slide does not say its resolution. */
export function scaleBar(micronsPerPixel: number, most: number): ScaleBar | null {
  if (!(micronsPerPixel > 0) || !Number.isFinite(micronsPerPixel)) return null
  const room = micronsPerPixel * most
  const power = 10 ** Math.floor(Math.log10(room))
  const step = room >= 5 * power ? 5 : room >= 2 * power ? 2 : 1
  return { microns: step * power, pixels: (step * power) / micronsPerPixel }
}

export function lengthText(microns: number): string {
  const text = (value: number) => String(Number(value.toPrecision(3)))
  return microns >= 1000 ? `${text(microns / 1000)} mm` : `${text(microns)} µm`
}

/** As on a microscope: the scanner's objective at full resolution; without it, ten times for every µm per pixel, as 0.25 µm is called 40×. */
export function magnificationOf(slide: { objective: number; mpp: number }, scale: number): number | null {
  const full = slide.objective > 0 ? slide.objective : slide.mpp > 0 ? 10 / slide.mpp : 0
  return full > 0 && scale > 0 ? full / scale : null
}

/** Full-size pixels per CSS pixel at `x` times; null when nothing says how large a pixel is. */
export function scaleAt(slide: { objective: number; mpp: number }, x: number): number | null {
  const full = magnificationOf(slide, 1)
  return full && x > 0 ? full / x : null
}

export function magnificationText(x: number): string {
  return x >= 10 ? String(Math.round(x)) : String(Number(x.toPrecision(2)))
}
