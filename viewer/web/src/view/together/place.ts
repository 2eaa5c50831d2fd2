/* How the picture lies on screen, as an SVG transform: turned, mirrored and zoomed as it is. Pure. */

interface Spot {
  x: number
  y: number
}

/** Far enough apart that rounding does not show. */
const FAR = 1000

/** From three places of the picture and where they are on screen; "" where nothing is. */
export function matrixOf(toScreen: (x: number, y: number) => Spot | null): string {
  const [o, x, y] = [toScreen(0, 0), toScreen(FAR, 0), toScreen(0, FAR)]
  if (!o || !x || !y) return ''
  const entries = [(x.x - o.x) / FAR, (x.y - o.y) / FAR, (y.x - o.x) / FAR, (y.y - o.y) / FAR, o.x, o.y]
  return entries.every(Number.isFinite) ? `matrix(${entries.join(' ')})` : ''
}

/** A stroke as an SVG path; a single point is a dot. */
export function pathOf(points: readonly number[]): string {
  const pairs: string[] = []
  for (let i = 0; i + 1 < points.length; i += 2) pairs.push(`${points[i]} ${points[i + 1]}`)
  if (pairs.length === 1) pairs.push(pairs[0] as string)
  return pairs.length ? `M${pairs.join('L')}` : ''
}
