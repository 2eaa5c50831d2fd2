/* Ages as they are said: of a newborn in days, of a small child in months. */
type Said = (key: string, values: { n: number }) => string

const NEWBORN_DAYS = 28
/** Of who is younger than so many days the server tells them. */
export const AGE_IN_DAYS = 731
const MONTH_DAYS = 1461 / 48

export function ageText(t: Said, age: number | null | undefined, days: number | null | undefined): string {
  if (age === null || age === undefined) return ''
  if (days === null || days === undefined) return t('request.age', { n: age })
  if (days < NEWBORN_DAYS) return t('request.age_days', { n: days })
  return t('request.age_months', { n: Math.floor(days / MONTH_DAYS) })
}
