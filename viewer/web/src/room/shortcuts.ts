/* Keys of the room. Pure, but for looking at where a key was pressed and whether a dialog is open. */
import { onBeforeUnmount, onMounted } from 'vue'

/** What each does, and its keys: those without Shift, but for the question mark. */
export const SHORTCUTS = [
  { act: 'mic', keys: ['m'] },
  { act: 'talk', keys: [' '] },
  { act: 'camera', keys: ['v'] },
  { act: 'hand', keys: ['h'] },
  { act: 'screen', keys: ['s'] },
  { act: 'layout', keys: ['l'] },
  { act: 'own', keys: ['o'] },
  { act: 'panel', keys: ['p'] },
  { act: 'earlier', keys: ['[', 'PageUp'] },
  { act: 'later', keys: [']', 'PageDown'] },
  { act: 'unpin', keys: ['Escape'] },
  { act: 'help', keys: ['?'] },
] as const
export type Act = (typeof SHORTCUTS)[number]['act']

/** As a Chinese keyboard writes them. */
const WIDE: Record<string, string> = { '？': '?', '【': '[', '】': ']', '［': '[', '］': ']' }

type Key = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey' | 'repeat' | 'isComposing'>

export interface Context {
  /** Whether keys that write a character are shortcuts. */
  characters: boolean
  /** A file that is looked at has Page Up and Page Down for itself. */
  reading: boolean
  /** A document that this person turns has the space bar, too. */
  paging: boolean
}

export function shortcutOf(event: Key, { characters, reading, paging }: Context): Act | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return null
  const key = WIDE[event.key] ?? (event.key.length === 1 ? event.key.toLowerCase() : event.key)
  if (event.shiftKey && key !== '?') return null
  if (key === ' ' && paging) return null
  if (key.length === 1 ? !characters : reading && key.startsWith('Page')) return null
  return SHORTCUTS.find((one) => (one.keys as readonly string[]).includes(key))?.act ?? null
}

const TYPES = 'input, textarea, select, [contenteditable="true"], [role="listbox"], [role="menu"], [role="tablist"]'

/** Who types or chooses keeps his keys, and a dialog has them for itself. */
function elsewhere(target: EventTarget | null): boolean {
  if (target instanceof Element && target.closest(TYPES)) return true
  return [...document.querySelectorAll('[role="dialog"]')].some((one) => one.getClientRects().length > 0)
}

/** `release`: what is done for as long as a key is held ends. */
export function useShortcuts(context: () => Context, act: (what: Act) => boolean, release: () => void) {
  let held = false
  /* The space bar presses what the keyboard has come to. What was clicked keeps the focus, but not the space bar: one push of it would switch the
     microphone on for good. Browsers' own `:focus-visible` changes with the first key. */
  let clicked: Element | null = null
  const buttonOf = (target: EventTarget | null) =>
    target instanceof Element ? target.closest('button, a, summary, [role="button"], [role="tab"]') : null
  const presses = (target: EventTarget | null) => {
    const button = buttonOf(target)
    return button !== null && button !== clicked
  }
  function press(event: KeyboardEvent) {
    if (event.key === 'Tab') clicked = null
    if (held && event.key === ' ') return event.preventDefault()
    if (event.defaultPrevented || elsewhere(event.target)) return
    const what = shortcutOf(event, context())
    if (!what || (what === 'talk' && presses(event.target)) || !act(what)) return
    held ||= what === 'talk'
    event.preventDefault()
  }
  function lift(event: KeyboardEvent) {
    if (!held || event.key !== ' ') return
    event.preventDefault()
    letGo()
  }
  function letGo() {
    held = false
    release()
  }
  const point = (event: Event) => void (clicked = buttonOf(event.target))
  const listeners = { keydown: press, keyup: lift, blur: letGo, pointerdown: point } as unknown as Record<
    string,
    EventListener
  >
  onMounted(() => Object.entries(listeners).forEach((one) => window.addEventListener(...one)))
  onBeforeUnmount(() => {
    Object.entries(listeners).forEach((one) => window.removeEventListener(...one))
    letGo()
  })
}
