/*
 * Asks the server for pictures in slots. A slot is asked for another picture only after room.slot confirmed the one before, so that an announcement can
 * never be mistaken for the answer to a later request (proof.ts). A request that stays unconfirmed is taken back first. Other slots do not wait.
 */
import { SlotClaim, sameBinding, type Binding } from './proof'
import type { SlotNote, SlotWant, Tier } from '../call/protocol'

export interface Wish extends Binding {
  slot: number
  width: number
  height: number
  priority: number
}

export interface ShowPort {
  mid(slot: number): string | null
  call(slots: SlotWant[], tierMax: Tier): Promise<void>
  changed(): void
  now(): number
}

const CONFIRM_MS = 2500
const EMPTY_MS = 500

interface Entry {
  claim: SlotClaim
  /** When the present request left. */
  askedAt: number
  /** A request was taken back: nothing new until then, or until the slot is announced empty. */
  restUntil: number
  /** Announcements may have been lost with a connection. */
  doubtful: boolean
}

export class Shower {
  private readonly entries: Entry[] = []
  private wishes: Wish[] = []
  private tierMax: Tier = '4k'
  private dirty = false
  private running = false
  private ready = false
  private lastSent = ''
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly port: ShowPort) {}

  claim(slot: number): SlotClaim | null {
    return this.entries[slot]?.claim ?? null
  }

  resize(slots: number): void {
    while (this.entries.length < slots)
      this.entries.push({ claim: new SlotClaim(), askedAt: 0, restUntil: 0, doubtful: false })
  }

  /** Another PeerConnection: nothing that was said is true any more. */
  restart(): void {
    for (const entry of this.entries) {
      entry.claim.reset()
      entry.restUntil = 0
      entry.doubtful = false
    }
    this.lastSent = ''
    this.port.changed()
  }

  /** Whether the room is joined. What was asked and not confirmed when a connection broke off is taken back at the next join. */
  setReady(ready: boolean): void {
    this.ready = ready
    this.lastSent = ''
    if (!ready) {
      clearTimeout(this.timer)
      for (const entry of this.entries)
        entry.doubtful = entry.claim.asked !== null && entry.claim.note?.state !== 'live'
      return
    }
    this.wake()
  }

  /** The wish listed first is the large picture. */
  want(wishes: Wish[], tierMax: Tier): void {
    this.wishes = wishes
    this.tierMax = tierMax
    this.wake()
  }

  announce(note: SlotNote): void {
    const entry = this.entries.find((_, slot) => this.port.mid(slot) === note.mid)
    if (!entry) return
    if (note.state === 'empty') entry.restUntil = 0
    if (entry.claim.announce(note)) this.port.changed()
    if (this.wishes.some((wish) => this.entries[wish.slot] === entry && !sameBinding(entry.claim.asked, wish)))
      this.wake()
  }

  private wake(): void {
    this.dirty = true
    void this.run()
  }

  private async run(): Promise<void> {
    if (this.running) return
    this.running = true
    try {
      while (this.dirty && this.ready) {
        this.dirty = false
        await this.step()
      }
    } catch {
      // the connection went: the next join says everything anew
      this.lastSent = ''
    } finally {
      this.running = false
    }
  }

  private async step(): Promise<void> {
    const bySlot = new Map(this.wishes.map((wish) => [wish.slot, wish]))
    let rebound = false
    let wait = Infinity
    this.entries.forEach((entry, slot) => {
      const wish = bySlot.get(slot)
      const outcome = this.rebind(entry, wish ? { participant: wish.participant, source: wish.source } : null)
      rebound ||= outcome.changed
      wait = Math.min(wait, outcome.waitMs)
    })
    if (rebound) this.port.changed()
    if (wait < Infinity) this.later(wait)
    const message = this.message(bySlot)
    const text = JSON.stringify([message, this.tierMax])
    if (text === this.lastSent) return
    this.lastSent = text
    await this.port.call(message, this.tierMax)
  }

  private rebind(entry: Entry, wanted: Binding | null): { changed: boolean; waitMs: number } {
    const { claim } = entry
    const now = this.port.now()
    if (sameBinding(claim.asked, wanted) && !entry.doubtful) return { changed: false, waitMs: Infinity }
    if (now < entry.restUntil) return { changed: false, waitMs: entry.restUntil - now }
    const age = now - entry.askedAt
    if (!claim.confirmed && !entry.doubtful && age < CONFIRM_MS) return { changed: false, waitMs: CONFIRM_MS - age }
    if (!claim.confirmed || entry.doubtful) {
      claim.ask(null)
      entry.doubtful = false
      entry.restUntil = now + EMPTY_MS
      return { changed: true, waitMs: EMPTY_MS }
    }
    claim.ask(wanted)
    entry.askedAt = now
    return { changed: true, waitMs: Infinity }
  }

  private later(ms: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.wake(), ms + 1)
  }

  /** What is asked for now, which may lag behind what is wished. */
  private message(bySlot: Map<number, Wish>): SlotWant[] {
    const order = [...new Set([...this.wishes.map((wish) => wish.slot), ...this.entries.keys()])]
    return order.flatMap((slot): SlotWant[] => {
      const mid = this.port.mid(slot)
      const asked = this.entries[slot]?.claim.asked
      if (mid === null) return []
      if (!asked) return [{ mid, participant: null, source: 'camera', width: 0, height: 0, priority: 0 }]
      const { width, height, priority } = bySlot.get(slot) ?? { width: 320, height: 180, priority: 0 }
      return [{ mid, participant: asked.participant, source: asked.source, width, height, priority }]
    })
  }
}
