import { TIERS, type RoomCodec, type Tier } from './protocol'

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
  const constraints: MediaTrackConstraints = {
    width: { ideal: width },
    height: { ideal: height },
    frameRate: { ideal: 30, max: 30 },
  }
  if (deviceId) constraints.deviceId = { exact: deviceId }
  else constraints.facingMode = 'user'
  return constraints
}

const AREA_OF_THREE = 960 * 540
const AREA_OF_TWO = 480 * 270
/** Share of the largest layer's bitrate, by how often the sides are halved. */
const RATE_SHARES = [1, 4, 14]

/**
 * Three layers, from small to large: l, m, h. Browsers send small pictures in fewer layers and leave out the *last* ones, which would be the only
 * sharp ones; therefore a small camera fills l, or l and m, up to its own size, and the rest rests.
 */
export function simulcastEncodings(quality: OwnQuality, width: number, height: number): RTCRtpEncodingParameters[] {
  const area = width * height || PICTURES[quality].width * PICTURES[quality].height
  const count = area >= AREA_OF_THREE ? 3 : area >= AREA_OF_TWO ? 2 : 1
  const covering = OWN_QUALITIES.find((q) => PICTURES[q].width * PICTURES[q].height >= area) ?? quality
  const bitrate = Math.min(PICTURES[quality].bitrate, PICTURES[covering].bitrate)
  return ['l', 'm', 'h'].map((rid, i) => {
    const halvings = Math.max(0, count - 1 - i)
    return {
      rid,
      scaleResolutionDownBy: 2 ** halvings,
      maxBitrate: Math.max(120_000 * (i + 1), Math.round(bitrate / (RATE_SHARES[halvings] ?? 1))),
      active: i < count,
    }
  })
}

/**
 * How the camera is sent, always with the same three RIDs, so that the codec can change during a call: VP8 and H.264 in simulcast; VP9 and AV1 as one stream
 * of three spatial layers, each of three temporal ones, in `l` while the others rest. Between key frames the layers do not depend on each other, so
 * that nobody is sent what he does not see. `spatial` false: a receiver cannot take them apart, AV1 is sent in simulcast. `unwatched`: so many of the largest layers
 * nobody watches: a smaller picture in fewer layers. `lossy`: the upload loses packets; browsers do not send lost packets of higher temporal layers again when
 * the next picture is nearer than a round trip, so there are none then, and every picture arrives.
 */
export function cameraEncodings(
  codec: RoomCodec,
  quality: OwnQuality,
  width: number,
  height: number,
  spatial = true,
  unwatched = 0,
  lossy = false,
): RTCRtpEncodingParameters[] {
  const simulcast = simulcastEncodings(quality, width, height)
  if (codec === 'vp8' || codec === 'h264')
    return lossy ? simulcast.map((encoding) => ({ ...encoding, scalabilityMode: 'L1T1' })) : simulcast
  if (codec === 'av1' && !spatial) return simulcast.map((encoding) => ({ ...encoding, scalabilityMode: 'L1T3' }))
  const scalabilityMode = ['L3T3_KEY', 'L2T3_KEY', 'L1T3'][unwatched] ?? 'L1T3'
  const maxBitrate = Math.max(120_000, Math.round(PICTURES[quality].bitrate / (RATE_SHARES[unwatched] ?? 14)))
  return simulcast.map((encoding, i) =>
    i
      ? { ...encoding, scalabilityMode: 'L1T3', scaleResolutionDownBy: 1, active: false }
      : { ...encoding, scalabilityMode, scaleResolutionDownBy: 2 ** unwatched, maxBitrate, active: true },
  )
}

/** Largest picture of a tier, in pixels (REQUIREMENTS §14 rule 3). */
const TIER_AREAS: Partial<Record<Tier, number>> = { sd: 307_200, hd: 921_600, super_hd: 2_073_600, '2k': 3_686_400 }

/** By how much the sides of a picture must shrink to stay within a ceiling; 1: not at all. */
export function overCeiling(width: number, height: number, ceiling: Tier): number {
  const most = TIER_AREAS[ceiling]
  // rounding to whole pixels must not lift it above again
  return most && width * height > most ? Math.sqrt((width * height) / most) * 1.02 : 1
}

/** What may be sent of what was chosen. */
export function withinCeiling(quality: OwnQuality, ceiling: Tier): OwnQuality {
  const tier = minTier(quality, ceiling)
  return tier === 'voice' ? 'sd' : tier
}

export function tiersUpTo(max: Tier): Tier[] {
  return TIERS.slice(0, TIERS.indexOf(max) + 1)
}

export function minTier(a: Tier, b: Tier): Tier {
  return TIERS.indexOf(a) <= TIERS.indexOf(b) ? a : b
}
