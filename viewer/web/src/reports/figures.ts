/* The numbers of a report's pictures in its texts. */
import type { Figure, ReportTexts } from '@/api/types'

export const MOST_FIGURES = 24
export const CAPTION_CHARS = 300

/** What a number in the text looks like, in either language. */
const NUMBER = /【图\s*(\d{1,2})】|\[Fig\.\s*(\d{1,2})\]/g
export const numberWord = (n: number, zh: boolean) => (zh ? `【图${n}】` : `[Fig. ${n}]`)

export interface Piece {
  text: string
  /** From 1; 0: plain text. */
  figure: number
}

/** Text with the numbers of `count` pictures picked out; a number that no picture has stays text. */
export function piecesOf(text: string, count: number): Piece[] {
  const pieces: Piece[] = []
  let from = 0
  for (const found of text.matchAll(NUMBER)) {
    const figure = Number(found[1] ?? found[2])
    if (figure < 1 || figure > count) continue
    if (found.index > from) pieces.push({ text: text.slice(from, found.index), figure: 0 })
    pieces.push({ text: found[0], figure })
    from = found.index + found[0].length
  }
  if (from < text.length) pieces.push({ text: text.slice(from), figure: 0 })
  return pieces
}

/** The text after the pictures changed their places: `order` has, for each new place, the number that the picture had. What is gone is no number any more. */
export function renumbered(text: string, order: readonly number[]): string {
  return text.replace(NUMBER, (whole, zh?: string, en?: string) => {
    const now = order.indexOf(Number(zh ?? en)) + 1
    return now ? whole.replace(/\d+/, String(now)) : ''
  })
}

const PARTS = ['findings', 'conclusion', 'advice'] as const

/** The report with its pictures in another order, or without some; the numbers in its texts go along. */
export function arranged<T extends ReportTexts>(texts: T, order: readonly number[]): T {
  const out = { ...texts, figures: order.flatMap((n) => texts.figures[n - 1] ?? []) }
  for (const part of PARTS) out[part] = renumbered(texts[part], order)
  return out
}

export const addressOf = (request: string, figure: Pick<Figure, 'id'>) =>
  `/api/v1/requests/${request}/figures/${figure.id}`
