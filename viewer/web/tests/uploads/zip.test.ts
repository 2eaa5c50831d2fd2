import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Crc32 } from '@/uploads/crc32'
import { ZipLayout, zipBlob } from '@/uploads/zip'

const crcOf = (bytes: Uint8Array) => new Crc32().update(bytes).value()

test('the checksum is that of ISO 3309, in pieces too', () => {
  const bytes = new TextEncoder().encode('123456789')
  expect(crcOf(bytes)).toBe(0xcbf43926)
  const pieces = new Crc32()
  for (const byte of bytes) pieces.update(Uint8Array.of(byte))
  expect(pieces.value()).toBe(0xcbf43926)
  expect(crcOf(new Uint8Array())).toBe(0)
})

test('another program unpacks it, with its names and times', async () => {
  const files = [new Blob(['first']), new Blob([]), new Blob(['第三'])]
  const modified = Date.UTC(2024, 1, 29, 13, 45, 58)
  const names = ['切片.mrxs', '切片/Slidedat.ini', '切片/Data0000.dat']
  const layout = new ZipLayout(files.map((file, i) => ({ name: names[i]!, size: file.size, modified })))
  const bytes = await Promise.all(files.map(async (file) => new Uint8Array(await file.arrayBuffer())))
  const blob = zipBlob(layout, files, bytes.map(crcOf))
  expect(blob.size).toBe(layout.size)
  const dir = mkdtempSync(join(tmpdir(), 'consilium-zip-'))
  try {
    writeFileSync(join(dir, 'a.zip'), new Uint8Array(await blob.arrayBuffer()))
    const read = `import sys, zipfile, json
z = zipfile.ZipFile(sys.argv[1])
print(json.dumps([[i.filename, list(i.date_time), z.read(i).decode()] for i in z.infolist()]))`
    const listed = JSON.parse(
      execFileSync('python3', ['-c', read, join(dir, 'a.zip')], { encoding: 'utf8' }),
    ) as unknown
    const at = [2024, 2, 29, 13, 45, 58]
    expect(listed).toEqual([
      [names[0], at, 'first'],
      [names[1], at, ''],
      [names[2], at, '第三'],
    ])
  } finally {
    rmSync(dir, { recursive: true })
  }
})

/* Nobody holds 5 GB here: what stands around the data has to add up, and say where they are. */
test('beyond 4 GiB sizes and places have 64 bits', () => {
  const sizes = [5 * 2 ** 30, 7]
  const layout = new ZipLayout(sizes.map((size, i) => ({ name: `${i}`, size, modified: 0 })))
  const [head, tail, next, last, end] = [
    layout.head(0),
    layout.tail(0, 1),
    layout.head(1),
    layout.tail(1, 2),
    layout.end([1, 2]),
  ]
  expect([head.length, tail.length, next.length, last.length]).toEqual([30 + 1 + 20, 24, 30 + 1, 16])
  const around = head.length + tail.length + next.length + last.length
  expect(layout.size).toBe(around + sizes[0]! + sizes[1]! + end.length)
  const view = new DataView(end.buffer)
  const second = 46 + 1 + 28
  expect([0, 8, 16].map((at) => Number(view.getBigUint64(46 + 1 + 4 + at, true)))).toEqual([sizes[0], sizes[0], 0])
  expect(Number(view.getBigUint64(second + 46 + 1 + 4 + 16, true))).toBe(head.length + sizes[0]! + tail.length)
  expect(view.getUint32(second + second, true)).toBe(0x06064b50)
  expect(Number(view.getBigUint64(second + second + 48, true))).toBe(around + sizes[0]! + sizes[1]!)
})

test('the same files give the same bytes', async () => {
  const made = async () => {
    const file = new File(['abc'], 'a', { lastModified: 1700000000000 })
    const layout = new ZipLayout([{ name: 'a', size: file.size, modified: file.lastModified }])
    return new Uint8Array(await zipBlob(layout, [file], [crcOf(new TextEncoder().encode('abc'))]).arrayBuffer())
  }
  expect(await made()).toEqual(await made())
})
