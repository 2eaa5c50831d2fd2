/*
 * Tells which RTP timestamp the frame on display has.
 *
 * Chromium and today's Firefox say so in requestVideoFrameCallback's metadata. Older Firefox has the callback without rtpTimestamp, or no callback;
 * there the receiver's synchronization source names a frame that was handed to the track (measured in Firefox: one frame late). A frame handed over
 * may still wait to be composited, so what counts is a timestamp that had been handed over some callbacks ago. Late is harmless: blank a little longer.
 */

interface FrameMetadata {
  rtpTimestamp?: number
}
type FrameVideo = HTMLVideoElement & {
  requestVideoFrameCallback?: (callback: (now: number, metadata: FrameMetadata) => void) => number
  cancelVideoFrameCallback?: (handle: number) => void
}

const MARGIN_CALLBACKS = 2
/** Display refreshes, which are no frames: a frame may last for several of them. */
const MARGIN_REFRESHES = 12

export function handedOver(receiver: RTCRtpReceiver): number | null {
  const sources = receiver.getSynchronizationSources?.() ?? []
  let newest: RTCRtpSynchronizationSource | null = null
  for (const source of sources) if (!newest || source.timestamp > newest.timestamp) newest = source
  return typeof newest?.rtpTimestamp === 'number' ? newest.rtpTimestamp : null
}

/** Frames of one <video>, told while somebody asks. */
export interface FrameWatch {
  /** From now on, until `onFrame` says that it is enough; does nothing while it is under way. */
  look(): void
  end(): void
}

/**
 * Calls `onFrame` with the RTP timestamp of what is on display, from `look` until it gives true. Every callback makes the page's main thread draw a
 * frame of its own, with thirty pictures hundreds a second: so nobody looks longer than he must.
 */
export function watchFrames(
  video: HTMLVideoElement,
  receiver: () => RTCRtpReceiver | null,
  onFrame: (timestamp: number) => boolean,
): FrameWatch {
  const element = video as FrameVideo
  const handed: number[] = []
  const callbacks = typeof element.requestVideoFrameCallback === 'function'
  const margin = callbacks ? MARGIN_CALLBACKS : MARGIN_REFRESHES
  let handle = 0
  let looking = false

  const viaReceiver = () => {
    const current = receiver()
    const timestamp = current && handedOver(current)
    if (timestamp === null) return false
    handed.push(timestamp)
    return handed.length > margin && onFrame(handed.shift() as number)
  }
  const next = () => {
    if (looking) handle = callbacks ? element.requestVideoFrameCallback!(onCallback) : requestAnimationFrame(onRefresh)
  }
  const onCallback = (_now: number, metadata: FrameMetadata) => {
    if (!looking) return
    const enough = typeof metadata.rtpTimestamp === 'number' ? onFrame(metadata.rtpTimestamp) : viaReceiver()
    if (enough) looking = false
    next()
  }
  const onRefresh = () => {
    if (!looking) return
    if (viaReceiver()) looking = false
    next()
  }
  const restart = () => {
    handed.length = 0
  }
  video.addEventListener('emptied', restart)
  return {
    look() {
      if (looking) return
      looking = true
      restart()
      next()
    },
    end() {
      looking = false
      video.removeEventListener('emptied', restart)
      if (callbacks) element.cancelVideoFrameCallback?.(handle)
      else cancelAnimationFrame(handle)
    },
  }
}
