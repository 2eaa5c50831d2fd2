/* Pure: one's own small picture in one of four corners. */
import { contained, type Rect } from './arrange'

export const CORNERS = ['top-left', 'top-right', 'bottom-left', 'bottom-right'] as const
export type Corner = (typeof CORNERS)[number]
export const OWN_SIZES = ['normal', 'small', 'hidden'] as const
export type OwnSize = (typeof OWN_SIZES)[number]

export const isTop = (corner: Corner) => corner.startsWith('top')
export const isLeft = (corner: Corner) => corner.endsWith('left')
const cornerOf = (top: boolean, left: boolean): Corner => `${top ? 'top' : 'bottom'}-${left ? 'left' : 'right'}`

/** The corner to which an arrow key leads, or null for another key. */
export function cornerByKey(corner: Corner, key: string): Corner | null {
  switch (key) {
    case 'ArrowUp':
      return cornerOf(true, isLeft(corner))
    case 'ArrowDown':
      return cornerOf(false, isLeft(corner))
    case 'ArrowLeft':
      return cornerOf(isTop(corner), true)
    case 'ArrowRight':
      return cornerOf(isTop(corner), false)
    default:
      return null
  }
}

/** The corner of `whole` in whose quarter the middle of `rect` lies. */
export function nearestCorner(rect: Rect, whole: Rect): Corner {
  return cornerOf(
    rect.y + rect.height / 2 < whole.y + whole.height / 2,
    rect.x + rect.width / 2 < whole.x + whole.width / 2,
  )
}

/** Longest edge: large enough to see whether one is in the picture, on a phone as small as two buttons for a finger allow. */
export function ownEdge(phone: boolean, size: OwnSize): number {
  if (phone) return size === 'small' ? 96 : 124
  return size === 'small' ? 132 : 208
}

/** A picture of that shape in a corner of `within`, never larger than it. */
export function inCorner(shape: number, edge: number, corner: Corner, within: Rect, margin: number): Rect {
  const most = (length: number) => Math.max(0, Math.min(edge, length - 2 * margin))
  const { width, height } = contained({ width: most(within.width), height: most(within.height) }, shape)
  return {
    x: isLeft(corner) ? within.x + margin : within.x + within.width - margin - width,
    y: isTop(corner) ? within.y + margin : within.y + within.height - margin - height,
    width,
    height,
  }
}

/** `rect`, moved by the least that keeps it inside. */
export function kept(rect: Rect, whole: Rect): Rect {
  const clamp = (at: number, from: number, room: number) => Math.max(from, Math.min(at, from + Math.max(0, room)))
  return {
    ...rect,
    x: clamp(rect.x, whole.x, whole.width - rect.width),
    y: clamp(rect.y, whole.y, whole.height - rect.height),
  }
}
