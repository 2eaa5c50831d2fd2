/*
 * The smallest MRXS slide that OpenSlide opens: COLUMNS × ROWS pictures of one colour each, one level. Layout by OpenSlide's description
 * (https://openslide.org/formats/mirax/): an index of fixed records, pictures one after the other in a data file.
 */
import { execFileSync } from 'node:child_process'

export const SIDE = 256

const i32 = (...values) => Buffer.from(Int32Array.from(values).buffer)

/** A JPEG of one colour (0…255 each). */
export function flatJpeg([red, green, blue]) {
  const fill = `${red / 255} ${green / 255} ${blue / 255} setrgbcolor clippath fill showpage`
  const flags = ['-q', '-dJPEGQ=95', '-sDEVICE=jpeg', `-g${SIDE}x${SIDE}`, '-o', '-', '-c', fill]
  return execFileSync('gs', flags, { maxBuffer: 1 << 20 })
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
