// DICOM files for tests, element by element, Explicit VR Little Endian (PS3.5 §7.1.2).
const LONG = ['OB', 'OW', 'SQ', 'UN', 'UT']
export const EXPLICIT = '1.2.840.10008.1.2.1'
export const CT = '1.2.840.10008.5.1.4.1.1.2'

export function element(group, number, vr, value) {
  let bytes = typeof value === 'number' ? Buffer.from([value & 255, value >> 8]) : Buffer.from(value)
  if (bytes.length % 2) bytes = Buffer.concat([bytes, Buffer.from(vr === 'UI' ? '\0' : ' ')])
  const head = Buffer.alloc(LONG.includes(vr) ? 12 : 8)
  head.writeUInt16LE(group, 0)
  head.writeUInt16LE(number, 2)
  head.write(vr, 4, 'latin1')
  if (LONG.includes(vr)) head.writeUInt32LE(bytes.length, 8)
  else head.writeUInt16LE(bytes.length, 6)
  return Buffer.concat([head, bytes])
}

/** A file of part 10 around a data set. */
export function file(sopClass, uid, dataset) {
  const meta = Buffer.concat([
    element(2, 1, 'OB', Buffer.from([0, 1])),
    element(2, 2, 'UI', sopClass),
    element(2, 3, 'UI', uid),
    element(2, 0x10, 'UI', EXPLICIT),
  ])
  const length = element(2, 0, 'UL', Buffer.from([meta.length & 255, meta.length >> 8, 0, 0]))
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), length, meta, ...dataset])
}

/** A CT image: `value(column, row)` in HU, `side` × `side` pixels of `spacing` mm, at `z` mm. */
export function ctImage({ study, series = `${study}.1`, number, z, side = 256, spacing = 0.8, value }) {
  const uid = `${series}.${number}`
  const pixels = Buffer.alloc(2 * side * side)
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) pixels.writeUInt16LE(value(x, y) + 1024, 2 * (y * side + x))
  return file(CT, uid, [
    element(8, 5, 'CS', 'ISO_IR 192'),
    element(8, 0x16, 'UI', CT),
    element(8, 0x18, 'UI', uid),
    element(8, 0x20, 'DA', '20260102'),
    element(8, 0x60, 'CS', 'CT'),
    element(8, 0x1030, 'LO', '胸部平扫'),
    element(8, 0x103e, 'LO', '肺窗 5mm'),
    element(0x10, 0x10, 'PN', '模体'),
    element(0x10, 0x20, 'LO', 'PHANTOM-1'),
    element(0x20, 0xd, 'UI', study),
    element(0x20, 0xe, 'UI', series),
    element(0x20, 0x11, 'IS', '1'),
    element(0x20, 0x13, 'IS', `${number}`),
    element(0x20, 0x32, 'DS', `0\\0\\${z}`),
    element(0x20, 0x37, 'DS', '1\\0\\0\\0\\1\\0'),
    element(0x28, 2, 'US', 1),
    element(0x28, 4, 'CS', 'MONOCHROME2'),
    element(0x28, 0x10, 'US', side),
    element(0x28, 0x11, 'US', side),
    element(0x28, 0x30, 'DS', `${spacing}\\${spacing}`),
    element(0x28, 0x100, 'US', 16),
    element(0x28, 0x101, 'US', 12),
    element(0x28, 0x102, 'US', 11),
    element(0x28, 0x103, 'US', 0),
    element(0x28, 0x1050, 'DS', '40'),
    element(0x28, 0x1051, 'DS', '400'),
    element(0x28, 0x1052, 'DS', '-1024'),
    element(0x28, 0x1053, 'DS', '1'),
    element(0x7fe0, 0x10, 'OW', pixels),
  ])
}
