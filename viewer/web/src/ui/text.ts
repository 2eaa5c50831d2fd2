/* Text that people type and paste. The server cleans it by the same rules (base/text.c); here it is done before anything
   is compared with what was saved, so that a page never takes its own text for somebody else's. */

// what other programs end a line with: vertical tab (Word), form feed (PDF, HIS), NEL, LINE and PARAGRAPH SEPARATOR
const BREAKS = /\r\n|[\v\f\r\u0085\u2028\u2029]/g
// the rest of C0 and C1, and DEL: nobody sees them
// eslint-disable-next-line no-control-regex
const NOTHING = /[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f]/g

/** Invisible characters end a line (in a field of one line: are a blank) or go. Blanks at the ends stay: somebody types. */
export function cleanText(text: string, lines: boolean): string {
  const clean = text.replace(BREAKS, '\n').replace(NOTHING, '')
  return lines ? clean : clean.replace(/[\t\n]+/g, ' ')
}

/** Half a character, as a cut at so many UTF-16 units leaves it, is no text and cannot be sent. */
export const wellFormed = (text: string): string =>
  text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '')

interface Box extends EventTarget {
  value: string
  selectionStart: number | null
  setSelectionRange?: (start: number, end: number) => void
  type?: string
}

// fields of other kinds have no caret to keep, and nothing can be pasted into them that is not theirs
const LINE_TYPES = ['text', 'search', 'tel', 'password']

/** Cleans what comes into any text field under `root`, before the field's own listeners read it. */
export function keepClean(root: EventTarget): void {
  root.addEventListener(
    'input',
    (event) => {
      const box = event.target as Box | null
      const lines = box?.type === 'textarea'
      if (!box || typeof box.value !== 'string' || !(lines || LINE_TYPES.includes(box.type ?? ''))) return
      const clean = cleanText(box.value, lines)
      if (clean === box.value) return
      const caret = cleanText(box.value.slice(0, box.selectionStart ?? box.value.length), lines).length
      box.value = clean
      box.setSelectionRange?.(caret, caret)
    },
    { capture: true },
  )
}
