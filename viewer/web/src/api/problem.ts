/** An answer of RFC 9457, or what stands for one when the network itself failed. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly field: string | null,
    readonly type: string,
    /** what is wrong with the field, in one word (docs/protocol.md), and the numbers that belong to it */
    readonly wrong = '',
    readonly numbers: Record<string, number> = {},
  ) {
    super(detail || title)
    this.name = 'Problem'
  }
}

export type ProblemBody = Record<string, unknown>

/** Reads the members of a problem document; whatever is missing or of another type is left empty. */
export function problemFrom(status: number, body: ProblemBody, title = ''): Problem {
  const text = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : '')
  const numbers: Record<string, number> = {}
  for (const [name, value] of Object.entries(body)) if (typeof value === 'number') numbers[name] = value
  return new Problem(
    status,
    text('title') || title,
    text('detail'),
    text('field') || null,
    text('type'),
    text('wrong'),
    numbers,
  )
}

export async function problemOf(response: Response): Promise<Problem> {
  try {
    return problemFrom(response.status, (await response.json()) as ProblemBody)
  } catch {
    return problemFrom(response.status, {}, response.statusText)
  }
}

/* What the server names as the field at fault, where a sentence of our own says what is wrong with it. */
const FIELDS: Record<string, string> = {
  revision: 'revision',
  state: 'state',
  request: 'state',
  record: 'record',
  report: 'report',
  findings: 'findings',
  conclusion: 'conclusion',
  reason: 'reason',
  files: 'files',
  file: 'file',
  old: 'old',
  new: 'new',
  password: 'password',
  filename: 'filename',
  'Upload-Metadata': 'file_name',
  'file.password': 'file_password',
  'file.damaged': 'file_damaged',
  'filename.folder': 'file_folder',
  'filename.export': 'file_export',
  sha256: 'sha256',
  'Upload-Length': 'size',
  lead: 'experts',
  experts: 'experts',
  at: 'at',
  minutes: 'minutes',
  room: 'room',
  'patient.sex': 'patient',
  'patient.birth_date': 'birth_date',
  'patient.identity_number': 'identity_number',
  'patient.phone': 'phone',
}

/* Why a ZIP is not taken (viewer/parts/plan.h). */
const ZIPS = 'damaged password method outside link twice name many bomb no_slide several no_folder no_mrxs lacks'.split(
  ' ',
)
for (const word of ZIPS) FIELDS[`file.zip.${word}`] = `zip_${word}`

/* What a field is called on the page. */
const LABELS: Record<string, string> = {
  findings: 'findings',
  conclusion: 'conclusion',
  advice: 'advice',
  username: 'username',
  password: 'password',
  old: 'old',
  new: 'new',
  lead: 'experts',
  experts: 'experts',
  at: 'at',
  minutes: 'minutes',
  reason: 'reason',
  text: 'text',
  name: 'name',
  'patient.name': 'name',
  'patient.sex': 'sex',
  'patient.birth_date': 'birth_date',
  'patient.identity_number': 'identity_number',
  'patient.phone': 'phone',
  diagnosis: 'diagnosis',
  question: 'question',
}

/* Words of which one sentence fits every field; "format" and "unknown" are said better by the field's own. */
const WRONGS = [
  'missing',
  'type',
  'too_short',
  'too_long',
  'range',
  'too_many',
  'future',
  'checksum',
  'other_sex',
  'other_birth',
  'booked',
  'parted',
  'password',
  'locked',
  'address',
]
const BY_FIELD = ['format', 'unknown']

const STATUS: Record<number, string> = {
  401: 'session',
  403: 'forbidden',
  404: 'missing',
  409: 'conflict',
  413: 'too_large',
  429: 'too_many',
  503: 'busy',
}

/* The name itself, or a content that is not what it promises. */
const fileFault = (error: Problem) => (error.wrong === 'format' ? 'file_name' : 'content')

type Translate = (key: string, named?: Record<string, unknown>) => string

/** Which field of a form the server refused, by the name that its label has; null where it is no field's fault. */
export function refusedField(error: unknown): string | null {
  if (!(error instanceof Problem) || error.status !== 422 || !error.field) return null
  return LABELS[error.field] ?? null
}

/** What is wrong, in one sentence without the field's name: it stands at the field. */
export function fieldMessage(error: unknown, t: Translate): string {
  if (!(error instanceof Problem)) return t('problem.unknown')
  if (error.status === 0) return t('problem.network')
  if (WRONGS.includes(error.wrong)) return t(`problem.wrong.${error.wrong}`, error.numbers)
  const field = error.field && error.status >= 400 && error.status < 500 ? FIELDS[error.field] : undefined
  if (field === 'filename') return t(`problem.field.${error.status === 415 ? 'kind' : fileFault(error)}`)
  if (field) return t(`problem.field.${field}`)
  if (BY_FIELD.includes(error.wrong)) return t(`problem.wrong.${error.wrong}`)
  if (error.type.endsWith(':damaged')) return t('problem.damaged')
  return t(`problem.${STATUS[error.status] ?? (error.status >= 500 ? 'server' : 'refused')}`)
}

/** One plain sentence for the person in front of the screen, in the page's language: the server's own is English. */
export function plainMessage(error: unknown, t: Translate): string {
  const text = fieldMessage(error, t)
  if (!(error instanceof Problem) || !error.field || !(error.field in LABELS)) return text
  const general = WRONGS.includes(error.wrong) || (BY_FIELD.includes(error.wrong) && !(error.field in FIELDS))
  return general ? t('problem.at_field', { field: t(`problem.label.${LABELS[error.field]}`), text }) : text
}
