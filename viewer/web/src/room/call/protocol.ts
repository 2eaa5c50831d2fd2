/* The messages of docs/protocol.md, as this app reads and writes them. */

export type Source = 'mic' | 'camera' | 'screen' | 'device'
export type VideoSource = Exclude<Source, 'mic'>
export type Role = Source | 'slot'
export type Tier = 'voice' | 'sd' | 'hd' | 'super_hd' | '2k' | '4k'
export const TIERS: readonly Tier[] = ['voice', 'sd', 'hd', 'super_hd', '2k', '4k']

export interface Participant {
  id: string
  user: string
  name: string
  title: string
  hospital: string | { name: string }
  role: string
  kind: 'person' | 'bot' | 'device'
  /** Present only while published; true = on. */
  sources: Partial<Record<Source, boolean>>
  quality?: number
  /** May do what hosts do. */
  host: boolean
  /** Has one of the room's places with video. */
  video: boolean
  /** A host's ceiling for this person. */
  tier_max: Tier
  /** When the hand was raised (ms), or null. */
  hand: number | null
}

export interface Limits {
  video_slots: number
  tier_max: Tier
  may_video: boolean
  video_max: number
  voice_max: number
}

export interface RoomSettings {
  locked: boolean
  lobby: boolean
  unmute: 'all' | 'host'
  tier_max: Tier
  codec: RoomCodec
}

/** Somebody who waits to be let in. */
export interface Knock {
  participant: string
  user: string
  name: string
  title: string
  hospital: string
  at: number
  removed: boolean
}

export interface SharedFile {
  file: string
  name: string
  kind: 'slide' | 'document' | 'image'
  page: number
  presenter: string | null
  state: RegionMessage | null
  pointers: PointerMessage[]
  strokes: StrokeMessage[]
}

/** As it goes over the line: at most three panes, a file and five numbers each. */
export interface ArrangementMessage {
  over: boolean
  shown: number
  panes: { file: string; a: number; b: number; x: number; y: number; over: boolean }[]
}

export interface RegionMessage {
  presenter?: string
  seq: number
  cx: number
  cy: number
  w: number
  h: number
  rotation: number
  mirror?: boolean
  z?: number
  page: number
  /** Slides beside it, and how they lie on it. */
  beside?: ArrangementMessage
}

/** Where everybody looks and points now. */
export interface NowMessage {
  state: RegionMessage | null
  pointers: PointerMessage[]
}

export interface PointerMessage {
  participant: string
  x: number
  y: number
  page: number
  /** His colour, from 1 on. */
  hue: number
  laser: boolean
}

/** Points of a stroke, from its `from`th on. */
export interface StrokeMessage {
  participant: string
  stroke: number
  hue: number
  page: number
  z: number
  fades: boolean
  age_ms: number
  from: number
  points: number[]
}

export interface JoinAnswer {
  participant: string
  resume: string
  answer: string
  self: Participant
  participants: Participant[]
  speaker: string | null
  view: SharedFile | null
  ice_servers: RTCIceServer[]
  limits: Limits
  settings: RoomSettings
  knocks: Knock[]
  /** How long the talk lasts already; null: it has not begun. */
  lasts_ms: number | null
}

/** What the cameras of a room send, unless a browser cannot. */
export type RoomCodec = 'vp8' | 'h264' | 'vp9' | 'av1'
export const ROOM_CODECS: readonly RoomCodec[] = ['vp8', 'h264', 'vp9', 'av1']

/** What GET /api/v1/rooms/{id} tells of a room before it is entered. */
export interface RoomFacts {
  codec: RoomCodec
  ice_servers: RTCIceServer[]
}

export type SlotState = 'empty' | 'live' | 'paused' | 'off' | 'codec' | 'limit'

export interface SlotNote {
  mid: string
  state: SlotState
  participant: string | null
  source: VideoSource | null
  rtp_timestamp: number
  codec: string
  width: number
  height: number
}

export interface QualityRow {
  id: string
  mark: number
  /** Reasons (docs/protocol.md), known and unknown ones. */
  why?: string[]
  up_loss: number
  down_loss: number
  rtt_ms: number
  up_bps: number
  down_bps: number
}

export interface SlotWant {
  mid: string
  participant: string | null
  source: VideoSource
  width: number
  height: number
  priority: number
}

/** Application errors by number. */
export const CODE = {
  unknownMethod: -32601,
  unauthorized: 1001,
  forbidden: 1003,
  notFound: 1004,
  conflict: 1009,
  full: 1010,
  badSdp: 1022,
  door: 1023,
  busy: 1029,
} as const
