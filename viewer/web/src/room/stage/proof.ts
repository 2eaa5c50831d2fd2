/*
 * Whose face is in a slot's picture? The one rule that must never break: a name stands only beside a picture that was proven to be that person's.
 *
 * A slot's pictures change owner at an RTP timestamp that the server announces with room.slot. Media and announcement travel separately, so either
 * may come first. Therefore the old picture is hidden the moment that this app *asks* for another one (before the server can switch), and a picture
 * is shown only once (a) the announcement names what was asked for and (b) a frame at or after the announced timestamp is on display.
 */
import type { SlotNote, VideoSource } from '../call/protocol'

export interface Binding {
  participant: string
  source: VideoSource
}

export function sameBinding(a: Binding | null, b: Binding | null): boolean {
  return a === b || (a !== null && b !== null && a.participant === b.participant && a.source === b.source)
}

/** RTP timestamps run modulo 2³²: is `a` at or after `b`? */
export function atOrAfter(a: number, b: number): boolean {
  return (a - b) >>> 0 < 0x80000000
}

/** What was asked of one slot and what the server announced for it. */
export class SlotClaim {
  asked: Binding | null = null
  note: SlotNote | null = null
  /** Counts what was asked for; a proof of an earlier count is void. */
  epoch = 0

  /** Called right before the request leaves. Says whether it asks for something else than before. */
  ask(binding: Binding | null): boolean {
    if (sameBinding(this.asked, binding)) return false
    this.asked = binding
    this.note = null
    this.epoch++
    return true
  }

  /** Forgets everything: another PeerConnection, or an answer that never came. */
  reset(): void {
    this.asked = null
    this.note = null
    this.epoch++
  }

  /** Takes an announcement; false when it is about something that is no longer asked for. */
  announce(note: SlotNote): boolean {
    if (note.state === 'empty') {
      this.note = note
      this.epoch++
      return true
    }
    if (!this.asked || note.participant !== this.asked.participant || note.source !== this.asked.source) return false
    this.note = note
    return true
  }

  get confirmed(): boolean {
    return this.asked === null || this.note !== null
  }
}

/** Judges the frames of one <video> element against its slot's claim. */
export class PictureProof {
  private last: number | null = null
  private provenEpoch = -1

  /** The element got another stream: what it displayed before says nothing. */
  restart(): void {
    this.last = null
    this.provenEpoch = -1
  }

  /** What is proven stays so; nobody tells frames until the next claim, and after hours the last one would seem to come after it. */
  rest(): void {
    this.last = null
  }

  /** A frame with this RTP timestamp is on display. */
  frame(timestamp: number, claim: SlotClaim): void {
    this.last = timestamp >>> 0
    this.judge(claim)
  }

  /** May the picture be shown beside the name of `binding`? */
  shows(binding: Binding, claim: SlotClaim): boolean {
    this.judge(claim)
    if (!sameBinding(claim.asked, binding) || !claim.note) return false
    return this.provenEpoch === claim.epoch && (claim.note.state === 'live' || claim.note.state === 'paused')
  }

  private judge(claim: SlotClaim): void {
    if (this.last === null || claim.note?.state !== 'live') return
    if (atOrAfter(this.last, claim.note.rtp_timestamp)) this.provenEpoch = claim.epoch
  }
}
