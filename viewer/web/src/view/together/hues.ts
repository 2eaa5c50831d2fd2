/* The colours of what people point at and draw: apart from each other, and from pink and violet tissue. */
const HUES = [
  '#d3261a',
  '#0b5ed7',
  '#0a7d3c',
  '#b35900',
  '#00808a',
  '#8a1cb0',
  '#4a6100',
  '#c2185b',
  '#3f51b5',
  '#7a4a2b',
  '#006b9f',
  '#5d6066',
] as const

/** Of a hue of the protocol, from 1 on; one that is not known yet is the first. */
export const colourOf = (hue: number): string => HUES[(Math.max(1, hue) - 1) % HUES.length] as string
