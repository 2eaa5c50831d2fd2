/* The paper on a canvas. The context's unit is a millimetre when it is handed over. */
import { across, PULSE_MM, type Paper, type Sheet, type Strip } from './layout'
import type { Lead } from './record'

const FINE = '#f6cfcf'
const BOLD = '#e79a9a'
const INK = '#111827'

/** Whole millimetres thin, every fifth bold; where a millimetre is under 3 pixels only the bold ones. */
export function drawGrid(context: CanvasRenderingContext2D, sheet: Sheet, pixels: number): void {
  context.fillStyle = '#fffafa'
  context.fillRect(0, 0, sheet.width, sheet.height)
  if (pixels >= 3) lines(context, sheet, 1, Math.max(0.08, 0.6 / pixels), FINE)
  lines(context, sheet, 5, Math.max(0.15, 0.9 / pixels), BOLD)
}

function lines(context: CanvasRenderingContext2D, sheet: Sheet, step: number, width: number, colour: string): void {
  context.strokeStyle = colour
  context.lineWidth = width
  context.beginPath()
  for (let x = 0; x <= sheet.width + 1e-6; x += step) {
    context.moveTo(x, 0)
    context.lineTo(x, sheet.height)
  }
  for (let y = 0; y <= sheet.height + 1e-6; y += step) {
    context.moveTo(0, y)
    context.lineTo(sheet.width, y)
  }
  context.stroke()
}

/** One millivolt for a fifth of a second, before the first strip of each row. */
export function drawPulse(context: CanvasRenderingContext2D, strip: Strip, paper: Paper, pixels: number): void {
  const wide = Math.min(PULSE_MM - 3, 0.2 * paper.speed)
  const x = strip.x - PULSE_MM + 1
  context.strokeStyle = INK
  context.lineWidth = thin(pixels)
  context.beginPath()
  context.moveTo(x, strip.y)
  context.lineTo(x + 0.5, strip.y)
  context.lineTo(x + 0.5, strip.y - paper.gain)
  context.lineTo(x + 0.5 + wide, strip.y - paper.gain)
  context.lineTo(x + 0.5 + wide, strip.y)
  context.lineTo(x + 1 + wide, strip.y)
  context.stroke()
}

const thin = (pixels: number) => Math.max(0.25, 1.1 / pixels)

/**
 * The samples of a strip. Where a pixel holds several, a line from the lowest to the highest of them: no beat is left out however small it is drawn.
 * `shift`: seconds that are added to the record's time (a comparison laid over it).
 */
export function drawTrace(
  context: CanvasRenderingContext2D,
  strip: Strip,
  paper: Paper,
  lead: Lead,
  rate: number,
  pixels: number,
  { colour = INK, shift = 0 } = {},
): void {
  const { samples, base } = lead
  const first = Math.max(0, Math.ceil((strip.from - shift) * rate - 1e-6) - base)
  const last = Math.min(samples.length - 1, Math.floor((strip.from - shift + strip.seconds) * rate + 1e-6) - base)
  const height = (value: number) => strip.y - (strip.sign * value * paper.gain) / 1000
  const place = (i: number) => across(strip, paper, (base + i) / rate + shift)
  context.strokeStyle = colour
  context.lineWidth = thin(pixels)
  context.lineJoin = 'bevel' // round joins take most of the time, and are not seen on so thin a line
  context.beginPath()
  const each = Math.max(1, Math.floor(rate / (paper.speed * pixels)))
  let pen = false
  for (let i = first; i <= last; i += each) {
    const end = Math.min(last, i + each - 1)
    let low = Infinity,
      high = -Infinity,
      lowAt = i,
      highAt = i
    for (let j = i; j <= end; j++) {
      const value = samples[j]
      if (value < low) {
        low = value
        lowAt = j
      }
      if (value > high) {
        high = value
        highAt = j
      }
    }
    if (low === Infinity) {
      pen = false
      continue
    }
    const [one, other] = lowAt <= highAt ? [lowAt, highAt] : [highAt, lowAt]
    for (const j of one === other ? [one] : [one, other]) {
      if (pen) context.lineTo(place(j), height(samples[j]))
      else context.moveTo(place(j), height(samples[j]))
      pen = true
    }
  }
  context.stroke()
}

export function drawName(context: CanvasRenderingContext2D, strip: Strip, pixels: number): void {
  context.fillStyle = INK
  context.font = `600 ${Math.max(3, 11 / pixels)}px system-ui, sans-serif`
  context.fillText((strip.sign < 0 ? '−' : '') + strip.lead, strip.x + 1, strip.y - Math.min(8, strip.room - 3))
}

/** A bar between two columns of a row. */
export function drawJoint(context: CanvasRenderingContext2D, strip: Strip, pixels: number): void {
  context.strokeStyle = INK
  context.lineWidth = thin(pixels)
  context.beginPath()
  context.moveTo(strip.x, strip.y - 3)
  context.lineTo(strip.x, strip.y + 3)
  context.stroke()
}
