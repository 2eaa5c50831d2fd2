/* How large a millimetre is on this screen: nobody but a ruler knows. Kept on this device, for this screen. */
import { ref } from 'vue'

/** ISO/IEC 7810 ID-1: a bank card, an identity card. */
export const CARD = { width: 85.6, height: 53.98 }
/** CSS says 96 pixels an inch, whatever the screen. */
export const ASSUMED = 96 / 25.4
const LEAST = 1.2
const MOST = 14

const name = () => `consilium.ecg.mm.${screen.width}x${screen.height}`

function read(): number | null {
  try {
    const kept = JSON.parse(localStorage.getItem(name()) ?? 'null') as { pixels?: unknown } | null
    const pixels = typeof kept?.pixels === 'number' ? kept.pixels / devicePixelRatio : NaN
    return pixels >= LEAST && pixels <= MOST ? pixels : null
  } catch {
    return null
  }
}

/** CSS pixels of a millimetre; null before somebody held a card to the screen. */
export const measured = ref<number | null>(null)
export function recall(): void {
  measured.value = read()
}
recall()

/** `pixels`: CSS pixels of a millimetre. Kept in the screen's own pixels, so that the browser's zoom does not spoil it. */
export function calibrate(pixels: number): void {
  measured.value = Math.min(MOST, Math.max(LEAST, pixels))
  try {
    localStorage.setItem(name(), JSON.stringify({ pixels: measured.value * devicePixelRatio }))
  } catch {
    // a private window: it is remembered until the page is left
  }
}
