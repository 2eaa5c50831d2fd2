// Judges what a page's canvas shows against OpenSlide's own rendering of the same region. PNG is read here, so that no browser judges itself.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'

/** {width, height, channels, data} of an 8-bit RGB or RGBA PNG without interlacing. */
export function readPng(bytes) {
  const width = bytes.readUInt32BE(16),
    height = bytes.readUInt32BE(20),
    channels = { 2: 3, 6: 4 }[bytes[25]]
  if (bytes[24] !== 8 || !channels || bytes[28]) throw new Error('not a PNG that is read here')
  const parts = []
  for (let at = 8; at < bytes.length; ) {
    const n = bytes.readUInt32BE(at)
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + n))
    at += 12 + n
  }
  const raw = inflateSync(Buffer.concat(parts)),
    line = width * channels,
    data = Buffer.alloc(line * height)
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (line + 1)],
      from = y * (line + 1) + 1,
      to = y * line
    for (let i = 0; i < line; i++) {
      const a = i >= channels ? data[to + i - channels] : 0,
        b = y ? data[to + i - line] : 0,
        c = i >= channels && y ? data[to + i - line - channels] : 0
      let guess = 0
      if (filter === 1) guess = a
      else if (filter === 2) guess = b
      else if (filter === 3) guess = (a + b) >> 1
      else if (filter === 4) {
        const p = a + b - c,
          pa = Math.abs(p - a),
          pb = Math.abs(p - b),
          pc = Math.abs(p - c)
        guess = pa <= pb && pa <= pc ? a : pb <= pc ? b : c
      }
      data[to + i] = raw[from + i] + guess
    }
  }
  return { width, height, channels, data }
}

export class Slide {
  constructor(path) {
    this.path = path
    const properties = execFileSync('openslide-show-properties', [path], { encoding: 'utf8' })
    const value = (name) =>
      Number(new RegExp(`^openslide\\.${name.replace(/[.[\]]/g, '\\$&')}: '(.*)'$`, 'm').exec(properties)?.[1])
    this.levels = Array.from({ length: value('level-count') }, (_, i) => ({
      width: value(`level[${i}].width`),
      height: value(`level[${i}].height`),
      downsample: value(`level[${i}].downsample`),
    }))
    this.mpp = value('mpp-x')
  }

  /** Pixels from (x, y) in level-0 coordinates. */
  read(level, x, y, width, height) {
    const dir = mkdtempSync(join(tmpdir(), 'consilium-slide-'))
    try {
      execFileSync(
        'openslide-write-png',
        ['--', this.path, x, y, level, width, height, join(dir, 'region.png')].map(String),
      )
      return readPng(readFileSync(join(dir, 'region.png')))
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }

  /** Where (px, py) of a canvas lies on the slide; see expected(). */
  place({ region, scale, width, height }, px, py) {
    const angle = (-region.rotation * Math.PI) / 180,
      dx = (region.mirror ? -1 : 1) * (px - width / 2) * scale,
      dy = (py - height / 2) * scale
    return [
      region.cx + dx * Math.cos(angle) - dy * Math.sin(angle),
      region.cy + dx * Math.sin(angle) + dy * Math.cos(angle),
    ]
  }

  /** Middles of up to five squares of the canvas that lie on the slide: the four farthest out, and one near the middle. */
  squares(shown, side, margin) {
    const [{ width, height }] = this.levels,
      reach = (side + 2 * margin + 8) * shown.scale,
      found = []
    for (let j = 0; j < 7; j++)
      for (let i = 0; i < 7; i++) {
        const px = Math.round(side + ((shown.width - 2 * side) * i) / 6),
          py = Math.round(side + ((shown.height - 2 * side) * j) / 6),
          [x, y] = this.place(shown, px, py)
        if (x > reach && y > reach && x < width - reach && y < height - reach)
          found.push([px, py, Math.hypot(px - shown.width / 2, py - shown.height / 2)])
      }
    found.sort((a, b) => b[2] - a[2])
    return found.length > 5 ? [...found.slice(0, 4), found[found.length - 1]] : found
  }

  /**
   * What a canvas should show in the square of `side` device pixels around (px, py): grey values, `margin` wider on each side. `region` and `scale`
   * (level-0 pixels per device pixel) as on screen; width × height: the canvas.
   */
  expected(shown, px, py, side, margin) {
    const { scale } = shown,
      place = (x, y) => this.place(shown, x, y)
    const level = Math.max(
      0,
      this.levels.findLastIndex?.((l) => l.downsample <= scale * 1.001) ??
        this.levels.map((l) => l.downsample <= scale * 1.001).lastIndexOf(true),
    )
    const down = this.levels[level].downsample
    const [mx, my] = place(px, py),
      reach = ((side / 2 + margin) * Math.SQRT2 + 2) * scale + 2 * down
    const x0 = Math.floor((mx - reach) / down) * down,
      y0 = Math.floor((my - reach) / down) * down,
      n = Math.ceil((2 * reach) / down) + 2
    const png = this.read(level, Math.round(x0), Math.round(y0), n, n)
    const grey = (x, y) => {
      const i = (Math.min(n - 1, Math.max(0, y)) * n + Math.min(n - 1, Math.max(0, x))) * png.channels
      return png.channels === 4 && png.data[i + 3] === 0 ? NaN : (png.data[i] + png.data[i + 1] + png.data[i + 2]) / 3
    }
    const sample = (x, y) => {
      const u = (x - Math.round(x0)) / down - 0.5,
        v = (y - Math.round(y0)) / down - 0.5,
        i = Math.floor(u),
        j = Math.floor(v),
        a = u - i,
        b = v - j
      return (
        (grey(i, j) * (1 - a) + grey(i + 1, j) * a) * (1 - b) + (grey(i, j + 1) * (1 - a) + grey(i + 1, j + 1) * a) * b
      )
    }
    const size = side + 2 * margin,
      out = new Float32Array(size * size),
      k = Math.max(1, Math.ceil((scale / down) * 1.5))
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        let sum = 0
        for (let j = 0; j < k; j++)
          for (let i = 0; i < k; i++)
            sum += sample(...place(px - size / 2 + x + (i + 0.5) / k, py - size / 2 + y + (j + 0.5) / k))
        out[y * size + x] = sum / (k * k)
      }
    return { size, data: out }
  }
}

