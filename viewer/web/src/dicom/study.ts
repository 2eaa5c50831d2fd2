/* What a study's metadata (DICOM JSON, PS3.18 Annex F) say of its images, in the order in which they are looked at. Pure. */
import { scaleOf, type Scale } from './measure'
import { depth, type Plane, type Vector } from './space'
import { suvFactor, type Window } from './values'

export type Attributes = Record<string, { vr: string; Value?: unknown[]; BulkDataURI?: string } | undefined>

export interface Image {
  /** Where its frame is read. */
  readonly address: string
  /** Of the series, from 1. */
  readonly number: number
  readonly rows: number
  readonly columns: number
  readonly samples: number
  readonly bytes: 1 | 2 | 4
  readonly signed: boolean
  /** MONOCHROME1: high values are dark. */
  readonly inverted: boolean
  /** Samples of a colour stand plane by plane. */
  readonly planar: boolean
  readonly slope: number
  readonly intercept: number
  /** What a value is multiplied by to be SUV; 0: nothing is known of it. */
  readonly suv: number
  readonly unit: string
  readonly window: Window | null
  readonly scale: Scale
  readonly plane: Plane | null
}

export interface Series {
  readonly uid: string
  readonly modality: string
  readonly description: string
  readonly number: number
  readonly images: readonly Image[]
  /** Images a second, as recorded; 0: it was no film. */
  readonly rate: number
  readonly thumbnail: string
}

const values = (tags: Attributes, tag: string): unknown[] => tags[tag]?.Value ?? []
export const text = (tags: Attributes, tag: string): string => {
  const [first] = values(tags, tag)
  return typeof first === 'string' || typeof first === 'number' ? String(first) : ''
}
const number = (tags: Attributes, tag: string, standard = 0): number => {
  const value = Number(values(tags, tag)[0] ?? NaN)
  return Number.isFinite(value) ? value : standard
}
const numbers = (tags: Attributes, tag: string): number[] => values(tags, tag).map(Number).filter(Number.isFinite)
const items = (tags: Attributes, tag: string): Attributes[] => values(tags, tag) as Attributes[]

const vector = (list: readonly number[], from = 0): Vector => [
  list[from] ?? 0,
  list[from + 1] ?? 0,
  list[from + 2] ?? 0,
]

function planeOf(position: readonly number[], orientation: readonly number[]): Plane | null {
  if (position.length !== 3 || orientation.length !== 6) return null
  return { position: vector(position), rowDirection: vector(orientation), columnDirection: vector(orientation, 3) }
}

/** Seconds of a DICOM time, "HHMMSS.F". */
export function secondsOf(time: string): number {
  const found = /^(\d{2})(\d{2})?(\d{2}(?:\.\d+)?)?/.exec(time)
  return found ? Number(found[1]) * 3600 + Number(found[2] ?? 0) * 60 + Number(found[3] ?? 0) : NaN
}

function suvOf(tags: Attributes): number {
  const [dose] = items(tags, '00540016')
  if (text(tags, '00080060') !== 'PT' || !dose) return 0
  const since = secondsOf(text(tags, '00080031')) - secondsOf(text(dose, '00181072'))
  const factor = suvFactor({
    units: text(tags, '00541001'),
    decayCorrection: text(tags, '00541102'),
    weightKg: number(tags, '00101030'),
    doseBq: number(dose, '00181074'),
    halfLifeSeconds: number(dose, '00181075'),
    secondsSinceInjection: since < 0 ? since + 86400 : since,
  })
  return factor ?? 0
}

/** An ultrasound's calibrated region: centimetres of a pixel's step. */
function regionScale(tags: Attributes): Scale | null {
  const region = items(tags, '00186011').find((one) => number(one, '00186024') === 3 && number(one, '00186026') === 3)
  if (!region) return null
  const [across, down] = [Math.abs(number(region, '0018602C')) * 10, Math.abs(number(region, '0018602E')) * 10]
  return across > 0 && down > 0 ? { across, down, source: 'region' } : null
}

function windowOf(tags: Attributes): Window | null {
  const [center, width] = [number(tags, '00281050', NaN), number(tags, '00281051', NaN)]
  return Number.isFinite(center) && width >= 1 ? { center, width } : null
}

