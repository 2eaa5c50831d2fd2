import { onScopeDispose, readonly, ref, type Ref } from 'vue'

/* Which screen this is: asked of the browser, and asked again whenever the window changes. */

/** As narrow as a phone held upright, or touched by a finger and as low as a phone held across: a low window on a laptop is neither. */
export const PHONE = '(max-width: 600px), (pointer: coarse) and (max-height: 500px)'
/** As wide as it is low: what stands above and below a picture takes from it. */
export const ACROSS = '(orientation: landscape)'

/** What its user calls the machine in front of him, by its screen and what points at it. */
export function deviceOf(phone: boolean, matches = (query: string) => window.matchMedia(query).matches) {
  if (phone) return 'phone'
  return matches('(pointer: coarse)') ? 'tablet' : 'computer'
}

/** Whether the screen answers to that media query, for as long as the calling component lives. */
export function useScreen(query: string): Readonly<Ref<boolean>> {
  const list = window.matchMedia(query)
  const matches = ref(list.matches)
  const changed = () => (matches.value = list.matches)
  list.addEventListener('change', changed)
  onScopeDispose(() => list.removeEventListener('change', changed))
  return readonly(matches)
}
