/*
 * The smallest MRXS and VMS slides that OpenSlide opens: COLUMNS × ROWS pictures of one colour each. Layouts by OpenSlide's descriptions
 * (https://openslide.org/formats/mirax/, …/hamamatsu/): an index of fixed records and pictures one after the other in a data file; pictures that
 * a key file names.
 */

export const SIDE = 256

const i32 = (...values) => Buffer.from(Int32Array.from(values).buffer)
const u16be = (...values) => Buffer.from(values.flatMap((value) => [value >> 8, value & 255]))
const segment = (marker, ...parts) => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)))
  return Buffer.concat([Buffer.from([0xff, marker]), u16be(body.length + 2), body])
}

/* ITU-T T.81 K.3.1: how many bits the difference of two DC values has, and the code for that. */
const DC_CODES = ['00', '010', '011', '100', '101', '110', '1110', '11110', '111110']
const dcBits = (value) => {
  const n = value ? 32 - Math.clz32(Math.abs(value)) : 0
  const bits = value < 0 ? value + 2 ** n - 1 : value
  return DC_CODES[n] + (n ? bits.toString(2).padStart(n, '0') : '')
}

/** A JPEG of one colour (0…255 each), a restart marker behind each row of blocks, which VMS wants. */
export function flatJpeg([red, green, blue]) {
  const y = 0.299 * red + 0.587 * green + 0.114 * blue
  const values = [y - 128, (blue - y) / 1.772, (red - y) / 1.402].map(Math.round)
  const blocks = SIDE / 8
  // each block: the difference of its DC value, then "no more"
  const bits = values.map((value) => `${dcBits(value)}0`).join('') + '000000000'.repeat(blocks - 1)
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1')
  const row = (padded.match(/.{8}/g) ?? []).flatMap((byte) => {
    const value = parseInt(byte, 2)
    return value === 255 ? [255, 0] : [value]
  })
  const rows = Array.from({ length: blocks }, (_, i) => [...row, ...(i < blocks - 1 ? [0xff, 0xd0 + (i % 8)] : [])])
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xe0, 'JFIF\0', [1, 1, 0, 0, 1, 0, 1, 0, 0]),
    segment(0xdb, [0], new Array(64).fill(8)),
    segment(0xc0, [8], u16be(SIDE, SIDE), [3], [1, 0x11, 0], [2, 0x11, 0], [3, 0x11, 0]),
    segment(0xc4, [0x00], [0, 1, 5, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 2, 3, 4, 5, 6, 7, 8]),
    segment(0xc4, [0x10], [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0]),
    segment(0xdd, u16be(blocks)),
    segment(0xda, [3], [1, 0], [2, 0], [3, 0], [0, 63, 0]),
    Buffer.from(rows.flat()),
    Buffer.from([0xff, 0xd9]),
  ])
}

/**
 * colours: rows of colours. Gives [{name, data}]: NAME.mrxs and what lies in the folder NAME. `padding`: bytes of nothing that make the data
 * file larger, for uploads that take a while.
 */
export function mrxs(name, colours, padding = 0) {
  const id = '0123456789ABCDEF0123456789ABCDEF'
  const rows = colours.length
  const columns = colours[0].length
  const pictures = colours.flat().map(flatJpeg)
  const head = Buffer.from(`01.02${id}`)
  const roots = head.length
  const list = roots + 8
  const level = list + 4
  const page = level + 8
  let at = padding
  const records = pictures.flatMap((picture, i) => [i, (at += picture.length) - picture.length, picture.length, 0])
  const index = Buffer.concat([
    head,
    i32(list, list), // hierarchical and other records
    i32(level),
    i32(0, page),
    i32(pictures.length, 0, ...records),
  ])
  const ini = `\ufeff[GENERAL]
SLIDE_VERSION = 01.02
SLIDE_ID = ${id}
IMAGENUMBER_X = ${columns}
IMAGENUMBER_Y = ${rows}
OBJECTIVE_MAGNIFICATION = 20
[HIERARCHICAL]
INDEXFILE = Index.dat
HIER_COUNT = 1
NONHIER_COUNT = 0
HIER_0_NAME = Slide zoom level
HIER_0_COUNT = 1
HIER_0_VAL_0 = ZoomLevel_0
HIER_0_VAL_0_SECTION = LEVEL_0
[LEVEL_0]
OVERLAP_X = 0
OVERLAP_Y = 0
MICROMETER_PER_PIXEL_X = 0.25
MICROMETER_PER_PIXEL_Y = 0.25
IMAGE_FORMAT = JPEG
IMAGE_FILL_COLOR_BGR = 16777215
DIGITIZER_WIDTH = ${SIDE}
DIGITIZER_HEIGHT = ${SIDE}
IMAGE_CONCAT_FACTOR = 0
[DATAFILE]
FILE_COUNT = 1
FILE_0 = Data0000.dat
`.replaceAll('\n', '\r\n')
  return [
    { name: `${name}.mrxs`, data: pictures[0] },
    { name: `${name}/Slidedat.ini`, data: Buffer.from(ini) },
    { name: `${name}/Index.dat`, data: index },
    { name: `${name}/Data0000.dat`, data: Buffer.concat([Buffer.alloc(padding), ...pictures]) },
  ]
}

/** The same as a VMS: NAME.vms, its pictures and its map. */
export function vms(name, colours) {
  const names = colours.map((row, y) => row.map((_, x) => `${name}${x || y ? `(${x},${y})` : ''}.jpg`))
  const keys = names.flatMap((row, y) => row.map((file, x) => `ImageFile${x || y ? `(${x},${y})` : ''}=${file}`))
  const text = `[Virtual Microscope Specimen]
NoLayers=1
NoJpegColumns=${colours[0].length}
NoJpegRows=${colours.length}
${keys.join('\n')}
MapFile=${name}_map.jpg
OptimisationFile=
AuthCode=1
SourceLens=20
PhysicalWidth=100000
PhysicalHeight=100000
LayerSpacing=0
MacroImage=
PhysicalMacroWidth=0
PhysicalMacroHeight=0
XOffsetFromSlideCentre=0
YOffsetFromSlideCentre=0
`
  return [
    { name: `${name}.vms`, data: Buffer.from(text.replaceAll('\n', '\r\n')) },
    ...colours.flatMap((row, y) => row.map((colour, x) => ({ name: names[y][x], data: flatJpeg(colour) }))),
    { name: `${name}_map.jpg`, data: flatJpeg([128, 128, 128]) },
  ]
}
