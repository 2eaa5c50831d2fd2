/* What a page shows of a stay in a room. */
import { reactive } from 'vue'
import type { Limits, Participant, QualityRow } from './protocol'

/** elsewhere: the same account is in the room with another device or page, and the person is asked. */
export type Phase = 'new' | 'joining' | 'waiting' | 'elsewhere' | 'live' | 'reconnecting' | 'ended'
export type EndReason =
  | 'left'
  | 'removed'
  | 'unassigned'
  | 'refused'
  | 'locked'
  | 'replaced'
  | 'stayed_out'
  | 'closed'
  | 'ended'
  | 'full'
  | 'forbidden'
  | 'not_found'
  | 'unauthorized'
  | 'sdp'
  | 'failed'

export function roomState() {
  return reactive({
    phase: 'new' as Phase,
    endReason: null as EndReason | null,
    endDetail: '',
    me: '',
    self: null as Participant | null,
    people: [] as Participant[],
    speaker: null as string | null,
    quality: {} as Record<string, QualityRow>,
    limits: { video_slots: 4, tier_max: '4k', may_video: true, video_max: 30, voice_max: 200 } as Limits,
    /** Why this person waits before the door. */
    waiting: 'lobby' as 'lobby' | 'removed',
    micPublished: false,
    cameraPublished: false,
    sharing: false,
    /** Counts changes of what slots show. */
    slotVersion: 0,
    /** When the talk began, by performance.now(); null: it has not. */
    since: null as number | null,
  })
}
export type RoomState = ReturnType<typeof roomState>
