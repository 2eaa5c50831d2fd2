// Documents that are dear to open. Node's own modules only.
import { deflateSync } from 'node:zlib'
import { writeDocx } from '../../tests/e2e/lib/docx.mjs'

/** A page of so many see-through shapes over each other. */
export function dearPdf(shapes = 20000) {
  let drawn = '/G gs\n',
    seed = 1
  const next = (most) => (seed = (seed * 48271) % 2147483647) % most
  for (let i = 0; i < shapes; i++) {
    drawn += `0.${next(10)} 0.${next(10)} 0.${next(10)} rg ${next(600)} ${next(800)} m`
    for (let k = 0; k < 3; k++) drawn += ` ${[1, 2, 3].map(() => `${next(600)} ${next(800)}`).join(' ')} c`
    drawn += ' f\n'
  }
  const stream = deflateSync(drawn)
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /ExtGState << /G << /ca 0.3 >> >> >> >>',
  ].map((text) => Buffer.from(text))
  objects.push(
    Buffer.concat([
      Buffer.from(`<< /Length ${stream.length} /Filter /FlateDecode >>\nstream\n`),
      stream,
      Buffer.from('\nendstream'),
    ]),
  )
  const parts = [Buffer.from('%PDF-1.4\n')],
    places = []
  let at = parts[0].length
  objects.forEach((object, i) => {
    const part = Buffer.concat([Buffer.from(`${i + 1} 0 obj\n`), object, Buffer.from('\nendobj\n')])
    places.push(at)
    at += part.length
    parts.push(part)
  })
  const table = places.map((place) => `${String(place).padStart(10, '0')} 00000 n \n`).join('')
  parts.push(
    Buffer.from(
      `xref\n0 ${places.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${places.length + 1} /Root 1 0 R >>\nstartxref\n${at}\n%%EOF\n`,
    ),
  )
  return Buffer.concat(parts)
}

/** A document of one page after the other, 40 paragraphs each. */
export const dearDocx = (pages = 3000) =>
  writeDocx(Array.from({ length: pages }, () => new Array(40).fill('the same again and again')))
