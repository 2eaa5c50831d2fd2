/* Characters that no font of the server has: the printed report would show boxes in their place. */
export interface Unprintable {
  field: string
  characters: string[]
}

type Translate = (key: string, named?: Record<string, unknown>) => string

const MOST = 10
const PARTS = ['findings', 'conclusion', 'advice', 'reason', 'opinions', 'title']
const FORM = ['name', 'hospital', 'referrer', 'experts', 'diagnosis', 'question', 'identity_number']

function labelOf(field: string, t: Translate): string {
  const name = field.replace('patient.', '')
  if (PARTS.includes(name)) return t(`report.${name}`)
  return FORM.includes(name) ? t(`request.field.${name}`) : name
}

/* The browser may lack the font too: its number tells which character is meant. */
const shown = (character: string) =>
  `${character} (U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')})`

/** The characters by the place where they stand, in one line. */
export function unprintableText(list: Unprintable[], t: Translate): string {
  return list
    .map(({ field, characters }) => {
      const more = characters.length > MOST ? ' …' : ''
      return t('problem.at_field', {
        field: labelOf(field, t),
        text: characters.slice(0, MOST).map(shown).join(' ') + more,
      })
    })
    .join('; ')
}
