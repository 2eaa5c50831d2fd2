/* One's own hand over the shared picture: points, leaves a laser's trail, draws. What it is at is a mode; keys change it. */
import { computed, onBeforeUnmount, onMounted, ref, shallowRef, watch } from 'vue'
import { isPictures } from '../keys'
import type { ViewLink } from '../link'
import type { Pen } from './board'

export type Mode = 'none' | 'point' | 'laser' | 'pen' | 'fading'

/** Closer places of a drawing hand are one, CSS pixels. */
const NEAR_PX = 2

interface Spot {
  x: number
  y: number
}

/**
 * `toPicture`: the place under a point of the screen; `pen`: page and plane that are seen; `view`: where keys are
 * meant for the picture.
 */
export function useHands(
  link: ViewLink,
  toPicture: (event: PointerEvent) => Spot | null,
  pen: () => Omit<Pen, 'fades'>,
  view: () => HTMLElement | null,
) {
  const mode = ref<Mode>('none')
  /** X is held down. */
  const held = ref(false)
  const lasers = computed(() => held.value || mode.value === 'laser')
  const draws = computed(() => !held.value && (mode.value === 'pen' || mode.value === 'fading'))
  /** Fingers and the mouse's button are for the mode, not for the picture. */
  const takesOver = computed(() => draws.value || mode.value === 'laser' || (mode.value === 'point' && link.follows))
  const own = shallowRef<Spot | null>(null)

  function choose(wanted: Mode) {
    mode.value = mode.value === wanted ? 'none' : wanted
  }

  /* Told at most once per frame. */
  let pending: { x: number; y: number; on: boolean } | null = null
  let frame = 0
  let told = false
  function tell() {
    frame = 0
    if (!pending) return
    const on = pending.on && (lasers.value || link.presenting || mode.value === 'point')
    if (on) link.board.point(pending.x, pending.y, pen().page, lasers.value)
    else if (told) link.board.pointNoMore()
    told = on
    own.value = on && lasers.value ? pending : null
  }
  function hover(x: number, y: number, on: boolean) {
    pending = { x, y, on }
    frame ||= requestAnimationFrame(tell)
  }
  watch([mode, held], () => (frame ||= requestAnimationFrame(tell)))
  watch(
    () => link.presenting,
    (presenting) => {
      // the server has taken the pointer of who presented away
      if (!presenting) told = false
      if (presenting && mode.value === 'point') mode.value = 'none'
    },
  )

  let drawing: { id: number; x: number; y: number } | null = null
  function down(event: PointerEvent) {
    const at = toPicture(event)
    if (!draws.value || event.button !== 0 || drawing || !at) return
    ;(event.currentTarget as HTMLElement).setPointerCapture(event.pointerId)
    drawing = { id: event.pointerId, x: event.clientX, y: event.clientY }
    link.board.begin({ ...pen(), fades: mode.value === 'fading' })
    link.board.draw(at.x, at.y)
  }
  function move(event: PointerEvent) {
    if (drawing?.id !== event.pointerId) return
    const all = event.getCoalescedEvents?.() ?? []
    for (const one of all.length ? all : [event]) {
      const at = toPicture(one)
      if (!at || Math.hypot(one.clientX - drawing.x, one.clientY - drawing.y) < NEAR_PX) continue
      Object.assign(drawing, { x: one.clientX, y: one.clientY })
      link.board.draw(at.x, at.y)
    }
  }
  function up(event: PointerEvent) {
    if (drawing?.id !== event.pointerId) return
    drawing = null
    link.board.end()
  }

  const BY_KEY: Record<string, Mode> = { i: 'point', b: 'pen', B: 'fading' }
  function keydown(event: KeyboardEvent) {
    const { key, ctrlKey, metaKey, altKey, isComposing, repeat } = event
    const box = view()
    if (event.defaultPrevented || ctrlKey || metaKey || altKey || isComposing || !box) return
    if (!isPictures(event.target, box)) return
    if (key === 'Escape' && mode.value !== 'none') {
      mode.value = 'none'
      // it closes nothing besides
      event.preventDefault()
      event.stopImmediatePropagation()
    } else if (key.toLowerCase() === 'x') held.value = true
    else if (BY_KEY[key] && !repeat && !(key === 'i' && link.presenting)) choose(BY_KEY[key])
  }
  function keyup({ key }: KeyboardEvent) {
    if (key.toLowerCase() === 'x') held.value = false
  }
  const letGo = () => (held.value = false)
  onMounted(() => {
    window.addEventListener('keydown', keydown, { capture: true })
    window.addEventListener('keyup', keyup)
    window.addEventListener('blur', letGo)
  })
  onBeforeUnmount(() => {
    window.removeEventListener('keydown', keydown, { capture: true })
    window.removeEventListener('keyup', keyup)
    window.removeEventListener('blur', letGo)
    cancelAnimationFrame(frame)
    link.board.end()
    if (told) link.board.pointNoMore()
  })

  return { mode, takesOver, draws, own, choose, hover, down, move, up }
}
