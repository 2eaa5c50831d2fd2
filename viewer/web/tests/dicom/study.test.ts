import { expect, test } from 'vitest'
import { Frames, numbersOf, outwards } from '@/dicom/frames'
import { WHOLE, matrixOf, onImage, onScreen, perPixel, zoomed } from '@/dicom/look'
import { valueOf, wordsOf } from '@/dicom/measures'
import { paint, wholeWindow } from '@/dicom/paint'
import { batches } from '@/dicom/store'
import { secondsOf, seriesIn, type Attributes, type Image } from '@/dicom/study'

const element = (...Value: unknown[]) => ({ vr: 'XX', Value })
const ct = (number: number, z: number, more: Attributes = {}): Attributes => ({
  '00080018': element(`1.2.${number}`),
  '0020000E': element('1.2'),
  '00080060': element('CT'),
  '00200011': element(3),
  '00200013': element(number),
  '00280002': element(1),
  '00280004': element('MONOCHROME2'),
  '00280010': element(4),
  '00280011': element(4),
  '00280100': element(16),
  '00280103': element(1),
  '00280030': element(0.5, 0.5),
  '00281052': element(-1024),
  '00281053': element(1),
  '00200032': element(0, 0, z),
  '00200037': element(1, 0, 0, 0, 1, 0),
  ...more,
})
const imageOf = (tags: Attributes): Image => seriesIn([tags], '1')[0]?.images[0] as Image

test('images are in the order in which they lie, not in that of their numbers', () => {
  const [series] = seriesIn([ct(1, 30), ct(2, 10), ct(3, 20)], '1')
  expect(series?.images.map(({ address }) => address.slice(-11))).toEqual(['.2/frames/1', '.3/frames/1', '.1/frames/1'])
  expect(series?.images.map(({ number }) => number)).toEqual([1, 2, 3])
  expect(series?.rate).toBe(0)
})

test('a film has its frames, and its rate; a report has no images', () => {
  const film = ct(1, 0, { '00280008': element(3), '00181063': element(40) })
  const [series] = seriesIn([film, { '0020000E': element('9'), '00080018': element('9') }], '1')
  expect([series?.images.length, series?.rate, series?.images[2]?.address.slice(-8)]).toEqual([3, 25, 'frames/3'])
})

test('an ultrasound is measured by its region, a PET by what was injected', () => {
  const region = {
    '00186024': element(3),
    '00186026': element(3),
    '0018602C': element(0.02),
    '0018602E': element(0.02),
  }
  expect(imageOf(ct(1, 0, { '00186011': element(region) })).scale).toEqual({ across: 0.2, down: 0.2, source: 'region' })
  const dose = { '00181072': element('100000'), '00181074': element(3.7e8), '00181075': element(6588) }
  const pet = imageOf(
    ct(1, 0, {
      '00080060': element('PT'),
      '00080031': element('100000'),
      '00541001': element('BQML'),
      '00541102': element('START'),
      '00101030': element(74),
      '00540016': element(dose),
    }),
  )
  expect(valueOf(pet, 1024 + 5000)).toEqual({ value: 1, unit: 'SUV' })
  expect(secondsOf('013000.5')).toBe(5400.5)
})

test('stored values are read as they are meant, and too few are none', () => {
  const image = imageOf(ct(1, 0))
  const bytes = new Int16Array(16).fill(-7).buffer
  expect(numbersOf(bytes, image)[15]).toBe(-7)
  expect(() => numbersOf(bytes.slice(2), image)).toThrow()
})

test('a window makes greys of values, and MONOCHROME1 the other way round', () => {
  const image = imageOf(ct(1, 0))
  const stored = new Int16Array(16).fill(1024 - 1000)
  stored[5] = 1024 + 1000
  const out = new Uint32Array(16)
  paint(image, stored, { center: 0, width: 400 }, false, out)
  expect([out[0], out[5]]).toEqual([0xff000000, 0xffffffff])
  paint(imageOf(ct(1, 0, { '00280004': element('MONOCHROME1') })), stored, { center: 0, width: 400 }, false, out)
  expect([out[0], out[5]]).toEqual([0xffffffff, 0xff000000])
  expect(wholeWindow(image, stored)).toEqual({ center: 0.5, width: 2001 })
})

test('an image fits, turns, mirrors, and what is zoomed stays under the hand', () => {
  const image = imageOf(ct(1, 0))
  const whole = matrixOf(image, WHOLE, 400, 200)
  expect(onScreen(whole, { x: 1.5, y: 1.5 })).toEqual({ x: 200, y: 100 })
  expect(perPixel(image, whole)).toBeCloseTo(0.5 / 50)
  const turned = matrixOf(image, { ...WHOLE, rotation: 90, mirror: true }, 400, 200)
  const place = onImage(turned, onScreen(turned, { x: 3, y: 1 }))
  expect([place.x, place.y].map((n) => Math.round(n * 1e6) / 1e6)).toEqual([3, 1])
  const at = { x: 310, y: 40 }
  const near = onImage(whole, at)
  const grown = matrixOf(image, zoomed(WHOLE, 3, at, 400, 200), 400, 200)
  expect(onScreen(grown, near).x).toBeCloseTo(310)
})

test('what is measured is said in millimetres, and a region in HU', () => {
  const image = imageOf(ct(1, 0))
  const words = { pixels: 'px', mean: 'mean', area: 'area', detector: 'detector' }
  const line = { kind: 'length' as const, from: { x: 0, y: 0 }, to: { x: 3, y: 0 } }
  expect(wordsOf(image, undefined, line, words)).toBe('1.5 mm')
  const stored = new Int16Array(16).fill(1024 + 50)
  const region = { kind: 'ellipse' as const, from: { x: 0, y: 0 }, to: { x: 3, y: 3 } }
  expect(wordsOf(image, stored, region, words)).toMatch(/^mean 50\.0 ± 0\.0 HU, area 0\.0\d cm²$/)
})

test('frames come from where somebody looks outwards, a few at a time, and are given up with their series', async () => {
  expect(outwards(5, 1)).toEqual([1, 0, 2, 3, 4])
  const { images } = seriesIn(
    [1, 2, 3, 4, 5, 6].map((n) => ct(n, n)),
    '1',
  )[0] as { images: readonly Image[] }
  const asked: string[] = []
  const stopped: string[] = []
  const answers: ((bytes: ArrayBuffer) => void)[] = []
  const frames = new Frames((address, signal) => {
    asked.push(address.split('/')[7] ?? '')
    signal.addEventListener('abort', () => stopped.push(address))
    return new Promise((done) => answers.push(done))
  })
  frames.want(images, 3)
  expect(asked).toEqual(['1.2.4', '1.2.3', '1.2.5', '1.2.2'])
  answers[0]?.(new ArrayBuffer(32))
  await new Promise((done) => setTimeout(done))
  expect([asked.length, frames.here(), frames.get(images[3] as Image)?.length]).toEqual([5, 1, 16])
  frames.close()
  expect(stopped.length).toBe(4)
})

test('files go in batches that a server takes', () => {
  const file = (size: number) => ({ size }) as File
  expect(batches(Array.from({ length: 120 }, () => file(1000))).map(({ length }) => length)).toEqual([50, 50, 20])
  expect(batches([file(60 << 20), file(60 << 20), file(1)]).map(({ length }) => length)).toEqual([1, 2])
})
