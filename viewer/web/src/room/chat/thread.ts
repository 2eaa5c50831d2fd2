/* What was written in a room, in order and each once, however it came: by answer, notice, or page. Pure. */
import type { Message } from '@/api/types'

/** Both in the order of their numbers; what is there twice is the later one (a file may be gone since). */
export function merged(known: readonly Message[], more: readonly Message[]): Message[] {
  const bySeq = new Map(known.map((one) => [one.seq, one]))
  for (const one of more) bySeq.set(one.seq, one)
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq)
}

/** The number up to which nothing is missing behind the first one; 0: nothing is known. */
export function completeTo(messages: readonly Message[]): number {
  let last = messages[0]?.seq ?? 0
  for (const one of messages) {
    if (one.seq > last + 1) break
    last = one.seq
  }
  return last
}

/** Something between two of them has not come. */
export function hasGap(messages: readonly Message[]): boolean {
  return completeTo(messages) !== (messages[messages.length - 1]?.seq ?? 0)
}

/** Of others, behind the last one that was seen. */
export function unread(messages: readonly Message[], me: string, seen: number): number {
  return messages.filter((one) => one.seq > seen && one.author.id !== me).length
}

/** How much of a panel that ends at `bottom` a keyboard covers: `seen` is the part of the window that is left. */
export function covered(bottom: number, seen: { height: number; offsetTop: number }): number {
  return Math.max(0, Math.round(bottom - seen.height - seen.offsetTop))
}
