/* An ECG as the page has it, whatever device wrote it. */

export interface Lead {
  /** "I", "aVR", "V1" …; what the device calls a channel that is none of the twelve. */
  readonly name: string
  /** Samples of the recording before the first that is here: it began later, or only a part of it was fetched. */
  readonly base: number
  /** Microvolts, one after the other at the record's rate. NaN: the device has no value there. */
  readonly samples: Float32Array
}

export interface Measured {
  /** Beats a minute; milliseconds; degrees. Absent: the device says none. */
  readonly rate?: number
  readonly pr?: number
  readonly qrs?: number
  readonly qt?: number
  readonly qtc?: number
  readonly axis?: number
}

export interface Ecg {
  /** Samples a second. */
  readonly rate: number
  /** Of the whole recording, of which `leads` may hold a part. */
  readonly seconds: number
  readonly leads: readonly Lead[]
  /** [second, beats a minute] of a long one, as the server found them. */
  readonly trend: readonly (readonly [number, number])[]
  /** The device's median beats, apart: never drawn as if they had been recorded so. */
  readonly median: { readonly rate: number; readonly leads: readonly Lead[] } | null
  /** Local time of the device, "2026-11-30T08:15:00"; "" where it says none. */
  readonly acquired: string
  readonly device: string
  /** Filters that the device says it applied, in its words. */
  readonly filters: readonly string[]
  /** What the device thinks of it, in its words. */
  readonly statements: readonly string[]
  readonly measured: Measured
  /** False: the file does not say how many microvolts a step is. */
  readonly calibrated: boolean
}

/** The twelve, as they stand on paper. */
export const TWELVE = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'] as const

/** The value nearest to a second; NaN where there is none. */
export const valueAt = (lead: Lead, rate: number, second: number): number =>
  lead.samples[Math.round(second * rate) - lead.base] ?? NaN

export const leadNamed = (ecg: Ecg, name: string): Lead | undefined => ecg.leads.find((lead) => lead.name === name)
