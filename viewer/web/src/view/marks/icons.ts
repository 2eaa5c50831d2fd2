/* Lines of the tools' icons, in a box of 20 × 20. */
import type { Kind } from './shape'

export const ICONS: Record<Kind | 'choose', string> = {
  choose: 'M5 3l10 7-4.5 1L13 16l-2 1-2.5-5L5 15z',
  distance: 'M4 16 16 4M2.5 12.5l5 5M12.5 2.5l5 5',
  polyline: 'M3 15l4-8 5 5 5-9',
  area: 'M4 6c3-4 9-3 11 1s1 9-4 9-9-5-7-10z',
  rectangle: 'M3 5h14v10H3z',
  ellipse: 'M3 10a7 5 0 1 0 14 0a7 5 0 1 0-14 0z',
  angle: 'M16 4 4 15.5h13M9 11c1.5 1 2 2.5 2 4.5',
  arrow: 'M4 16 15 5M9 4.5h6.5V11',
  text: 'M4 6V4h12v2M10 4v12M8 16h4',
  count: 'M5 5.5h.01M13 4.5h.01M9 10.5h.01M15.5 12h.01M5.5 15.5h.01',
  frame_square: 'M4 4h12v12H4zM8 8.5h.01M12 12h.01',
  frame_circle: 'M3 10a7 7 0 1 0 14 0a7 7 0 1 0-14 0zM8 8.5h.01M12 12h.01',
}
