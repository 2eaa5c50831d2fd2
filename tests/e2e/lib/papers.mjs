// The patient's papers for a story: files on disk, as a doctor has them.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeDocx } from './docx.mjs'

export async function sha256File(path) {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece)
  return hash.digest('hex')
}

/** A folder with the demo's consent (PDF) and ECG (PNG), a Word document, a text that claims to be a PDF, and the slide as it is. */
export async function papers(server) {
  const folder = mkdtempSync(join(tmpdir(), 'consilium-papers-'))
  const api = await server.login('doctor01')
  const { items } = await api.get('/api/v1/requests?tab=pending&size=50')
  const { files } = await api.get(`/api/v1/requests/${items.at(-1).id}`)
  const fetched = async (category, name) => {
    const answer = await api.call('GET', `/api/v1/files/${files.find((f) => f.category === category).id}/content`)
    writeFileSync(join(folder, name), answer.body)
    return join(folder, name)
  }
  const written = (name, bytes) => {
    writeFileSync(join(folder, name), bytes)
    return join(folder, name)
  }
  return {
    consent: await fetched('consent', '知情同意书.pdf'),
    ecg: await fetched('ecg', '心电图.png'),
    admission: written(
      '入院记录.docx',
      writeDocx([
        ['入院记录', '患者因上腹部不适三个月入院，胃镜示胃窦部溃疡。'],
        ['既往史', '高血压病史十年，否认药物过敏。'],
      ]),
    ),
    fake: written('检验报告.pdf', Buffer.from('this is a text and no PDF\n'.repeat(40))),
    slide: server.slide,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export const pdfText = (path) => execFileSync('pdftotext', ['-layout', path, '-'], { encoding: 'utf8' })

/** [{name, type, embedded, subset}] of a PDF. */
export function pdfFonts(path) {
  return execFileSync('pdffonts', [path], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .slice(2)
    .map((line) => {
      const m = /^(\S+)\s+(.+?)\s{2,}.*\s(yes|no)\s+(yes|no)\s+(yes|no)\s+\d+\s+\d+$/.exec(line) ?? []
      return { name: m[1] ?? line, type: m[2], embedded: m[3] === 'yes', subset: m[4] === 'yes' }
    })
}
