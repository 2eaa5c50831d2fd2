/* How large what is on screen is: as the slide's file says, or as somebody measured it; and whether the file has more pictures. */
import { computed, ref, shallowRef } from 'vue'
import { api } from '@/api/client'
import type { SlideInfo } from '../source/levels'

export interface Calibration {
  /** µm per pixel of the full size. */
  mpp: number
  by: string
  at: number
}

type Said = Pick<SlideInfo, 'mpp_x' | 'objective' | 'label' | 'macro'>
const UNKNOWN: Said = { mpp_x: 0, objective: 0 }

export class Optics {
  private readonly info = shallowRef<Said>(UNKNOWN)
  readonly calibration = shallowRef<Calibration | null>(null)
  /** What the file and whoever measured say has come. */
  readonly known = ref(false)
  /** Pixels are square: where the file's are not, the server pictures them so. A length that somebody measured stands before what the file says. */
  readonly mpp = computed(() => this.calibration.value?.mpp ?? this.info.value.mpp_x)
  /** The file's own, as long as nobody knew better. */
  readonly objective = computed(() => (this.calibration.value ? 0 : this.info.value.objective))
  readonly pictures = computed(() => (['label', 'macro'] as const).filter((which) => this.info.value[which]))
  private file = ''

  forget(): void {
    this.file = ''
    this.info.value = UNKNOWN
    this.calibration.value = null
    this.known.value = false
  }

  /** `info`: what the file says; the scale is known when what somebody measured has come. */
  async load(file: string, info: Said): Promise<void> {
    this.forget()
    this.file = file
    this.info.value = info
    const measured = await api
      .get<{ calibration: Calibration | null }>(`/slides/${file}/calibration`)
      .catch(() => ({ calibration: null }))
    if (file !== this.file) return
    this.calibration.value = measured.calibration
    this.known.value = true
  }

  /** What somebody else measured meanwhile, of the file that is loaded. */
  readonly learn = (calibration: Calibration | null): void => {
    if (this.known.value) this.calibration.value = calibration
  }

  /** A length in pixels of the full size, and what it is in truth; for everybody. @throws a problem */
  async calibrate(pixels: number, microns: number): Promise<void> {
    const { file } = this
    const { calibration } = await api.put<{ calibration: Calibration }>(`/slides/${file}/calibration`, {
      pixels,
      microns,
    })
    if (file === this.file) this.calibration.value = calibration
  }

  /** @throws a problem */
  async uncalibrate(): Promise<void> {
    const { file } = this
    await api.delete(`/slides/${file}/calibration`)
    if (file === this.file) this.calibration.value = null
  }
}

const UNITS = { µm: 1, mm: 1000 } as const
export type Unit = keyof typeof UNITS

/** µm of a length as a person writes it, "0,5" as well; null for what is none. */
export function micronsOf(text: string, unit: Unit): number | null {
  const plain = text.trim().replace(',', '.')
  const value = /^\d+(\.\d+)?$|^\.\d+$/.test(plain) ? Number(plain) * UNITS[unit] : 0
  return value > 0 ? value : null
}
