// What runs inside the pages when a line is bad: a studio that sends numbered frames, flashes and beeps, and eyes and ears that note when they come.
import { CELLS, COUNTER_BITS } from './pictures.mjs'

export const PULSE_MS = 1000 // a flash and a beep every so often, both for …
const LIT_MS = 150

/**
 * Installs, before the page's own scripts, a camera and a microphone that are drawn and played here, so that a flash and its beep happen at one instant.
 * Frames carry their number (pictures.mjs: CELLS). `window.__studio.speak(on)`: whether the microphone is heard.
 */
export function installStudio(browser, { width, height, fps, hue = 0, frequency = 700 }) {
  return browser.page.addInitScript(
    ({ width, height, fps, hue, frequency, cells, bits, pulse, lit }) => {
      const HUM = 0.05,
        BEEP = 0.6 // a voice is more than its beeps, or nobody would be the speaker
      const studio = (window.__studio = {
        drawn: 0,
        speaking: true,
        speak(on) {
          this.speaking = on
          this.gain?.gain.setValueAtTime(on ? HUM : 0, audio.currentTime)
        },
      })
      let audio
      const microphone = () => {
        audio ??= new AudioContext({ sampleRate: 48000, latencyHint: 'interactive' })
        void audio.resume()
        const out = audio.createMediaStreamDestination(),
          tone = audio.createOscillator(),
          gain = (studio.gain = audio.createGain())
        tone.frequency.value = frequency
        gain.gain.value = studio.speaking ? HUM : 0
        tone.connect(gain).connect(out)
        tone.start()
        return out.stream.getAudioTracks()[0]
      }
      const camera = () => {
        const canvas = document.createElement('canvas')
        canvas.width = width
        canvas.height = height
        const c = canvas.getContext('2d', { alpha: false })
        const stream = canvas.captureStream(0),
          track = stream.getVideoTracks()[0]
        let pulses = -1
        const draw = () => {
          const now = performance.now(),
            number = studio.drawn++ % 2 ** bits,
            flash = now % pulse < lit
          c.fillStyle = `hsl(${hue} 40% 35%)`
          c.fillRect(0, 0, width, height)
          c.fillStyle = `hsl(${hue + 30} 50% 55%)`
          const t = studio.drawn / fps
          for (let i = 0; i < 6; i++)
            c.fillRect(
              width * (0.45 + 0.3 * Math.sin(t + i)),
              height * (0.3 + 0.25 * Math.cos(1.3 * t + i)),
              width / 12,
              height / 9,
            )
          c.fillStyle = flash ? '#fff' : '#000'
          c.fillRect(0, 0, width * 0.25, height * 0.4)
          for (let cell = 0; cell < cells.count; cell++) {
            const on = cell === 0 ? false : cell === 1 ? true : (number >> (bits - 1 - (cell - 2))) & 1
            c.fillStyle = on ? '#fff' : '#000'
            c.fillRect(
              Math.round(width * (cells.left + (cells.width * cell) / cells.count)),
              Math.round(height * cells.top),
              Math.ceil((width * cells.width) / cells.count),
              Math.round(height * cells.height),
            )
          }
          track.requestFrame()
          // the beep begins with the first lit frame
          if (flash && Math.floor(now / pulse) !== pulses && studio.gain) {
            pulses = Math.floor(now / pulse)
            const at = audio.currentTime
            if (studio.speaking) {
              studio.gain.gain.setValueAtTime(BEEP, at)
              studio.gain.gain.setValueAtTime(HUM, at + lit / 1000)
            }
          }
        }
        let next = performance.now()
        const tick = () => {
          draw()
          next = Math.max(next + 1000 / fps, performance.now() - 1000 / fps)
          setTimeout(tick, Math.max(0, next - performance.now()))
        }
        tick()
        return track
      }
      let cam
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        const tracks = []
        if (wanted.audio) tracks.push(microphone())
        if (wanted.video) tracks.push((cam ??= camera()).clone())
        return new MediaStream(tracks)
      }
    },
    { width, height, fps, hue, frequency, cells: CELLS, bits: COUNTER_BITS, pulse: PULSE_MS, lit: LIT_MS },
  )
}

