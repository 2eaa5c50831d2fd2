/* What a pixel means: windows by modality, and the uptake of PET. Pure arithmetic. */

export interface Window {
  readonly center: number
  readonly width: number
}

/** Usual windows of CT in Hounsfield units; the names are keys of messages. */
export const CT_WINDOWS: readonly (Window & { name: string })[] = [
  { name: 'softTissue', center: 40, width: 400 },
  { name: 'lung', center: -600, width: 1500 },
  { name: 'bone', center: 400, width: 1800 },
  { name: 'brain', center: 40, width: 80 },
  { name: 'mediastinum', center: 50, width: 350 },
  { name: 'liver', center: 60, width: 160 },
]

/**
 * The grey from 0 to 1 of a value: the LINEAR function of PS3.3 C.11.2.1.2.1, whose lower and upper ends are half a value inside the window. MONOCHROME1
 * (`inverted`) shows high values dark.
 */
export function grey(value: number, window: Window, inverted = false): number {
  const width = Math.max(window.width, 1)
  const reach = Math.max(width - 1, 1e-6)
  const share = Math.min(1, Math.max(0, (value - (window.center - 0.5)) / reach + 0.5))
  return inverted ? 1 - share : share
}

export interface Uptake {
  /** Units (0054,1001): only BQML can be reckoned with weight and dose. */
  readonly units: string
  /** DecayCorrection (0054,1102): START, or ADMIN when the dose need not decay any more. */
  readonly decayCorrection: string
  readonly weightKg: number
  readonly doseBq: number
  readonly halfLifeSeconds: number
  /** From the injection to the series' start; scans across midnight are the caller's to reckon with dates. */
  readonly secondsSinceInjection: number
}

/** What a Bq/ml is multiplied by to be SUV by body weight (g/ml), or undefined where the image does not say enough: then no SUV is shown. */
export function suvFactor(uptake: Uptake): number | undefined {
  if (uptake.units !== 'BQML' || !(uptake.weightKg > 0) || !(uptake.doseBq > 0)) return undefined
  if (uptake.decayCorrection === 'ADMIN') return (uptake.weightKg * 1000) / uptake.doseBq
  if (uptake.decayCorrection !== 'START') return undefined
  if (!(uptake.halfLifeSeconds > 0) || !(uptake.secondsSinceInjection >= 0)) return undefined
  const left = uptake.doseBq * 2 ** (-uptake.secondsSinceInjection / uptake.halfLifeSeconds)
  return (uptake.weightKg * 1000) / left
}
