/* Keys of pointing and drawing: what is listed of them. */

/** Acts are keys of `view.keys`. */
export const HAND_KEYS = [
  { act: 'laser', keys: ['x'] },
  { act: 'point', keys: ['i'] },
  { act: 'pen', keys: ['b'] },
  { act: 'pen_fades', keys: ['Shift+B'] },
  { act: 'put_away', keys: ['Escape'] },
] as const
