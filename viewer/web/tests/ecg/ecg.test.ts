import { describe, expect, it, vi } from 'vitest'
import { beatsOf, usualInterval } from '@/ecg/beats'
import { between, gripAt, marchOf, readingsOf, stripsOf, widthOf, withCaliper } from '@/ecg/calipers'
import { filtered } from '@/ecg/filters'
import { areaOf, axisOf, correctedQt } from '@/ecg/intervals'
import { across, layoutsOf, sheetOf, spotAt, type Paper } from '@/ecg/layout'
import { TWELVE, type Ecg, type Lead } from '@/ecg/record'
import { readForm } from '@/ecg/store'

const RATE = 500
const wave = (seconds: number, at: (second: number) => number): Float32Array =>
  Float32Array.from({ length: seconds * RATE }, (_, i) => at(i / RATE))
/** A beat every 0.8 s, its R at 0.4 s. */
const beat = (second: number) => 1000 * Math.exp(-((((second % 0.8) - 0.4) / 0.015) ** 2))
const leadOf = (samples: Float32Array, name = 'II'): Lead => ({ name, base: 0, samples })
const ecgOf = (leads: Lead[]): Ecg => ({
  rate: RATE,
  seconds: leads[0].samples.length / RATE,
  trend: [],
  leads,
  median: null,
  acquired: '',
  device: '',
  filters: [],
  statements: [],
  measured: {},
  calibrated: true,
})
const twelve = ecgOf(TWELVE.map((name) => leadOf(wave(10, beat), name)))
const PAPER: Paper = { layout: '3x4+1', speed: 25, gain: 10, cabrera: false }

describe('the paper', () => {
  it('has each lead once and the rhythm below', () => {
    const { strips, width } = sheetOf(twelve, PAPER, 0)
    expect(strips.map(({ lead }) => lead)).toEqual([...TWELVE, 'II'])
    expect(strips[3]).toMatchObject({ lead: 'aVR', from: 2.5, seconds: 2.5, x: 15 + 62.5 })
    expect(strips[12]).toMatchObject({ from: 0, seconds: 10 })
    expect(width).toBe(270)
  })

  it('has -aVR between I and II in the order of Cabrera', () => {
    const { strips } = sheetOf(twelve, { ...PAPER, layout: '12x1', cabrera: true }, 0)
    expect(strips.slice(0, 6).map(({ lead, sign }) => (sign < 0 ? '-' : '') + lead)).toEqual([
      'aVL',
      'I',
      '-aVR',
      'II',
      'aVF',
      'III',
    ])
  })

  it('shows what is there where leads are missing, and the rest of a record', () => {
    const two = ecgOf([leadOf(wave(14, beat), 'CM5'), leadOf(wave(14, beat), 'CC5')])
    expect(layoutsOf(two)).toEqual(['all'])
    const { strips } = sheetOf(two, { ...PAPER, layout: 'all' }, 10)
    expect(strips.map(({ seconds }) => seconds)).toEqual([4, 4])
  })

  it('says what lies under a point, and where it lies', () => {
    const sheet = sheetOf(twelve, PAPER, 0)
    const strip = sheet.strips[3]
    const spot = spotAt(sheet, PAPER, across(strip, PAPER, 3), strip.y - 10)
    expect(spot?.strip.lead).toBe('aVR')
    expect(spot?.second).toBeCloseTo(3)
    expect(spot?.level).toBeCloseTo(1000)
    expect(spotAt(sheet, PAPER, 2, strip.y)).toBeNull()
  })
})

describe('filters', () => {
  const amplitude = (samples: Float32Array) => Math.max(...samples.slice(2 * RATE, 8 * RATE))
  const sine = (hertz: number) => wave(10, (second) => Math.sin(2 * Math.PI * hertz * second))

  it('take what they are for and leave the rest', () => {
    const all = { baseline: true, mains: true, muscle: false }
    expect(amplitude(filtered(sine(0.1), RATE, all))).toBeLessThan(0.05)
    expect(amplitude(filtered(sine(50), RATE, all))).toBeLessThan(0.02)
    expect(amplitude(filtered(sine(10), RATE, all))).toBeGreaterThan(0.97)
    expect(amplitude(filtered(sine(100), RATE, { ...all, muscle: true }))).toBeLessThan(0.05)
  })

  it('move nothing in time, and keep a level from the first sample on', () => {
    const muscle = filtered(wave(4, beat), RATE, { baseline: false, mains: false, muscle: true })
    const top = muscle.subarray(0, 0.8 * RATE).reduce((best, value, i, all) => (value > all[best] ? i : best), 0)
    expect(top / RATE).toBeCloseTo(0.4, 2)
    const level = filtered(
      wave(4, () => 300),
      RATE,
      { baseline: false, mains: true, muscle: true },
    )
    expect(Math.max(...level.map((value) => Math.abs(value - 300)))).toBeLessThan(0.01)
  })

  it('leave out what the device left out', () => {
    const samples = wave(2, beat)
    samples[100] = NaN
    const out = filtered(samples, RATE, { baseline: true, mains: true, muscle: true })
    expect(out[100]).toBeNaN()
    expect(out[101]).not.toBeNaN()
  })
})

