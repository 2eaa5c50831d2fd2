/* Folders that were dropped or chosen: the slides of several files in them, each to be sent as one, and all other files. */
import { ZipLayout, zipBlob } from './zip'

/** A file and where it lies: "folder/sub/name". */
export interface Found {
  path: string
  file: File
}

/** Why something of it is not sent. */
export interface Refused {
  name: string
  why: 'mrxs_alone' | 'vms_alone' | 'no_mrxs' | 'lacks' | 'export'
  /** the part that is missing */
  part?: string
}

export interface Sorted {
  slides: Bundle[]
  files: File[]
  refused: Refused[]
}

/** The files of one slide, sent as a ZIP that is built while it is read. */
export class Bundle {
  readonly layout: ZipLayout
  readonly size: number
  readonly type = 'application/zip'
  constructor(
    readonly name: string,
    readonly parts: Found[],
  ) {
    this.layout = new ZipLayout(
      parts.map(({ path, file }) => ({ name: path, size: file.size, modified: file.lastModified })),
    )
    this.size = this.layout.size
  }
  get files(): File[] {
    return this.parts.map((part) => part.file)
  }
  blob(crcs: number[]): Blob {
    return zipBlob(this.layout, this.files, crcs)
  }
}

/** What can be uploaded. */
export type Chosen = File | Bundle

/* Key files of scanners have some KiB; nothing larger is read into memory. */
const KEYS_MAX = 1 << 20

const baseOf = (path: string) => path.slice(path.lastIndexOf('/') + 1)
const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/') + 1)
const endingOf = (path: string) => /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
/** What systems put beside the files. */
const isLitter = (path: string) =>
  path.split('/').some((part) => part.startsWith('.') || /^(__MACOSX|Thumbs\.db|desktop\.ini)$/i.test(part))

async function textOf(file: Blob): Promise<string> {
  const bytes = await file.slice(0, KEYS_MAX).arrayBuffer()
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('gb18030').decode(bytes)
  }
}

interface Line {
  section: string
  key: string
  value: string
}

export function keysOf(text: string): Line[] {
  const lines: Line[] = []
  let section = ''
  for (const raw of text.split('\n')) {
    const line = raw.trim()
    if (/^[#;]/.test(line)) continue
    const head = /^\[([^\]]*)\]/.exec(line)
    const at = line.indexOf('=')
    if (head) section = head[1]!.trim()
    else if (at >= 0) lines.push({ section, key: line.slice(0, at).trim(), value: line.slice(at + 1).trim() })
  }
  return lines
}

/** What a slide cannot be opened without; as viewer/parts/plan.c has it. */
function isNeeded({ section, key }: Line): boolean {
  if (section === 'HIERARCHICAL') return key === 'INDEXFILE'
  if (section === 'DATAFILE') return key.startsWith('FILE_') && key !== 'FILE_COUNT'
  return key.startsWith('ImageFile') || key === 'MapFile'
}

class Sorting {
  readonly out: Sorted = { slides: [], files: [], refused: [] }
  private readonly byPath: Map<string, Found>
  private readonly used = new Set<Found>()

  constructor(private readonly found: Found[]) {
    this.byPath = new Map(found.map((one) => [one.path.toLowerCase(), one]))
  }

  /** The slide of `main` with what its key file names in `folder`; `all`: paths below it that belong to it in any case. */
  private async slide(main: Found, keys: Found, why: 'mrxs_alone' | 'vms_alone'): Promise<void> {
    const beside = folderOf(keys.path)
    const parts = new Set([main, keys])
    let lacks = ''
    for (const line of keysOf(await textOf(keys.file))) {
      const part = line.value ? this.byPath.get((beside + line.value).toLowerCase()) : undefined
      if (part) parts.add(part)
      else if (isNeeded(line) && line.value) lacks ||= line.value
    }
    for (const part of parts) this.used.add(part)
    if (lacks && parts.size === 1) this.out.refused.push({ name: baseOf(main.path), why })
    else if (lacks) this.out.refused.push({ name: baseOf(main.path), why: 'lacks', part: lacks })
    else this.out.slides.push(this.bundle(main, [...parts]))
  }

  private bundle(main: Found, parts: Found[]): Bundle {
    const outer = folderOf(main.path).length
    const inside = parts.map(({ path, file }) => ({ path: path.slice(outer), file }))
    inside.sort((left, right) => (left.path < right.path ? -1 : left.path > right.path ? 1 : 0))
    return new Bundle(`${baseOf(main.path)}.zip`, inside)
  }

  async run(): Promise<Sorted> {
    for (const one of this.found) {
      const ending = endingOf(one.path)
      if (ending === 'mrxs') await this.mrxs(one)
      if (ending === 'vms' || ending === 'vmu') await this.slide(one, one, 'vms_alone')
    }
    for (const one of this.found) if (!this.used.has(one)) this.other(one)
    return this.out
  }

  private async mrxs(main: Found): Promise<void> {
    const folder = `${main.path.slice(0, -'.mrxs'.length)}/`
    const keys = this.byPath.get(`${folder}slidedat.ini`.toLowerCase())
    this.used.add(main)
    // whatever else lies in the folder is the scanner's own
    for (const one of this.found) if (one.path.toLowerCase().startsWith(folder.toLowerCase())) this.used.add(one)
    if (keys) await this.slide(main, keys, 'mrxs_alone')
    else this.out.refused.push({ name: baseOf(main.path), why: 'mrxs_alone' })
  }

  private other(one: Found): void {
    const folder = folderOf(one.path)
    const slidedat = this.byPath.get(`${folder}slidedat.ini`.toLowerCase())
    if (slidedat) {
      if (one === slidedat)
        this.out.refused.push({ name: baseOf(folder.slice(0, -1)) || one.file.name, why: 'no_mrxs' })
    } else if (['kfb', 'sdpc'].includes(endingOf(one.path)))
      this.out.refused.push({ name: one.file.name, why: 'export' })
    else this.out.files.push(one.file)
  }
}

/** Finds the slides among files that came together. */
export function sortFound(found: Found[]): Promise<Sorted> {
  return new Sorting(found.filter((one) => !isLitter(one.path))).run()
}

/** What a file chooser gave; of a folder with the paths within it. */
export const foundIn = (list: Iterable<File>): Found[] =>
  [...list].map((file) => ({ path: file.webkitRelativePath || file.name, file }))

/* ---- dropped folders ---- */

/** So many files are no slide and no patient's papers. */
export const MOST_FOUND = 20_000

const fileOf = (entry: FileSystemFileEntry) => new Promise<File>((resolve, reject) => entry.file(resolve, reject))

async function walk(entry: FileSystemEntry, into: Found[]): Promise<void> {
  if (into.length >= MOST_FOUND) return
  if (entry.isFile) {
    into.push({ path: entry.fullPath.replace(/^\//, ''), file: await fileOf(entry as FileSystemFileEntry) })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (;;) {
    // browsers give a folder in portions
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (!some.length) return
    for (const one of some) await walk(one, into)
  }
}

/** All files of what was dropped, also those in folders. To be called while the drop is handled: later there is nothing any more. */
export async function foundInDrop(data: DataTransfer | null): Promise<Found[]> {
  const files = [...(data?.files ?? [])]
  const entries = [...(data?.items ?? [])].map((item) => (item.kind === 'file' ? item.webkitGetAsEntry() : null))
  if (!entries.some((entry) => entry?.isDirectory)) return foundIn(files)
  const found: Found[] = []
  for (const entry of entries) if (entry) await walk(entry, found)
  return found
}
