/* A word in a page's text, and where it stands. Pure. */

/** A run of text as it stands on the page: its beginning on the base line, the way it runs and the way up, in points (y downwards). */
export interface Run {
  text: string
  x: number
  y: number
  along: { x: number; y: number }
  up: { x: number; y: number }
}
export interface Corner {
  x: number
  y: number
}
export interface Hit {
  page: number
  /** A four-cornered mark for each run that the word touches, in points of the page. */
  marks: Corner[][]
}
/** How far into a run, 0 to 1, its first `n` characters reach. */
export type Reach = (text: string, n: number) => number

/** Of letters above the base line, and below it. */
const ABOVE = 0.95
const BELOW = 0.25

/** As people compare: wide and narrow forms and both cases are alike, and spaces and line ends, which a PDF puts anywhere, are nothing. */
const folded = (character: string) =>
  character
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\u00ad\u200b-\u200f\ufeff]/g, '')

export const wordOf = (text: string) => Array.from(text, folded).join('')

function markOf(run: Run, from: number, to: number, reach: Reach): Corner[] {
  const corner = (n: number, up: number) => {
    const share = reach(run.text, n)
    return { x: run.x + run.along.x * share + run.up.x * up, y: run.y + run.along.y * share + run.up.y * up }
  }
  return [corner(from, ABOVE), corner(to, ABOVE), corner(to, -BELOW), corner(from, -BELOW)]
}

/** Every place of `text` on a page. */
export function hitsOf(page: number, runs: Run[], text: string, reach: Reach): Hit[] {
  const word = wordOf(text)
  if (!word) return []
  let all = ''
  const from: { run: number; at: number; next: number }[] = []
  for (const [run, { text: own }] of runs.entries()) {
    let at = 0
    for (const character of own) {
      const next = at + character.length
      const plain = folded(character)
      for (let i = 0; i < plain.length; i++) from.push({ run, at, next })
      all += plain
      at = next
    }
  }
  const hits: Hit[] = []
  for (let found = all.indexOf(word); found >= 0; found = all.indexOf(word, found + word.length)) {
    const parts = from.slice(found, found + word.length)
    const marks = [...new Set(parts.map((part) => part.run))].map((run) => {
      const own = parts.filter((part) => part.run === run)
      return markOf(runs[run] as Run, own[0]?.at ?? 0, own.at(-1)?.next ?? 0, reach)
    })
    hits.push({ page, marks })
  }
  return hits
}
