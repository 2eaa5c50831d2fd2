/* Where the pixels of an image lie in the patient (PS3.3 C.7.6.2): left, posterior and head are positive, in millimetres. Pure arithmetic. */

export type Vector = readonly [number, number, number]

/** The plane of one image. `rowDirection` runs along a row, to higher columns; `columnDirection` down a column, to higher rows. */
export interface Plane {
  readonly position: Vector
  readonly rowDirection: Vector
  readonly columnDirection: Vector
}

/** A component smaller than this names no direction: about 6 degrees. */
const NAMED = 0.1

const LETTERS: readonly (readonly [string, string])[] = [
  ['L', 'R'],
  ['P', 'A'],
  ['H', 'F'],
]

export function dot(left: Vector, right: Vector): number {
  return left[0] * right[0] + left[1] * right[1] + left[2] * right[2]
}

export function cross(left: Vector, right: Vector): Vector {
  return [
    left[1] * right[2] - left[2] * right[1],
    left[2] * right[0] - left[0] * right[2],
    left[0] * right[1] - left[1] * right[0],
  ]
}

export function normal(plane: Plane): Vector {
  return cross(plane.rowDirection, plane.columnDirection)
}

/** Letters of the patient's sides to which a direction points, the strongest first (PS3.3 C.7.6.1.1.1), at most three. */
export function letters(direction: Vector): string {
  return direction
    .map((share, axis) => ({ share, axis }))
    .filter(({ share }) => Math.abs(share) > NAMED)
    .sort((one, other) => Math.abs(other.share) - Math.abs(one.share))
    .map(({ share, axis }) => LETTERS[axis]![share > 0 ? 0 : 1])
    .join('')
}

/** How an image is turned on screen: degrees clockwise first, then left and right exchanged. */
export interface Turn {
  readonly rotation: number
  readonly mirror: boolean
}

/** The letters at the four edges of the screen. */
export function edges(plane: Plane, turn: Turn): { left: string; right: string; top: string; bottom: string } {
  const angle = (turn.rotation * Math.PI) / 180
  const mix = (along: number, down: number): Vector => [
    plane.rowDirection[0] * along + plane.columnDirection[0] * down,
    plane.rowDirection[1] * along + plane.columnDirection[1] * down,
    plane.rowDirection[2] * along + plane.columnDirection[2] * down,
  ]
  const side = turn.mirror ? -1 : 1
  const right = mix(side * Math.cos(angle), -side * Math.sin(angle))
  const bottom = mix(Math.sin(angle), Math.cos(angle))
  return {
    left: letters(opposite(right)),
    right: letters(right),
    top: letters(opposite(bottom)),
    bottom: letters(bottom),
  }
}

function opposite(direction: Vector): Vector {
  return [-direction[0], -direction[1], -direction[2]]
}

/** Millimetres of a plane along the direction in which `reference` is stacked. */
export function depth(plane: Plane, reference: Plane): number {
  return dot(plane.position, normal(reference))
}

/** Two stacks lie alike when their normals are at most about 15 degrees apart; only then is scrolling linked by position. */
export function parallel(one: Plane, other: Plane): boolean {
  return Math.abs(dot(normal(one), normal(other))) > 0.965
}

/**
 * The image of a prior study's stack that lies where the current one does: the nearest by depth, with `offset` millimetres between the two studies' origins
 * (set when somebody links them at images that match). Undefined where the stacks lie differently, or nothing is within one and a half of the stack's steps.
 */
export function linked(current: Plane, stack: readonly Plane[], offset = 0): number | undefined {
  const first = stack[0]
  if (!first || !parallel(current, first)) return undefined
  const wanted = depth(current, first) + offset
  const away = stack.map((plane) => Math.abs(depth(plane, first) - wanted))
  const nearest = away.indexOf(Math.min(...away))
  return away[nearest]! <= 1.5 * step(stack) ? nearest : undefined
}

/** Median distance between neighbours, in millimetres; of one image alone nothing is known, and 10 mm is taken. */
export function step(stack: readonly Plane[]): number {
  const first = stack[0]
  if (!first || stack.length < 2) return 10
  const depths = stack.map((plane) => depth(plane, first)).sort((one, other) => one - other)
  const gaps = depths.slice(1).map((value, at) => value - depths[at]!)
  return gaps.sort((one, other) => one - other)[gaps.length >> 1]!
}
