/* Keys for looking at a slide or an image. Pure, but for looking at where a key was pressed. */
import { ARROWS, isPictures } from '../keys'

export type Looking =
  | { do: 'whole' | 'mirror' | 'upright' }
  | { do: 'pan'; dx: number; dy: number }
  | { do: 'zoom' | 'turn' | 'slide' | 'plane'; by: number }
  | { do: 'objective'; x: number }

const STEP_PX = 60
const FAR = 5
const ZOOM = 1.25
const TURN_DEGREES = 90
const FINE_DEGREES = 5

/** A microscope's, from the key 1 on. */
export const OBJECTIVES = [1, 2, 4, 5, 10, 20, 40] as const

type Key = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey' | 'isComposing'>

const ARROW: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}

const PLAIN: Record<string, Looking> = {
  '+': { do: 'zoom', by: ZOOM },
  '=': { do: 'zoom', by: ZOOM },
  '-': { do: 'zoom', by: 1 / ZOOM },
  '0': { do: 'whole' },
  r: { do: 'turn', by: TURN_DEGREES },
  R: { do: 'turn', by: -TURN_DEGREES },
  '>': { do: 'turn', by: FINE_DEGREES },
  '<': { do: 'turn', by: -FINE_DEGREES },
  f: { do: 'mirror' },
  u: { do: 'upright' },
  '.': { do: 'plane', by: 1 },
  ',': { do: 'plane', by: -1 },
  PageDown: { do: 'slide', by: 1 },
  PageUp: { do: 'slide', by: -1 },
}

export function lookingOf({ key, ctrlKey, metaKey, altKey, shiftKey, isComposing }: Key): Looking | null {
  if (ctrlKey || metaKey || altKey || isComposing) return null
  const arrow = ARROW[key]
  const step = STEP_PX * (shiftKey ? FAR : 1)
  if (arrow) return { do: 'pan', dx: arrow[0] * step, dy: arrow[1] * step }
  const objective = OBJECTIVES[Number(key) - 1]
  if (key.length === 1 && objective) return { do: 'objective', x: objective }
  return PLAIN[key] ?? null
}

/** What is listed of them; acts are keys of `view.keys`. */
export const SLIDE_KEYS = [
  { act: 'move', keys: ARROWS },
  { act: 'zoom', keys: ['+', '-'] },
  { act: 'objective', keys: ['1', '…', '7'] },
  { act: 'whole', keys: ['0'] },
  { act: 'turn', keys: ['r'] },
  { act: 'turn_left', keys: ['Shift+R'] },
  { act: 'turn_fine', keys: ['<', '>'] },
  { act: 'mirror', keys: ['f'] },
  { act: 'upright', keys: ['u'] },
  { act: 'plane', keys: [',', '.'] },
  { act: 'other', keys: ['PageUp', 'PageDown'] },
] as const

export function lookingKey(event: KeyboardEvent, view: HTMLElement): Looking | null {
  return isPictures(event.target, view) ? lookingOf(event) : null
}