/* What may stand for a frame alone stands for all frames otherwise (PS3.3 C.7.6.16). */
function group(tags: Attributes, frame: number, sequence: string): Attributes {
  const own = items(tags, '52009230')[frame]
  const shared = items(tags, '52009229')[0]
  return (own && items(own, sequence)[0]) ?? (shared && items(shared, sequence)[0]) ?? tags
}

function imageOf(tags: Attributes, base: string, frame: number, index: number): Image {
  const pixels = group(tags, frame, '00289110')
  const values = group(tags, frame, '00289145')
  const samples = number(tags, '00280002', 1)
  const modality = text(tags, '00080060')
  return {
    address: `${base}/frames/${frame + 1}`,
    number: index,
    rows: number(tags, '00280010'),
    columns: number(tags, '00280011'),
    samples,
    bytes: number(tags, '00280100', 8) > 16 ? 4 : number(tags, '00280100', 8) > 8 ? 2 : 1,
    signed: number(tags, '00280103') === 1,
    inverted: text(tags, '00280004') === 'MONOCHROME1',
    planar: samples > 1 && number(tags, '00280006') === 1,
    slope: number(values, '00281053', 1) || 1,
    intercept: number(values, '00281052'),
    suv: suvOf(tags),
    unit: modality === 'CT' ? 'HU' : modality === 'PT' ? text(tags, '00541001') : '',
    window: windowOf(group(tags, frame, '00289132')),
    scale: regionScale(tags) ?? scaleOf(numbers(pixels, '00280030'), numbers(tags, '00181164')),
    plane: planeOf(
      numbers(group(tags, frame, '00209113'), '00200032'),
      numbers(group(tags, frame, '00209116'), '00200037'),
    ),
  }
}

interface Read {
  tags: Attributes
  base: string
  plane: Plane | null
}

/* Along the direction in which a stack lies; what lies nowhere, or across, by its number. */
function sorted(list: Read[]): Read[] {
  const reference = list.find(({ plane }) => plane)?.plane
  const place = ({ tags, plane }: Read) =>
    reference && plane && list.every((one) => one.plane) ? depth(plane, reference) : number(tags, '00200013')
  return [...list].sort(
    (one, other) =>
      place(one) - place(other) ||
      number(one.tags, '00200013') - number(other.tags, '00200013') ||
      one.base.localeCompare(other.base),
  )
}

const rateOf = (tags: Attributes) => {
  const time = number(tags, '00181063')
  return number(tags, '00082144') || number(tags, '00180040') || (time > 0 ? 1000 / time : 0)
}

function seriesOf(uid: string, list: Read[]): Series {
  const order = sorted(list)
  const first = order[0] as Read
  const places = order.flatMap((one) =>
    Array.from({ length: Math.max(1, number(one.tags, '00280008', 1)) }, (_, frame) => ({ one, frame })),
  )
  const images = places.map(({ one, frame }, i) => imageOf(one.tags, one.base, frame, i + 1))
  const middle = order[order.length >> 1] as Read
  return {
    uid,
    modality: text(first.tags, '00080060'),
    description: text(first.tags, '0008103E'),
    number: number(first.tags, '00200011'),
    images,
    rate: number(first.tags, '00280008', 1) > 1 ? rateOf(first.tags) || 15 : 0,
    thumbnail: `${middle.base}/thumbnail`,
  }
}

/** Series with images, by their numbers; reports, key objects and the like have none and are left out. */
export function seriesIn(metadata: readonly Attributes[], study: string): Series[] {
  const lists = new Map<string, Read[]>()
  for (const tags of metadata) {
    const [series, instance] = [text(tags, '0020000E'), text(tags, '00080018')]
    if (!number(tags, '00280010') || !number(tags, '00280011')) continue
    const base = `/dicom-web/studies/${study}/series/${series}/instances/${instance}`
    const plane = planeOf(numbers(tags, '00200032'), numbers(tags, '00200037'))
    lists.set(series, [...(lists.get(series) ?? []), { tags, base, plane }])
  }
  return [...lists].map(([uid, list]) => seriesOf(uid, list)).sort((one, other) => one.number - other.number)
}
