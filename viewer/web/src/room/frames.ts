/*
 * Tells which RTP timestamp the frame on display has.
 *
 * Chromium says so in requestVideoFrameCallback's metadata. Firefox has the callback without rtpTimestamp; there the receiver's synchronization
 * source says which frame was last handed to the track, and a frame handed over may still wait to be composited. So what counts there is a timestamp
 * that was already handed over when an *earlier* callback ran: of two callbacks, the later one displays at least what the earlier one had seen.
 */

interface FrameMetadata {
  rtpTimestamp?: number
}
type FrameVideo = HTMLVideoElement & {
  requestVideoFrameCallback?: (callback: (now: number, metadata: FrameMetadata) => void) => number
  cancelVideoFrameCallback?: (handle: number) => void
}

const MARGIN_CALLBACKS = 2

export function handedOver(receiver: RTCRtpReceiver): number | null {
  const sources = receiver.getSynchronizationSources?.() ?? []
  let newest: RTCRtpSynchronizationSource | null = null
  for (const source of sources) if (!newest || source.timestamp > newest.timestamp) newest = source
  return typeof newest?.rtpTimestamp === 'number' ? newest.rtpTimestamp : null
}

/** Calls `onFrame` with the RTP timestamp of what is on display. Returns what ends it. */
export function watchFrames(video: HTMLVideoElement, receiver: () => RTCRtpReceiver | null, onFrame: (timestamp: number) => void): () => void {
  const element = video as FrameVideo
  const handed: number[] = []
  let handle = 0
  let ended = false

  const viaReceiver = () => {
    const current = receiver()
    const timestamp = current && handedOver(current)
    if (timestamp === null) return
    handed.push(timestamp)
    if (handed.length > MARGIN_CALLBACKS) onFrame(handed.shift() as number)
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
  if (element.requestVideoFrameCallback) handle = element.requestVideoFrameCallback(onCallback)
  return () => {
    ended = true
    video.removeEventListener('emptied', restart)
    element.cancelVideoFrameCallback?.(handle)
  }
}
