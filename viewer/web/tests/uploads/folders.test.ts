import { expect, test } from 'vitest'
import { keysOf, sortFound, type Found } from '@/uploads/folders'

const found = (files: Record<string, string>): Found[] =>
  Object.entries(files).map(([path, text]) => ({ path, file: new File([text], path.slice(path.lastIndexOf('/') + 1)) }))

const INI =
  '\ufeff[GENERAL]\r\nSLIDE_NAME = x\r\n[HIERARCHICAL]\r\nINDEXFILE = Index.dat\r\n[DATAFILE]\r\nFILE_COUNT = 2\r\nFILE_0 = Data0000.dat\r\nFILE_1 = Data0001.dat\r\n'
const MRXS = {
  'a.mrxs': 'jpeg',
  'a/Slidedat.ini': INI,
  'a/Index.dat': 'i',
  'a/Data0000.dat': '0',
  'a/data0001.dat': '1',
}
const VMS =
  '[Virtual Microscope Specimen]\nImageFile=s 1.jpg\nImageFile(1,0)=s(1,0).jpg\nMapFile=s_map.jpg\nMacroImage=s_macro.jpg\n'

const names = async (files: Record<string, string>) => {
  const { slides, files: rest, refused } = await sortFound(found(files))
  return {
    slides: slides.map((slide) => [slide.name, slide.parts.map((part) => part.path)]),
    files: rest.map((file) => file.name),
    refused: refused.map(({ name, why, part }) => [name, why, part]),
  }
}
const within = (folder: string, files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]))

test('lines of key files', () => {
  expect(keysOf('; no\n[A]\nx = 1=2\n\n# no\n[B] \r\ny=\r\nz')).toEqual([
    { section: 'A', key: 'x', value: '1=2' },
    { section: 'B', key: 'y', value: '' },
  ])
})

test('a MRXS is one upload, in a folder or beside its folder, without what the scanner left there', async () => {
  const parts = ['a.mrxs', 'a/Data0000.dat', 'a/Index.dat', 'a/Slidedat.ini', 'a/data0001.dat']
  const whole = { slides: [['a.mrxs.zip', parts]], files: [], refused: [] }
  expect(await names(MRXS)).toEqual(whole)
  expect(
    await names({ ...within('scans/monday', MRXS), 'scans/monday/a/Stitch.log': 'x', 'scans/.DS_Store': '' }),
  ).toEqual(whole)
})

test('several slides and other files at once', async () => {
  const { slides, files } = await names({ ...within('x/1', MRXS), ...within('x/2', MRXS), 'x/report.pdf': 'p' })
  expect([slides.length, files]).toEqual([2, ['report.pdf']])
})

test('a VMS is what its file names', async () => {
  const parts = {
    's.vms': VMS,
    's 1.jpg': '1',
    's(1,0).jpg': '2',
    'S_MAP.jpg': 'm',
    's_macro.jpg': 'x',
    'other.jpg': 'o',
  }
  expect(await names(within('dir', parts))).toEqual({
    slides: [['s.vms.zip', ['S_MAP.jpg', 's 1.jpg', 's(1,0).jpg', 's.vms', 's_macro.jpg']]],
    files: ['other.jpg'],
    refused: [],
  })
})

test('what would be of no use is refused with what to do', async () => {
  expect((await names({ 'a.mrxs': 'x', 'b.pdf': 'p' })).refused).toEqual([['a.mrxs', 'mrxs_alone', undefined]])
  expect((await names({ 's.vms': VMS })).refused).toEqual([['s.vms', 'vms_alone', undefined]])
  expect(await names({ 'a/Slidedat.ini': INI, 'a/Index.dat': 'i', 'a/Data0000.dat': '0' })).toEqual({
    slides: [],
    files: [],
    refused: [['a', 'no_mrxs', undefined]],
  })
  const { 'a/Index.dat': _, ...cut } = MRXS
  expect((await names(cut)).refused).toEqual([['a.mrxs', 'lacks', 'Index.dat']])
  expect((await names({ 'a.KFB': 'k', 'b.sdpc': 's' })).refused).toEqual([
    ['a.KFB', 'export', undefined],
    ['b.sdpc', 'export', undefined],
  ])
})

test('names in GB 18030 are found by a key file in GB 18030', async () => {
  const bytes = new Uint8Array([
    ...new TextEncoder().encode('[V]\nImageFile='),
    0xc7,
    0xd0,
    ...new TextEncoder().encode('.jpg\nMapFile=m.jpg\n'),
  ])
  const { slides } = await sortFound([
    { path: 's.vms', file: new File([bytes], 's.vms') },
    ...found({ '切.jpg': 'x', 'm.jpg': 'm' }),
  ])
  expect(slides[0]?.parts.map((part) => part.path)).toEqual(['m.jpg', 's.vms', '切.jpg'])
})