describe('beats', () => {
  it('are found where they are', () => {
    const beats = beatsOf(leadOf(wave(9.6, beat)), RATE)
    expect(beats).toHaveLength(12)
    beats.forEach((at, i) => expect(at).toBeCloseTo(0.4 + 0.8 * i))
    expect(usualInterval(beats)).toBeCloseTo(0.8, 2)
    // a part that was fetched keeps its time
    const part = { ...leadOf(wave(9.6, beat).subarray(1.2 * RATE)), base: 1.2 * RATE }
    expect(beatsOf(part, RATE)[1]).toBeCloseTo(2)
  })

  it('are none on a flat line', () => {
    expect(beatsOf(leadOf(wave(10, () => 0)), RATE)).toEqual([])
    expect(usualInterval([1])).toBeUndefined()
  })
})

describe('calipers', () => {
  const sheet = sheetOf(twelve, PAPER, 0)
  const spot = (second: number) => ({ strip: sheet.strips[12], second, level: 0 })
  const rr = between('rr', spot(1.2), spot(2))

  it('say rate and four QTc', () => {
    const { rate, corrected } = readingsOf([rr, between('qt', spot(1), spot(1.36))], undefined)
    expect(rate).toBeCloseTo(75)
    expect(corrected?.bazett).toBeCloseTo(0.36 / Math.sqrt(0.8))
    expect(corrected?.fridericia).toBeCloseTo(0.36 / Math.cbrt(0.8))
    expect(corrected?.framingham).toBeCloseTo(0.36 + 0.154 * 0.2)
    expect(corrected?.hodges).toBeCloseTo(0.36 + 0.00175 * 15)
    expect(correctedQt(0.4, 1).bazett).toBe(0.4)
  })

  it('are one of a kind, march out, and are held at their ends', () => {
    expect(withCaliper([rr], between('rr', spot(1), spot(2)))).toHaveLength(1)
    expect(marchOf(rr, 0, 4)).toEqual([0.4, 1.2, 2, 2.8, 3.6].map((at) => expect.closeTo(at) as number))
    expect(widthOf(rr)).toBeCloseTo(0.8)
    const [column, rhythm] = stripsOf(sheet, rr)
    expect(column.from).toBe(0)
    const x = across(rhythm, PAPER, 2)
    expect(gripAt(sheet, PAPER, [rr], x + 1, rhythm.y, 2)).toEqual({ caliper: 0, end: 'to' })
    expect(gripAt(sheet, PAPER, [rr], x + 3, rhythm.y, 2)).toBeNull()
  })

  it('say the axis', () => {
    expect(axisOf(1, 0)).toBeCloseTo(0)
    expect(axisOf(0, 1)).toBeCloseTo(90)
    // a vector of 60 degrees is cos 60 in I and (√3/2) cos 30 in aVF
    expect(axisOf(0.5, (Math.sqrt(3) / 2) * Math.cos(Math.PI / 6))).toBeCloseTo(60)
    expect(axisOf(0, 0)).toBeUndefined()
    expect(areaOf(leadOf(wave(1, () => 100)), RATE, 0, 0.5)).toBe(0)
  })
})

describe('what the server sends', () => {
  function form(head: object, samples: number[]): ArrayBuffer {
    let text = JSON.stringify(head)
    while ((16 + text.length) % 2) text += ' '
    const bytes = new ArrayBuffer(16 + text.length + 2 * samples.length)
    new Uint8Array(bytes).set(new TextEncoder().encode('CNECG001'))
    new DataView(bytes).setUint32(8, text.length, true)
    new Uint8Array(bytes).set(new TextEncoder().encode(text), 16)
    new Int16Array(bytes, 16 + text.length).set(samples)
    return bytes
  }

  const lead = (name: string, first: number, count: number) => ({ name, first, count, step: 2.5 })
  const bytes = form(
    { rate: 250, leads: [lead('I', 0, 2), lead('II', 1, 2)], median: { rate: 500, leads: [lead('I', 0, 1)] } },
    [4, -32768, 8, 12, 20],
  )

  it('becomes leads in microvolts', async () => {
    const recording = readForm('a', bytes, bytes.byteLength)
    const ecg = await recording.part(0, 10, new AbortController().signal)
    expect(Array.from(ecg.leads[0].samples)).toEqual([10, NaN])
    expect(ecg.leads[1]).toMatchObject({ base: 1, samples: Float32Array.of(20, 30) })
    expect(ecg.median?.leads[0].samples[0]).toBe(50)
    expect(ecg.seconds).toBe(3 / 250)
    expect(() => readForm('a', new ArrayBuffer(20), 20)).toThrow()
  })

  it('is fetched in parts where it is long', async () => {
    const asked: string[] = []
    vi.stubGlobal('fetch', (_: string, { headers }: { headers: { Range: string } }) => {
      asked.push(headers.Range)
      const [from, to] = /(\d+)-(\d+)/.exec(headers.Range)?.slice(1).map(Number) ?? []
      return Promise.resolve(new Response(bytes.slice(from, to + 1), { status: 206 }))
    })
    const begin = bytes.byteLength - 10
    const recording = readForm('a', bytes.slice(0, begin), bytes.byteLength)
    expect(recording.isWhole).toBe(false)
    const { leads, median } = await recording.part(1 / 250, 2 / 250, new AbortController().signal)
    expect(asked).toEqual([`bytes=${begin + 2}-${begin + 3}`, `bytes=${begin + 4}-${begin + 5}`])
    expect(leads[0]).toMatchObject({ base: 1, samples: Float32Array.of(NaN) })
    expect(leads[1]).toMatchObject({ base: 1, samples: Float32Array.of(20) })
    expect(median).toBeNull()
    vi.unstubAllGlobals()
  })
})
