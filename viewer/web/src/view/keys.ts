/* Keys for reading a document (a slide's are `lens/keys.ts`). Pure, but for looking at where a key was pressed. */
export type Reading =
  | { do: 'find' | 'first' | 'last' | 'turn' }
  | { do: 'screens' | 'zoom'; by: number }
  | { do: 'scroll'; dx: number; dy: number }

const STEP_PX = 60

type Key = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>

export function readingOf({ key, ctrlKey, metaKey, altKey, shiftKey }: Key): Reading | null {
  if (altKey) return null
  if (ctrlKey || metaKey) return key.toLowerCase() === 'f' && !shiftKey ? { do: 'find' } : null
  const keys: Record<string, Reading> = {
    PageDown: { do: 'screens', by: 1 },
    PageUp: { do: 'screens', by: -1 },
    ' ': { do: 'screens', by: shiftKey ? -1 : 1 },
    Home: { do: 'first' },
    End: { do: 'last' },
    ArrowDown: { do: 'scroll', dx: 0, dy: STEP_PX },
    ArrowUp: { do: 'scroll', dx: 0, dy: -STEP_PX },
    ArrowLeft: { do: 'scroll', dx: -STEP_PX, dy: 0 },
    ArrowRight: { do: 'scroll', dx: STEP_PX, dy: 0 },
    '+': { do: 'zoom', by: 1.25 },
    '=': { do: 'zoom', by: 1.25 },
    '-': { do: 'zoom', by: 0.8 },
    r: { do: 'turn' },
  }
  return keys[key] ?? null
}

export const ARROWS = ['ArrowLeft', 'ArrowUp', 'ArrowDown', 'ArrowRight']

/** What is listed of them; acts are keys of `view.keys`. */
export const DOCUMENT_KEYS = [
  { act: 'page', keys: ['PageDown', 'PageUp', ' '] },
  { act: 'ends', keys: ['Home', 'End'] },
  { act: 'move', keys: ARROWS },
  { act: 'zoom', keys: ['+', '-'] },
  { act: 'turn', keys: ['r'] },
  { act: 'find', keys: ['Ctrl+F'] },
] as const
/** Who types, chooses or presses a button elsewhere keeps his keys; Page Down and its like, and finding, are the document's wherever the focus is. */
const ANYWHERE = ['PageDown', 'PageUp', 'Home', 'End', 'f', 'F']

const TYPES = 'input, textarea, select, [contenteditable="true"], [role="listbox"], [role="menu"], [role="tablist"]'

/** Whether a key that was pressed there is a picture's: nobody types or chooses with it, and no dialog that does not hold the picture. */
export function isPictures(target: EventTarget | null, view: HTMLElement): boolean {
  if (!(target instanceof Element) || target === document.body || view.contains(target)) {
    return !(target instanceof Element && target.closest(TYPES))
  }
  // an open dialog has the focus itself
  return target.matches('[role="dialog"]') && target.contains(view)
}

export function readingKey(event: KeyboardEvent, view: HTMLElement): Reading | null {
  const target = event.target as HTMLElement | null
  if (target?.closest?.(TYPES)) {
    // of the find box: looking again
    const own = view.contains(target) && (event.ctrlKey || event.metaKey)
    return own ? readingOf(event) : null
  }
  const dialog = target?.closest?.('[role="dialog"]')
  if (dialog && !dialog.contains(view)) return null
  const here = !target || target === document.body || (view.contains(target) && !target.closest('button'))
  return here || ANYWHERE.includes(event.key) ? readingOf(event) : null
}
