import { TIERS, type Tier } from './protocol'

export type OwnQuality = Exclude<Tier, 'voice'>
export const OWN_QUALITIES: readonly OwnQuality[] = ['sd', 'hd', 'super_hd', '2k', '4k']

interface Picture {
  width: number
  height: number
  /** Bits per second of the largest layer. */
  bitrate: number
}

export const PICTURES: Record<OwnQuality, Picture> = {
  sd: { width: 640, height: 360, bitrate: 700_000 },
  hd: { width: 1280, height: 720, bitrate: 1_800_000 },
  super_hd: { width: 1920, height: 1080, bitrate: 3_500_000 },
  '2k': { width: 2560, height: 1440, bitrate: 6_000_000 },
  '4k': { width: 3840, height: 2160, bitrate: 12_000_000 },
}

/** What a camera can do; without knowledge of it, up to super-HD. */
export function possibleQualities(maxWidth: number | undefined, maxHeight: number | undefined): OwnQuality[] {
  const width = Math.max(maxWidth ?? 1920, maxHeight ?? 1080)
  const height = Math.min(maxWidth ?? 1920, maxHeight ?? 1080)
  const list = OWN_QUALITIES.filter((q) => PICTURES[q].width <= width && PICTURES[q].height <= height)
  return list.length > 0 ? list : ['sd']
}

export function cameraConstraints(quality: OwnQuality, deviceId: string | null): MediaTrackConstraints {
  const { width, height } = PICTURES[quality]
  const constraints: MediaTrackConstraints = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: 30, max: 30 } }
  if (deviceId) constraints.deviceId = { exact: deviceId }
  else constraints.facingMode = 'user'
  return constraints
}

/** Three layers, from small to large: l, m, h. */
export function simulcastEncodings(quality: OwnQuality): RTCRtpEncodingParameters[] {
  const { bitrate } = PICTURES[quality]
  return [
    { rid: 'l', scaleResolutionDownBy: 4, maxBitrate: Math.max(120_000, Math.round(bitrate / 14)), active: true },
    { rid: 'm', scaleResolutionDownBy: 2, maxBitrate: Math.max(250_000, Math.round(bitrate / 4)), active: true },
    { rid: 'h', scaleResolutionDownBy: 1, maxBitrate: bitrate, active: true },
  ]
}

export function tiersUpTo(max: Tier): Tier[] {
  return TIERS.slice(0, TIERS.indexOf(max) + 1)
}

export function minTier(a: Tier, b: Tier): Tier {
  return TIERS.indexOf(a) <= TIERS.indexOf(b) ? a : b
}
