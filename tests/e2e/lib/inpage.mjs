// What runs inside the pages: reads pictures from <video> elements and tones from what they play. Passed to the browsers as source text.

import { PERIOD } from './pictures.mjs'

/** Installs window.__probe. `cells`, `bits`: layout of the drawn counter (pictures.mjs). */
export const installProbe = `(cells, bits) => {
  if (window.__probe) return
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d', { willReadFrequently: true })
  const read = (video) => {
    const w = video.videoWidth, h = video.videoHeight
    if (!w || !h || video.readyState < 2) return null
    canvas.width = w; canvas.height = h
    context.drawImage(video, 0, 0, w, h)
    const mean = (x, y, s) => {
      const d = context.getImageData(Math.max(0, Math.round(x - s / 2)), Math.max(0, Math.round(y - s / 2)), s, s).data
      const sum = [0, 0, 0]
      for (let i = 0; i < d.length; i += 4) { sum[0] += d[i]; sum[1] += d[i + 1]; sum[2] += d[i + 2] }
      return sum.map((v) => v / (d.length / 4))
    }
    const side = Math.max(1, Math.round(w / cells.count / 3))
    const y = h * (cells.top + cells.height / 2)
    const luma = (i) => { const [r, g, b] = mean(w * (cells.left + cells.width * (i + 0.5) / cells.count), y, side); return (r + g + b) / 3 }
    const black = luma(0), white = luma(1), middle = (black + white) / 2
    let counter = 0
    for (let i = 0; i < bits; i++) counter = counter * 2 + (luma(i + 2) > middle ? 1 : 0)
    return { colour: mean(w / 2, h * 0.35, Math.max(2, Math.round(w / 8))), whole: [...mean(w / 4, h / 4, 8), ...mean(w * 0.75, h * 0.6, 8)], counter: white - black > 60 ? counter : -1, width: w, height: h }
  }
  let audio
  window.__probe = {
    read,
    /** Picture of the tile of a participant; who has none may have a chip instead. */
    tile(participant, source) {
      const tiles = [...document.querySelectorAll('[data-testid="tile"], [data-testid="chip"]')].filter((t) => t.dataset.participant === participant && (!source || t.dataset.source === source))
      const tile = tiles.find((t) => t.dataset.source !== 'screen') || tiles[0]
      if (!tile) return null
      const video = tile.querySelector('video')
      return { state: tile.dataset.state, source: tile.dataset.source, name: tile.querySelector('[data-testid="tile-name"]')?.textContent?.trim(), picture: video ? read(video) : null, at: performance.timeOrigin + performance.now() }
    },
    tiles() {
      return [...document.querySelectorAll('[data-testid="tile"]')].map((t) => ({ participant: t.dataset.participant, source: t.dataset.source, state: t.dataset.state, name: t.querySelector('[data-testid="tile-name"]')?.textContent?.trim() }))
    },
    /**
     * Strength in dB of each frequency over everything the page plays, at its loudest within ms; or, for silence, its median: where a page is too busy to play
     * smoothly, the clicks of another voice reach every frequency for a moment.
     */
    async hear(frequencies, ms, typical = false) {
      audio = audio || new AudioContext()
      await audio.resume()
      const mix = audio.createGain(), analyser = audio.createAnalyser()
      analyser.fftSize = 8192
      analyser.smoothingTimeConstant = 0
      mix.connect(analyser)
      const nodes = []
      const seen = new Set()
      for (const e of document.querySelectorAll('audio, video')) {
        if (!e.srcObject || e.muted) continue
        for (const track of e.srcObject.getAudioTracks()) {
          if (seen.has(track.id)) continue
          seen.add(track.id)
          const node = audio.createMediaStreamSource(new MediaStream([track]))
          node.connect(mix)
          nodes.push(node)
        }
      }
      const bins = new Float32Array(analyser.frequencyBinCount), levels = frequencies.map(() => [-200])
      const end = performance.now() + ms
      while (performance.now() < end) {
        await new Promise((r) => setTimeout(r, 50))
        analyser.getFloatFrequencyData(bins)
        frequencies.forEach((f, i) => {
          const a = Math.floor((f * 0.94) / (audio.sampleRate / analyser.fftSize)), b = Math.ceil((f * 1.06) / (audio.sampleRate / analyser.fftSize))
          levels[i].push(Math.max(-200, ...bins.subarray(a, b + 1)))
        })
      }
      nodes.forEach((n) => n.disconnect())
      return levels.map((l) => l.sort((x, y) => y - x)[typical ? l.length >> 1 : 0])
    },
    /** Notes when each frame of one's own camera, of so many a second, was shown in the preview … */
    followSelf(fps) {
      const video = document.querySelector('[data-testid="self-tile"] video')
      const own = window.__probe.own = { log: [], beat: 1000 / fps, on: true }
      const tick = () => {
        if (!own.on) return
        const p = read(video)
        if (p && p.counter >= 0 && own.log.at(-1)?.[1] !== p.counter) own.log.push([performance.timeOrigin + performance.now(), p.counter])
        if (own.log.length > 300) own.log.shift()
        video.requestVideoFrameCallback(tick)
      }
      tick()
    },
    /** … tells when the camera gave frame "counter", the last time before "at": by its beat, where the preview skipped it … */
    sentAt(counter, at) {
      const { log, beat } = window.__probe.own, ahead = (n) => (counter - n + ${PERIOD}) % ${PERIOD}
      const hit = log.filter(([t, n]) => ahead(n) < 6 && t <= at + 50).pop()
      return hit ? hit[0] + ahead(hit[1]) * beat : 0
    },
    /** … and ends; gives the ms by which the preview itself came behind the camera's beat in one case of twenty. */
    endFollowing() {
      const { own } = window.__probe
      own.on = false
      let turn = 0
      const due = own.log.map(([t, n], i, all) => t - own.beat * (n + ${PERIOD} * (i && all[i - 1][1] > n ? ++turn : turn)))
      const first = Math.min(...due), late = due.map((t) => t - first).sort((a, b) => a - b)
      return late[Math.floor(late.length * 0.95)] ?? 0
    },
    /** Pins one tile after the other; every turn each tile that shows a picture must show that of its name. colours: {participant: [r, g, b]}; of three turns "patient" wait for the new picture; more turns until "enough" pictures were shown. */
    async rebind(colours, times, patient, enough) {
      const small = document.createElement('canvas')
      small.width = 32; small.height = 18
      const c = small.getContext('2d', { willReadFrequently: true })
      const result = { samples: 0, proven: 0, early: 0, rebinds: 0, wrong: [] }
      const ids = Object.keys(colours)
      const look = () => {
        for (const t of document.querySelectorAll('[data-testid="tile"]')) {
          const colour = colours[t.dataset.participant], video = t.querySelector('video')
          if (!colour || t.dataset.source !== 'camera') continue
          result.samples++
          // while the page is busy Chromium tells an element's first frame, and its size, before there is anything to draw: what was drawn last would be taken for it
          if (!['live', 'paused'].includes(t.dataset.state) || getComputedStyle(video).visibility !== 'visible' || !video.videoWidth) continue
          if (video.readyState < 2) {
            result.early++
            continue
          }
          c.clearRect(0, 0, 32, 18)
          c.drawImage(video, 0, 0, 32, 18)
          const d = c.getImageData(12, 4, 6, 4).data
          const mean = [0, 1, 2].map((k) => { let s = 0; for (let i = k; i < d.length; i += 4) s += d[i]; return s / (d.length / 4) })
          result.proven++
          if (mean.some((v, k) => Math.abs(v - colour[k]) > 40)) result.wrong.push({ name: t.querySelector('[data-testid="tile-name"]').textContent, mean, mid: t.dataset.mid, ready: video.readyState })
        }
      }
      // a page that is slow to show them shows fewer pictures in as many turns
      for (let n = 0, end = performance.now() + 150000; n < times || (result.proven <= enough && performance.now() < end); n++) {
        const tile = document.querySelector('[data-testid="tile"][data-participant="' + ids[n % ids.length] + '"][data-source="camera"]')
        const before = tile.dataset.mid
        tile.dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))
        // patient turns wait until the new picture has been seen for a while, the others come in between
        const start = performance.now(), hurried = n % 3 >= patient, limit = hurried ? 100 + (n * 37) % 400 : 1500
        let proven = 0
        for (let since; (since = performance.now() - start) < limit && (hurried || since < 400 || proven < 5);) {
          await new Promise((r) => setTimeout(r, 25))
          look()
          if (tile.dataset.state === 'live') proven++
        }
        if (tile.dataset.mid !== before || n === 0) result.rebinds++
      }
      return result
    },
  }
}`
