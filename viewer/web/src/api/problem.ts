/** An answer of RFC 9457, or what stands for one when the network itself failed. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly field: string | null,
    readonly type: string,
  ) {
    super(detail || title)
    this.name = 'Problem'
  }
}

export async function problemOf(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Partial<Record<'type' | 'title' | 'detail' | 'field', string>>
    return new Problem(response.status, body.title ?? '', body.detail ?? '', body.field ?? null, body.type ?? '')
  } catch {
    return new Problem(response.status, response.statusText, '', null, '')
  }
}

/* What the server names as the field at fault, where a sentence of our own says it better. */
const FIELDS: Record<string, string> = {
  revision: 'revision',
  state: 'state',
  record: 'record',
  findings: 'findings',
  conclusion: 'conclusion',
  files: 'files',
  old: 'old',
  new: 'new',
  password: 'password',
  filename: 'filename',
  'file.password': 'file_password',
  'file.damaged': 'file_damaged',
  sha256: 'sha256',
  'Upload-Length': 'size',
  lead: 'experts',
  experts: 'experts',
  at: 'at',
  minutes: 'minutes',
  name: 'name',
  reason: 'reason',
  text: 'text',
  'patient.name': 'patient',
  'patient.sex': 'patient',
  'patient.birth_date': 'birth_date',
  'patient.identity_number': 'identity_number',
  'patient.phone': 'phone',
  diagnosis: 'diagnosis',
  question: 'question',
}

type Translate = (key: string, named?: Record<string, unknown>) => string

/** One plain sentence for the person in front of the screen. */
export function plainMessage(error: unknown, t: Translate): string {
  if (!(error instanceof Problem)) return t('problem.unknown')
  if (error.status === 0) return t('problem.network')
  const known: Record<number, string> = {
    401: 'session',
    403: 'forbidden',
    404: 'missing',
    413: 'too_large',
    429: 'too_many',
    503: 'busy',
  }
  const key = known[error.status] ?? (error.status >= 500 ? 'server' : 'refused')
  const text = t(`problem.${key}`)
  const field = error.field && error.status >= 400 && error.status < 500 ? FIELDS[error.field] : undefined
  if (field === 'filename') return t(error.status === 415 ? 'problem.field.kind' : 'problem.field.content')
  if (field) return t(`problem.field.${field}`)
  // what the server says is worth showing where it concerns this person's own input
  const says = [400, 409, 413, 415, 422, 429].includes(error.status) ? error.detail || error.title : ''
  return says ? t('problem.with_detail', { text, detail: says }) : text
}
