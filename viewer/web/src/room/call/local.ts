/* This person's own microphone, camera and screen. */
import { reactive, shallowReactive } from 'vue'
import type { Tier } from './protocol'
import { cameraConstraints, possibleQualities, withinCeiling, type OwnQuality } from './quality'

export type DeviceProblem = 'insecure' | 'denied' | 'missing' | 'in_use' | 'failed'

export function deviceProblem(error: unknown): DeviceProblem {
  const name = error instanceof DOMException ? error.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied'
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing'
  if (name === 'NotReadableError' || name === 'AbortError') return 'in_use'
  return 'failed'
}

interface DeviceChoice {
  id: string
  label: string
}

const STORAGE = 'consilium.devices'

interface Remembered {
  mic?: string
  camera?: string
  speaker?: string
  quality?: OwnQuality
}

function recall(): Remembered {
  try {
    return JSON.parse(localStorage.getItem(STORAGE) ?? '{}') as Remembered
  } catch {
    return {}
  }
}

const AUDIO: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true }

export class LocalMedia {
  readonly tracks = shallowReactive({
    mic: null as MediaStreamTrack | null,
    camera: null as MediaStreamTrack | null,
    screen: null as MediaStreamTrack | null,
  })
  readonly state = reactive({
    micOn: true,
    cameraOn: true,
    micProblem: null as DeviceProblem | null,
    cameraProblem: null as DeviceProblem | null,
    mics: [] as DeviceChoice[],
    cameras: [] as DeviceChoice[],
    speakers: [] as DeviceChoice[],
    micId: recall().mic ?? null,
    cameraId: recall().camera ?? null,
    speakerId: recall().speaker ?? '',
    quality: recall().quality ?? ('hd' as OwnQuality),
    /** The room's or the host's ceiling. */
    ceiling: '4k' as Tier,
    qualities: ['sd', 'hd', 'super_hd'] as OwnQuality[],
  })
  /** One stream for the sections of this PeerConnection: voice and face belong together. */
  readonly stream = new MediaStream()

  /** The microphone in use has gone; it is not in `tracks` any more. */
  onMicEnded: () => void = () => undefined
  /** Devices came or went, and the lists say so already. */
  onDevices: () => void = () => undefined
  onCameraEnded: () => void = () => undefined
  onScreenEnded: () => void = () => undefined

  /** What the person chose, whatever stands in for it now. */
  private chosenMic = this.state.micId

  constructor() {
    navigator.mediaDevices?.addEventListener?.('devicechange', this.devicesChanged)
  }

  /** What is sent: the person's choice, within the ceiling. */
  get effective(): OwnQuality {
    return withinCeiling(this.state.quality, this.state.ceiling)
  }

  get canShareScreen(): boolean {
    return typeof navigator.mediaDevices?.getDisplayMedia === 'function'
  }

  /** `substitute`: for one that has gone, which stays the one to be used next time. */
  async openMic(id: string | null = this.state.micId, substitute = false): Promise<MediaStreamTrack | null> {
    this.state.micProblem = null
    try {
      const track = await this.take({ audio: id ? { ...AUDIO, deviceId: { exact: id } } : AUDIO })
      this.tracks.mic?.stop()
      this.tracks.mic = track
      track.enabled = this.state.micOn
      track.addEventListener('ended', () => {
        if (this.tracks.mic !== track) return
        this.tracks.mic = null
        this.onMicEnded()
      })
      this.state.micId = track.getSettings().deviceId ?? id
      if (!substitute) this.chosenMic = this.state.micId
      this.remember()
    } catch (error) {
      if (id && deviceProblem(error) === 'missing') return this.openMic(null, substitute)
      this.state.micProblem = navigator.mediaDevices ? deviceProblem(error) : 'insecure'
    }
    await this.listDevices()
    return this.tracks.mic
  }

