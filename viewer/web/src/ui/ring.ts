/* Two notes, twice: as loud as the machine is set. Browsers let a page sound only after somebody has used it; until then it stays silent. */

const NOTES = [880, 1174.66, 880, 1174.66]
const NOTE_S = 0.22
const ALLOWED_MS = 500

async function play(): Promise<void> {
  const context = new AudioContext()
  try {
    await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, ALLOWED_MS))])
    if (context.state !== 'running') return
    const start = context.currentTime + 0.05
    NOTES.forEach((frequency, i) => {
      const at = start + i * NOTE_S + (i > 1 ? NOTE_S : 0)
      const gain = context.createGain()
      const tone = context.createOscillator()
      tone.frequency.value = frequency
      gain.gain.setValueAtTime(0, at)
      gain.gain.linearRampToValueAtTime(0.3, at + 0.02)
      gain.gain.linearRampToValueAtTime(0, at + NOTE_S)
      tone.connect(gain).connect(context.destination)
      tone.start(at)
      tone.stop(at + NOTE_S)
    })
    await new Promise((resolve) => setTimeout(resolve, (NOTES.length + 2) * NOTE_S * 1000))
  } finally {
    await context.close()
  }
}

/** Once, however many tabs of the app are told the same. */
export async function ring(): Promise<void> {
  if (typeof AudioContext === 'undefined') return
  try {
    if (!navigator.locks) return await play()
    await navigator.locks.request('consilium.ring', { ifAvailable: true }, (lock) => (lock ? play() : undefined))
  } catch {
    // no sound device: the bar and the title say it too
  }
}
