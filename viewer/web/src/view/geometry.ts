/* What part of a picture is on screen, in the picture's own coordinates. Pure arithmetic. */
import type { Region } from './link'

/** Picture units per screen pixel at which a follower of this size sees the whole region. */
export function followScale(region: Pick<Region, 'w' | 'h'>, ownWidth: number, ownHeight: number): number {
  return Math.max(region.w / ownWidth, region.h / ownHeight)
}

export function regionOf(centre: { x: number; y: number }, scale: number, width: number, height: number, rotation: number): Region {
  return { cx: centre.x, cy: centre.y, w: width * scale, h: height * scale, rotation: normalRotation(rotation) }
}

export function normalRotation(degrees: number): number {
  return ((degrees % 360) + 360) % 360
}

/** Where a point of the picture is on screen, from the middle of a view with this scale and rotation (clockwise). */
export function toScreen(point: { x: number; y: number }, region: Region, scale: number, width: number, height: number): { x: number; y: number } {
  const angle = (region.rotation * Math.PI) / 180
  const dx = (point.x - region.cx) / scale
  const dy = (point.y - region.cy) / scale
  return { x: width / 2 + dx * Math.cos(angle) - dy * Math.sin(angle), y: height / 2 + dx * Math.sin(angle) + dy * Math.cos(angle) }
}

export function toPicture(screen: { x: number; y: number }, region: Region, scale: number, width: number, height: number): { x: number; y: number } {
  const angle = (-region.rotation * Math.PI) / 180
  const dx = screen.x - width / 2
  const dy = screen.y - height / 2
  return { x: region.cx + (dx * Math.cos(angle) - dy * Math.sin(angle)) * scale, y: region.cy + (dx * Math.sin(angle) + dy * Math.cos(angle)) * scale }
}
