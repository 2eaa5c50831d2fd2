import { expect, test } from 'vitest'
import { readName } from '@/view/lens/names'

test.each([
  ['B2024-1234 A1 HE.svs', 'A1', 'HE'],
  ['2024-00871_A2_Ki-67.ndpi', 'A2', 'Ki-67'],
  ['C3-CD20.svs', 'C3', 'CD20'],
  ['A1-2 CD79a.tif', 'A1-2', 'CD79a'],
  ['蜡块B2（H&E）.svs', 'B2', 'HE'],
  ['胃窦 蜡块：3 CK5/6.svs', '3', 'CK5/6'],
  ['block 4B PD-L1.mrxs', '4B', 'PD-L1'],
  ['HER2 B1.ome.tiff', 'B1', 'HER2'],
  ['Ki 67 D4.svs', 'D4', 'Ki-67'],
  ['p53.svs', '', 'p53'],
  ['演示切片.tif', '', ''],
  ['CMU-1.svs', '', ''],
])('%s', (name, block, stain) => {
  expect(readName(name)).toEqual({ block, stain })
})
