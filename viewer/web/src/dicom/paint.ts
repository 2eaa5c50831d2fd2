/* Stored values to pixels of the screen. Pure. */
import type { Stored } from './frames'
import type { Image } from './study'
import { grey, type Window } from './values'

/** What is shown when nobody said how: from the least to the largest value. */
export function wholeWindow(image: Image, stored: Stored): Window {
  let least = Infinity
  let most = -Infinity
  for (const one of stored) {
    if (one < least) least = one
    if (one > most) most = one
  }
  const [low, high] = [least * image.slope + image.intercept, most * image.slope + image.intercept].sort(
    (a, b) => a - b,
  )
  return {
    center: ((low as number) + (high as number)) / 2 + 0.5,
    width: Math.max(1, (high as number) - (low as number) + 1),
  }
}

/* Grey of each stored value of 8 or 16 bits, as RGBA in the machine's order (little). */
function tableOf(image: Image, window: Window, inverted: boolean): { table: Uint32Array; from: number } {
  const count = image.bytes === 1 ? 256 : 65536
  const from = image.signed ? -count / 2 : 0
  const table = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    const level = Math.round(255 * grey((from + i) * image.slope + image.intercept, window, inverted))
    table[i] = 0xff000000 | (level << 16) | (level << 8) | level
  }
  return { table, from }
}

function paintGrey(image: Image, stored: Stored, window: Window, inverted: boolean, out: Uint32Array): void {
  if (image.bytes < 4) {
    const { table, from } = tableOf(image, window, inverted)
    for (let i = 0; i < out.length; i++) out[i] = table[(stored[i] as number) - from] as number
    return
  }
  for (let i = 0; i < out.length; i++) {
    const level = Math.round(255 * grey((stored[i] as number) * image.slope + image.intercept, window, inverted))
    out[i] = 0xff000000 | (level << 16) | (level << 8) | level
  }
}

function paintColour(image: Image, stored: Stored, inverted: boolean, out: Uint32Array): void {
  const [step, next] = image.planar ? [1, out.length] : [image.samples, 1]
  const flip = inverted ? 0xffffff : 0
  for (let i = 0; i < out.length; i++) {
    const at = i * step
    const [red, green, blue] = [stored[at], stored[at + next], stored[at + 2 * next]] as [number, number, number]
    out[i] = 0xff000000 | (((blue << 16) | (green << 8) | red) ^ flip)
  }
}

/** `out`: one number a pixel. `inverted`: on top of what the image itself says. */
export function paint(image: Image, stored: Stored, window: Window, inverted: boolean, out: Uint32Array): void {
  if (image.samples >= 3) paintColour(image, stored, inverted, out)
  else paintGrey(image, stored, window, inverted !== image.inverted, out)
}