  async openCamera(id: string | null = this.state.cameraId): Promise<MediaStreamTrack | null> {
    this.state.cameraProblem = null
    try {
      const track = await this.take({ video: cameraConstraints(this.effective, id) })
      this.tracks.camera?.stop()
      this.tracks.camera = track
      track.contentHint = 'motion'
      track.addEventListener('ended', () => {
        if (this.tracks.camera === track) this.onCameraEnded()
      })
      this.state.cameraId = track.getSettings().deviceId ?? id
      this.noteAbilities(track)
      this.remember()
    } catch (error) {
      if (id && deviceProblem(error) === 'missing') return this.openCamera(null)
      this.state.cameraProblem = navigator.mediaDevices ? deviceProblem(error) : 'insecure'
    }
    await this.listDevices()
    return this.tracks.camera
  }

  closeCamera(): void {
    this.tracks.camera?.stop()
    this.tracks.camera = null
  }

  setMicOn(on: boolean): void {
    this.state.micOn = on
    if (this.tracks.mic) this.tracks.mic.enabled = on
  }

  async setQuality(quality: OwnQuality): Promise<void> {
    this.state.quality = quality
    this.remember()
    await this.applyQuality()
  }

  async applyQuality(): Promise<void> {
    const { width, height, frameRate } = cameraConstraints(this.effective, null)
    await this.tracks.camera?.applyConstraints({ width, height, frameRate }).catch(() => undefined)
  }

  setSpeaker(id: string): void {
    this.state.speakerId = id
    this.remember()
  }

  /** Null when the person changed their mind. */
  async openScreen(): Promise<MediaStreamTrack | null> {
    const stream = await navigator.mediaDevices.getDisplayMedia({
      video: { frameRate: { ideal: 15, max: 30 } },
      audio: false,
    })
    const track = stream.getVideoTracks()[0]
    if (!track) return null
    track.contentHint = 'detail'
    this.tracks.screen = track
    track.addEventListener('ended', () => {
      if (this.tracks.screen === track) this.onScreenEnded()
    })
    return track
  }

  closeScreen(): void {
    this.tracks.screen?.stop()
    this.tracks.screen = null
  }

  close(): void {
    navigator.mediaDevices?.removeEventListener?.('devicechange', this.devicesChanged)
    this.tracks.mic?.stop()
    this.tracks.mic = null
    this.closeCamera()
    this.closeScreen()
  }

  private async take(constraints: MediaStreamConstraints): Promise<MediaStreamTrack> {
    if (!navigator.mediaDevices) throw new DOMException('', 'NotSupportedError')
    const stream = await navigator.mediaDevices.getUserMedia(constraints)
    const track = stream.getTracks()[0]
    if (!track) throw new DOMException('', 'NotFoundError')
    return track
  }

  private noteAbilities(track: MediaStreamTrack): void {
    const abilities = track.getCapabilities?.()
    this.state.qualities = possibleQualities(abilities?.width?.max, abilities?.height?.max)
  }

  private readonly devicesChanged = async (): Promise<void> => {
    await this.listDevices()
    this.onDevices()
  }

  private readonly listDevices = async (): Promise<void> => {
    const devices = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? []
    const list = (kind: MediaDeviceKind) =>
      devices
        .filter((device) => device.kind === kind && device.deviceId !== '')
        .map((device, i) => ({ id: device.deviceId, label: device.label || `${i + 1}` }))
    this.state.mics = list('audioinput')
    this.state.cameras = list('videoinput')
    this.state.speakers = list('audiooutput')
  }

  private remember(): void {
    const { cameraId, speakerId, quality } = this.state
    const value: Remembered = { quality }
    if (this.chosenMic) value.mic = this.chosenMic
    if (cameraId) value.camera = cameraId
    if (speakerId) value.speaker = speakerId
    try {
      localStorage.setItem(STORAGE, JSON.stringify(value))
    } catch {
      // private windows ask again next time
    }
  }
}
