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

/** Calls `onFrame` with the RTP timestamp of what is on display. Returns what ends it. */
export function watchFrames(
  video: HTMLVideoElement,
  receiver: () => RTCRtpReceiver | null,
  onFrame: (timestamp: number) => void,
): () => void {
  const element = video as FrameVideo
  const handed: number[] = []
  let handle = 0
  let ended = false
  const margin = typeof element.requestVideoFrameCallback === 'function' ? MARGIN_CALLBACKS : MARGIN_REFRESHES

  const viaReceiver = () => {
    const current = receiver()
    const timestamp = current && handedOver(current)
    if (timestamp === null) return
    handed.push(timestamp)
    if (handed.length > margin) onFrame(handed.shift() as number)
  }
  const onCallback = (_now: number, metadata: FrameMetadata) => {
    if (ended) return
    if (typeof metadata.rtpTimestamp === 'number') onFrame(metadata.rtpTimestamp)
    else viaReceiver()
    handle = element.requestVideoFrameCallback?.(onCallback) ?? 0
  }
  const restart = () => {
    handed.length = 0
  }

  video.addEventListener('emptied', restart)
  const onRefresh = () => {
    if (ended) return
    viaReceiver()
    handle = requestAnimationFrame(onRefresh)
  }
  handle =
    typeof element.requestVideoFrameCallback === 'function'
      ? element.requestVideoFrameCallback(onCallback)
      : requestAnimationFrame(onRefresh)
  return () => {
    ended = true
    video.removeEventListener('emptied', restart)
    if (typeof element.cancelVideoFrameCallback === 'function') element.cancelVideoFrameCallback(handle)
    else cancelAnimationFrame(handle)
  }
}