/** Runs in the page. window.__eyes: notes of every frame on display of a <video>, and of the beeps in an audio track; times are performance.now(). */
const installEyes = `(cells, bits) => {
  if (window.__eyes) return
  const small = document.createElement('canvas')
  const W = cells.count * 4, H = 8
  small.width = W; small.height = H
  const c = small.getContext('2d', { willReadFrequently: true })
  const read = (video) => {
    const w = video.videoWidth, h = video.videoHeight
    // the middle of the band of cells, and the middle of the flash
    c.drawImage(video.image ?? video, w * cells.left, h * (cells.top + cells.height * 0.3), w * cells.width, h * cells.height * 0.4, 0, 0, W, 4)
    c.drawImage(video.image ?? video, w * 0.05, h * 0.1, w * 0.15, h * 0.2, 0, 4, 4, 4)
    const d = c.getImageData(0, 0, W, H).data
    const luma = (x, y) => { const i = (y * W + x) * 4; return (d[i] + d[i + 1] + d[i + 2]) / 3 }
    const cell = (i) => (luma(i * 4 + 1, 1) + luma(i * 4 + 2, 2)) / 2
    const black = cell(0), white = cell(1), middle = (black + white) / 2
    let number = 0
    for (let i = 0; i < bits; i++) number = number * 2 + (cell(i + 2) > middle ? 1 : 0)
    return { number: white - black > 60 ? number : -1, lit: luma(2, 6) > 128, width: w, height: h }
  }
  const eyes = window.__eyes = { frames: {}, beeps: {} }
  const videoOf = (participant) => document.querySelector('[data-testid="tile"][data-participant="' + participant + '"][data-source="camera"] video')
  /** Notes [time on display, number, lit, height, rtp timestamp, pictures presented so far] of a participant's tile. */
  eyes.watch = (name, participant) => {
    const log = eyes.frames[name] = []
    let video = null
    const look = () => {
      const now = videoOf(participant)
      if (now !== video) { video = now; if (video) step(video) }
      if (eyes.frames[name] === log) setTimeout(look, 50)
    }
    const step = (v) => v.requestVideoFrameCallback((now, m) => {
      if (v !== video || eyes.frames[name] !== log) return
      step(v)
      if (!v.videoWidth) return
      const r = read(v)
      log.push([m.expectedDisplayTime, r.number, r.lit, r.height, m.rtpTimestamp ?? 0, m.presentedFrames])
    })
    look()
  }
  /** Notes [time, number, lit] of every frame that comes out of a track. */
  eyes.watchTrack = async (name, track) => {
    const log = eyes.frames[name] = []
    for await (const frame of new MediaStreamTrackProcessor({ track }).readable) {
      const r = read({ image: frame, videoWidth: frame.displayWidth, videoHeight: frame.displayHeight })
      log.push([performance.now(), r.number, r.lit])
      frame.close()
    }
  }
  /** Notes the time at which every beep's begin comes out of a track: louder than 0.1 after 0.2 s of less. */
  eyes.listen = async (name, track) => {
    const log = eyes.beeps[name] = []
    let quiet = 1e9
    for await (const data of new MediaStreamTrackProcessor({ track }).readable) {
      const now = performance.now(), x = new Float32Array(data.numberOfFrames)
      data.copyTo(x, { planeIndex: 0, format: 'f32-planar' })
      for (let i = 0; i < x.length; i++) {
        const loud = Math.abs(x[i]) > 0.1
        if (loud && quiet > data.sampleRate / 5) log.push(now + (1000 * i) / data.sampleRate)
        quiet = loud ? 0 : quiet + 1
      }
      data.close()
    }
  }
  eyes.hearSlot = (name, index) => eyes.listen(name, document.querySelectorAll('[data-testid="slot-audio"]')[index].srcObject.getAudioTracks()[0])
}`

/** Makes window.__eyes there; call once the page is in the room. */
export const openEyes = (browser) =>
  browser.page.evaluate(`(${installEyes})(${JSON.stringify(CELLS)}, ${COUNTER_BITS})`)
