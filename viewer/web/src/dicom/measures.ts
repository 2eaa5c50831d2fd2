/* What is measured on an image, in words. Pure. */
import { length, statistics, type Point } from './measure'
import type { Stored } from './frames'
import type { Image } from './study'

export interface Measure {
  kind: 'length' | 'ellipse'
  from: Point
  to: Point
}

export interface MeasureWords {
  pixels: string
  mean: string
  area: string
  detector: string
}

const digits = (value: number, n: number) => value.toFixed(n)

/** What a stored value means: SUV where the image says enough, else as its series has it. */
export function valueOf(image: Image, stored: number): { value: number; unit: string } {
  const value = stored * image.slope + image.intercept
  return image.suv > 0 ? { value: value * image.suv, unit: 'SUV' } : { value, unit: image.unit }
}

function lengthWords(image: Image, { from, to }: Measure, words: MeasureWords): string {
  const found = length(from, to, image.scale)
  if (image.scale.source === 'none') return `${digits(found, 1)} ${words.pixels}`
  return `${digits(found, 1)} mm${image.scale.source === 'detector' ? ` (${words.detector})` : ''}`
}

function regionWords(image: Image, stored: Stored, { from, to }: Measure, words: MeasureWords): string {
  const pixels = { stored, columns: image.columns, rows: image.rows, slope: image.slope, intercept: image.intercept }
  const found = image.samples === 1 ? statistics(pixels, 'ellipse', [from, to], image.scale) : undefined
  if (!found) return ''
  const times = image.suv > 0 ? image.suv : 1
  const unit = image.suv > 0 ? 'SUV' : image.unit
  const [mean, deviation] = [found.mean * times, found.deviation * times].map((value) =>
    digits(value, unit === 'SUV' ? 2 : 1),
  )
  const area = image.scale.source === 'none' ? `${found.count} ${words.pixels}` : `${digits(found.area / 100, 2)} cm²`
  return `${words.mean} ${mean} ± ${deviation}${unit ? ` ${unit}` : ''}, ${words.area} ${area}`
}

export function wordsOf(image: Image, stored: Stored | undefined, measure: Measure, words: MeasureWords): string {
  if (measure.kind === 'length') return lengthWords(image, measure, words)
  return stored ? regionWords(image, stored, measure, words) : ''
}
