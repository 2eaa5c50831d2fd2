// Slides with a colour profile, and what Little CMS' own tool makes of their colours.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const fixed = (value) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(Math.round(value * 65536))
  return bytes
}
const u32 = (value) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const xyz = (...values) => Buffer.concat([Buffer.from('XYZ \0\0\0\0'), ...values.map(fixed)])

/** An ICC 2.4 profile of a scanner with wide primaries and that gamma. */
export function scannerProfile(gamma = 1.8) {
  const curve = Buffer.concat([Buffer.from('curv\0\0\0\0'), u32(1), Buffer.from([gamma, (gamma % 1) * 256]), u32(0)])
  const tags = {
    wtpt: xyz(0.9642, 1, 0.8249),
    rXYZ: xyz(0.60974, 0.31111, 0.01947),
    gXYZ: xyz(0.20528, 0.62567, 0.06087),
    bXYZ: xyz(0.14919, 0.06322, 0.74457),
    rTRC: curve,
    gTRC: curve,
    bTRC: curve,
  }
  const names = Object.keys(tags)
  const header = Buffer.alloc(128)
  header.writeUInt32BE(0x02400000, 8)
  header.write('scnrRGB XYZ ', 12)
  header.write('acsp', 36)
  fixed(0.9642).copy(header, 68)
  fixed(1).copy(header, 72)
  fixed(0.8249).copy(header, 76)
  let at = 128 + 4 + 12 * names.length
  const table = [u32(names.length)]
  for (const name of names) {
    table.push(Buffer.from(name), u32(at), u32(tags[name].length))
    at += tags[name].length
  }
  const profile = Buffer.concat([header, ...table, ...Object.values(tags)])
  profile.writeUInt32BE(profile.length, 0)
  return profile
}

/** A tiled TIFF, not compressed, of even patches of `patch` pixels; colours: rows of [r, g, b]. */
export function patchSlide(colours, { patch = 512, tile = 256, profile } = {}) {
  const width = colours[0].length * patch,
    height = colours.length * patch
  const across = width / tile,
    tiles = across * (height / tile)
  const entries = [
    [256, 4, 1, width],
    [257, 4, 1, height],
    [258, 3, 3, [8, 8, 8]],
    [259, 3, 1, 1],
    [262, 3, 1, 2],
    [277, 3, 1, 3],
    [284, 3, 1, 1],
    [322, 4, 1, tile],
    [323, 4, 1, tile],
    [324, 4, tiles, null],
    [325, 4, tiles, Array(tiles).fill(tile * tile * 3)],
    ...(profile ? [[34675, 7, profile.length, profile]] : []),
  ]
  let extra = 8 + 2 + 12 * entries.length + 4
  const places = entries.map(([, type, count]) => {
    const size = count * { 3: 2, 4: 4, 7: 1 }[type]
    const place = size > 4 ? extra : 0
    if (place) extra += (size + 1) & ~1
    return place
  })
  const pixels = extra
  entries[9][3] = Array.from({ length: tiles }, (_, i) => pixels + i * tile * tile * 3)
  const out = Buffer.alloc(pixels + width * height * 3)
  out.write('II*\0')
  out.writeUInt32LE(8, 4)
  out.writeUInt16LE(entries.length, 8)
  entries.forEach(([tag, type, count, value], i) => {
    const at = 10 + 12 * i
    out.writeUInt16LE(tag, at)
    out.writeUInt16LE(type, at + 2)
    out.writeUInt32LE(count, at + 4)
    if (!places[i]) return type === 3 ? out.writeUInt16LE(value, at + 8) : out.writeUInt32LE([value].flat()[0], at + 8)
    out.writeUInt32LE(places[i], at + 8)
    if (type === 7) value.copy(out, places[i])
    else
      value.forEach((one, k) =>
        type === 3 ? out.writeUInt16LE(one, places[i] + 2 * k) : out.writeUInt32LE(one, places[i] + 4 * k),
      )
  })
  for (let i = 0; i < tiles; i++) {
    const x = (i % across) * tile,
      y = Math.floor(i / across) * tile
    const colour = colours[Math.floor(y / patch)][Math.floor(x / patch)]
    out.fill(Buffer.from(colour), entries[9][3][i], entries[9][3][i] + tile * tile * 3)
  }
  return out
}

/** What `transicc` makes of these colours, [[r, g, b], …] of 255: relative colorimetric with black point compensation, to sRGB. */
export function throughLcms(profile, colours) {
  const dir = mkdtempSync(join(tmpdir(), 'consilium-profile-'))
  try {
    writeFileSync(join(dir, 'scanner.icc'), profile)
    const text = execFileSync('transicc', ['-n', '-t1', '-b', '-i', join(dir, 'scanner.icc'), '-o', '*sRGB'], {
      input: colours.map((colour) => colour.join(' ')).join('\n') + '\n',
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    return (
      text
        .trim()
        .split('\n')
        // it does not cut off what a screen cannot show
        .map((line) =>
          line
            .trim()
            .split(/\s+/)
            .map((v) => Math.max(0, Math.min(255, Number(v)))),
        )
    )
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** CIE 1976 difference of two sRGB colours of 255. */
export function difference(a, b) {
  const [p, q] = [a, b].map((colour) => {
    const [r, g, bl] = colour.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4))
    const f = (t) => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29)
    const x = f((0.4124 * r + 0.3576 * g + 0.1805 * bl) / 0.9505)
    const y = f(0.2126 * r + 0.7152 * g + 0.0722 * bl)
    const z = f((0.0193 * r + 0.1192 * g + 0.9505 * bl) / 1.089)
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
  })
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2])
}
