/* What changed between two versions of a text, in words as people read them: Latin words and numbers stay whole, Chinese goes by character. */
import { diffArrays } from 'diff'
import type { ReportTexts } from '@/api/types'

export interface Piece {
  kind: 'same' | 'gone' | 'new'
  text: string
}

const WORD = '(?:(?!\\p{Script=Han})[\\p{L}\\p{M}\\p{N}])+'
/* "Ki-67", "3.5cm" and "15%" are one word each. */
const TOKENS = new RegExp(`\\p{Script=Han}|${WORD}(?:[.\\-/]${WORD})*%?|\\s|.`, 'gsu')
/* Texts that differ in more words than this have nothing in common that would be worth showing. */
const MOST_EDITS = 1000

const tokensOf = (text: string): string[] => text.match(TOKENS) ?? []

interface Change {
  same: string
  gone: string
  new: string
}

/* One letter that happens to stand between two changes ties nothing together: it is read with them. */
const isIsland = (text: string) => /^[\p{L}\p{N}]$/u.test(text)

function piecesOf(changes: Change[]): Piece[] {
  const pieces: Piece[] = []
  for (const change of changes)
    for (const kind of ['same', 'gone', 'new'] as const) if (change[kind]) pieces.push({ kind, text: change[kind] })
  return pieces
}

/** The pieces of both texts in order; joined without `new` they are `before`, without `gone` `after`. */
export function changesOf(before: string, after: string): Piece[] {
  const parts = diffArrays(tokensOf(before), tokensOf(after), { maxEditLength: MOST_EDITS })
  if (!parts) return piecesOf([{ same: '', gone: before, new: after }])
  const changes: Change[] = []
  for (const part of parts) {
    const text = part.value.join('')
    let last = changes[changes.length - 1]
    if (!last || (!part.added && !part.removed)) changes.push((last = { same: '', gone: '', new: '' }))
    if (part.added) last.new += text
    else if (part.removed) last.gone += text
    else last.same += text
  }
  const out: Change[] = []
  for (const change of changes) {
    const last = out[out.length - 1]
    const changed = change.gone || change.new
    if (last && (last.gone || last.new) && changed && isIsland(change.same)) {
      last.gone += change.same + change.gone
      last.new += change.same + change.new
    } else out.push(change)
  }
  return piecesOf(out)
}

const PARTS = ['findings', 'conclusion', 'advice'] as const

/** The parts in which two reports differ, as they stand on the page; `reason`: why there is an amendment is one of them. */
export function partsThatDiffer(
  before: ReportTexts,
  after: ReportTexts,
  reason: boolean,
): Exclude<keyof ReportTexts, 'figures'>[] {
  return [...(reason ? (['reason'] as const) : []), ...PARTS].filter((name) => before[name] !== after[name])
}
