/* The level of a microphone, and a tone to try the speaker with. */

/** Calls back about 20 times a second with 0 … 1. Returns what ends it. */
export function watchLevel(track: MediaStreamTrack, onLevel: (level: number) => void): () => void {
  const context = new AudioContext()
  const source = context.createMediaStreamSource(new MediaStream([track]))
  const analyser = context.createAnalyser()
  analyser.fftSize = 1024
  source.connect(analyser)
  void context.resume().catch(() => undefined)
  const samples = new Float32Array(analyser.fftSize)
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples)
    let sum = 0
    for (const sample of samples) sum += sample * sample
    onLevel(levelOf(Math.sqrt(sum / samples.length)))
  }, 50)
  return () => {
    clearInterval(timer)
    source.disconnect()
    void context.close()
  }
}

/** From −60 dB (0) to −10 dB (1), as loudness is felt. */
export function levelOf(rms: number): number {
  if (rms <= 0) return 0
  return Math.min(1, Math.max(0, (20 * Math.log10(rms) + 60) / 50))
}

export type SinkElement = HTMLMediaElement & { setSinkId?: (id: string) => Promise<void> }

export async function playTestTone(speakerId: string): Promise<void> {
  const context = new AudioContext()
  await context.resume().catch(() => undefined)
  const target = context.createMediaStreamDestination()
  const gain = context.createGain()
  gain.connect(target)
  const audio = new Audio() as SinkElement
  audio.srcObject = target.stream
  if (speakerId) await audio.setSinkId?.(speakerId).catch(() => undefined)
  const start = context.currentTime + 0.05
  gain.gain.setValueAtTime(0, start)
  ;[523.25, 659.25, 783.99].forEach((frequency, i) => {
    const tone = context.createOscillator()
    tone.frequency.value = frequency
    tone.connect(gain)
    tone.start(start + i * 0.3)
    tone.stop(start + i * 0.3 + 0.28)
    gain.gain.linearRampToValueAtTime(0.25, start + i * 0.3 + 0.05)
    gain.gain.linearRampToValueAtTime(0, start + i * 0.3 + 0.28)
  })
  await audio.play()
  await new Promise((resolve) => setTimeout(resolve, 1200))
  audio.srcObject = null
  await context.close()
}
