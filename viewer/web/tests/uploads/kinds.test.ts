import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ENDINGS, acceptOf, isTaken } from '@/uploads/kinds'

const dicom = (name: string) => new File([new Uint8Array(128), 'DICM', new Uint8Array(8)], name)
const other = (name: string) => new File(['%PDF-1.4 '.repeat(40)], name)

test('the endings are the server’s', () => {
  const table = /cn_filetype table\[\] = \{(.*?)\n\};/s.exec(readFileSync('../../consult/file/filetype.c', 'utf8'))?.[1]
  expect([...(table ?? '').matchAll(/\{"(\w+)", "/g)].map(([, ending]) => ending)).toEqual(ENDINGS)
})

test('DICOM as CDs and archives name it is known by its content', async () => {
  const names = ['IM000001', '1.2.840.113619.2.55.3.604688119', 'I.0001']
  expect(await Promise.all(names.map((name) => isTaken(dicom(name))))).toEqual([true, true, true])
  expect(await Promise.all(names.map((name) => isTaken(other(name))))).toEqual([false, false, false])
  expect(await isTaken(new File(['DICM'], 'IM000001'))).toBe(false)
})

test('what has an ending is taken by it', async () => {
  expect(await isTaken(other('检查 2.PDF'))).toBe(true)
  expect(await isTaken(dicom('setup.exe'))).toBe(false)
  expect(await isTaken(dicom('study.7z'))).toBe(false)
})

test('where DICOM goes the chooser hides nothing', () => {
  expect([acceptOf('imaging'), acceptOf('other')]).toEqual([undefined, undefined])
  expect(acceptOf('consent')?.split(',')).toContain('.pdf')
})
