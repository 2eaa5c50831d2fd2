/* What is wrong with the form, field by field and all of it at once, by the server's own rules (consult/request/patient.c). */
import type { RequestForm } from '@/api/types'
import { contradiction, fromIdentity } from './state'

/** Words of docs/protocol.md. */
export type Fault = 'missing' | 'future' | 'format' | 'checksum' | 'other_sex' | 'other_birth'
export type Faults = Partial<Record<'name' | 'sex' | 'birth_date' | 'identity_number' | 'phone' | 'diagnosis', Fault>>

/* Without the country's code: digits only. */
function chinese(number: string): boolean {
  if (number[0] === '1') return /^1[3-9]\d{9}$/.test(number)
  if (number[0] === '0') return number.length >= 10 && number.length <= 18
  if (/^[48]00/.test(number)) return number.length === 10
  return number.length === 7 || number.length === 8
}

export function phoneValid(text: string): boolean {
  const given = text.replace(/^ +/, '')
  const bare = given.replace(/[ ()-]/g, '')
  if (!/^\+?\d{0,31}$/.test(bare) || given.indexOf('+') > 0) return false
  const abroad = /^(?:\+|00)(\d*)$/.exec(bare)
  if (!abroad) return chinese(bare)
  const number = abroad[1] ?? ''
  if (!number.startsWith('86')) return /^[1-9]\d{6,14}$/.test(number)
  const rest = number.slice(2)
  // abroad the area code's 0 is left out
  return chinese(rest) || /^[^1]\d{8,10}$/.test(rest) || /^10\d{8}$/.test(rest)
}

/* Passports and permits of other places come in many forms; a citizen's number has only one. */
function identityFault(patient: RequestForm['patient']): Fault | '' {
  const number = patient.identity_number.trim()
  if (!/^[\dA-Za-z()-]{0,30}$/.test(number)) return 'format'
  if (!/^\d+[Xx]?$/.test(number) || number.length < 16) return ''
  return fromIdentity(number) ? (contradiction(patient) as Fault | '') : 'checksum'
}

/** `today`: YYYY-MM-DD where the browser stands. */
export function faultsOf(form: RequestForm, today: string): Faults {
  const { patient } = form
  const phone = patient.phone.trim()
  const all: Record<keyof Faults, Fault | '' | false> = {
    name: !patient.name.trim() && 'missing',
    // urgent or not: nothing can be judged without them
    sex: !patient.sex && 'missing',
    birth_date: !patient.birth_date ? 'missing' : patient.birth_date > today && 'future',
    identity_number: identityFault(patient),
    phone: phone !== '' && !phoneValid(phone) && 'format',
    diagnosis: !form.diagnosis.trim() && 'missing',
  }
  return Object.fromEntries(Object.entries(all).filter(([, fault]) => fault)) as Faults
}
