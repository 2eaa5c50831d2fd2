/* The panel beside the pictures, on a phone over them: open or not, and where it is. */
import { computed, ref, watch } from 'vue'

export type PanelTab = 'files' | 'patient' | 'people' | 'chat' | 'report'

/**
 * Until somebody opens, closes or uses it, it is open where there is room for it (`fits`), asked again when the screen becomes
 * another one. From then on it stays as it is, however the phone is turned: somebody reads or types there.
 */
export function usePanel(screen: () => boolean, fits: () => boolean) {
  const shown = ref(fits())
  const place = ref<PanelTab>('files')
  let used = false
  watch(screen, () => {
    if (!used) shown.value = fits()
  })
  const open = computed({
    get: () => shown.value,
    set: (now) => {
      used = true
      shown.value = now
    },
  })
  const tab = computed({
    get: () => place.value,
    set: (now) => {
      used = true
      place.value = now
    },
  })
  return { open, tab }
}
