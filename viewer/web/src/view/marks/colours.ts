/* Colours of drawings: seen on pink, violet and brown tissue as well as on white glass. */
export const COLOURS = ['#0057d9', '#007a5e', '#c45a00', '#c4001d', '#6b1fb3', '#006f8f', '#4f6f00', '#111111'] as const

/** The same for an author wherever he draws. */
export function colourOf(author: string): string {
  let sum = 0
  for (const letter of author) sum = (sum * 31 + letter.charCodeAt(0)) % 100_003
  return COLOURS[sum % (COLOURS.length - 1)]
}

/** For the next class of things that are counted. */
export const nextColour = (used: number, author: string): string => {
  const own = COLOURS.indexOf(colourOf(author) as (typeof COLOURS)[number])
  return COLOURS[(own + used) % COLOURS.length]
}