/**
 * Compares a square of the canvas with what is expected there. {mean: mean difference in grey levels, shift: [x, y] in device pixels at which the two fit
 * best (NaN without texture), texture}; null when part of it lies outside the slide.
 */
export function compare(canvas, expected, px, py, side, margin) {
  const x0 = Math.round(px - side / 2),
    y0 = Math.round(py - side / 2)
  const seen = new Float32Array(side * side)
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const i = ((y0 + y) * canvas.width + x0 + x) * canvas.channels
      seen[y * side + x] = (canvas.data[i] + canvas.data[i + 1] + canvas.data[i + 2]) / 3
    }
  if (expected.data.some(Number.isNaN)) return null
  const error = (dx, dy) => {
    let sum = 0
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++)
        sum += Math.abs(seen[y * side + x] - expected.data[(y + margin + dy) * expected.size + x + margin + dx])
    return sum / (side * side)
  }
  const average = seen.reduce((a, b) => a + b, 0) / seen.length
  const texture = seen.reduce((a, b) => a + Math.abs(b - average), 0) / seen.length
  let best = Infinity,
    shift = [0, 0]
  for (let dy = -margin; dy <= margin; dy++)
    for (let dx = -margin; dx <= margin; dx++) {
      const e = error(dx, dy)
      if (e < best) {
        best = e
        shift = [dx, dy]
      }
    }
  return { mean: error(0, 0), best, shift, texture }
}

/** How much a square of grey values changes from pixel to pixel: what blur takes away. */
export function detail({ size, data }) {
  let sum = 0
  for (let y = 0; y < size - 1; y++)
    for (let x = 0; x < size - 1; x++) {
      const i = y * size + x
      sum += Math.abs(data[i] - data[i + 1]) + Math.abs(data[i] - data[i + size])
    }
  return sum / (size - 1) ** 2
}

/** The grey values of a square of `size` pixels around (px, py). */
export function greys(canvas, px, py, size) {
  const data = new Float32Array(size * size),
    x0 = Math.round(px - size / 2),
    y0 = Math.round(py - size / 2)
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const i = ((y0 + y) * canvas.width + x0 + x) * canvas.channels
      data[y * size + x] = (canvas.data[i] + canvas.data[i + 1] + canvas.data[i + 2]) / 3
    }
  return { size, data }
}

/** A part of a page as poppler draws it, where the page is `width` pixels wide. */
export function paper(pdf, page, width, x, y, size) {
  const dir = mkdtempSync(join(tmpdir(), 'consilium-paper-'))
  try {
    const place = ['-x', x, '-y', y, '-W', size, '-H', size].map(String)
    const scale = ['-scale-to-x', width, '-scale-to-y', -1].map(String)
    const out = join(dir, 'part')
    execFileSync('pdftoppm', ['-png', '-singlefile', '-f', page, '-l', page, ...scale, ...place, pdf, out].map(String))
    return readPng(readFileSync(`${out}.png`))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
