/* Who stands where on the page, and what is asked of the server for it. The arithmetic is in arrange.ts, paging.ts and corner.ts. */
import { computed, onMounted, onScopeDispose, reactive, ref, watch, type Ref } from 'vue'
import { useRemembered } from '@/ui/remembered'
import type { Tier } from '../call/protocol'
import type { RoomSession } from '../call/session'
import {
  GAP,
  USUAL_SHAPE,
  assignSlots,
  contained,
  gridAround,
  gridCapacity,
  largeTile,
  stageParts,
  stripBeside,
  stripCapacity,
  stripRects,
  tilesOf,
  type Rect,
  type Strip,
  type TileSpec,
} from './arrange'
import { CORNERS, OWN_SIZES, inCorner, isLeft, isTop, ownEdge, type Corner } from './corner'
import { folded, pageOf, withSpeaker } from './paging'
import type { Wish } from './show'

/** So that a cough does not swap pictures. */
const SPEAKER_HOLD_MS = 1500
const WISH_MS = 80
const PHONE_TILES = 4
const NOWHERE: Rect = { x: 0, y: 0, width: 0, height: 0 }

export interface Around {
  user: string
  phone: () => boolean
  /** Something is looked at beside the people. */
  viewing: () => boolean
  tier: Ref<Tier>
}

/** Who spoke last, a moment later. */
function useSpeaker(session: RoomSession) {
  const { state } = session
  const speaker = ref<string | null>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(
    () => state.speaker,
    (now) => {
      clearTimeout(timer)
      if (!now || now === state.me) return
      timer = setTimeout(() => (speaker.value = now), speaker.value ? SPEAKER_HOLD_MS : 0)
    },
  )
  onScopeDispose(() => clearTimeout(timer))
  return speaker
}

/** Which slot shows which tile, and how large it is to be. */
function useSlots(
  session: RoomSession,
  what: { visible: Ref<TileSpec[]>; large: Ref<TileSpec | null>; shapes: Map<string, number>; tier: Ref<Tier> },
) {
  const { visible, large, shapes, tier } = what
  const { state } = session
  const slots = ref(new Map<string, number>())
  const sizes = reactive(new Map<string, { width: number; height: number }>())
  watch(
    [visible, large, () => state.slotVersion, () => session.peer.value],
    () => {
      slots.value = assignSlots(slots.value, visible.value, large.value, session.slotCount)
      const wanting = visible.value.filter((tile) => tile.video).length
      if (wanting > session.slotCount) void session.growSlots(wanting <= 12 ? 12 : wanting <= 20 ? 20 : 30)
    },
    { immediate: true },
  )
  const priorityOf = (tile: TileSpec) =>
    tile === large.value ? 100 : tile.source !== 'camera' ? 90 : tile.participant === state.speaker ? 80 : 50
  function wish() {
    const ratio = window.devicePixelRatio || 1
    const list = visible.value.flatMap((tile): Wish[] => {
      const slot = slots.value.get(tile.key)
      if (slot === undefined) return []
      const known = shapes.get(tile.key)
      const whole = sizes.get(tile.key) ?? { width: 320, height: 180 }
      const size = known ? contained(whole, known) : whole
      const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)]
      return [{ slot, participant: tile.participant, source: tile.source, width, height, priority: priorityOf(tile) }]
    })
    // the first one is the large one: it owns slot 0 wherever one is large
    list.sort((a, b) => Number(b.slot === 0) - Number(a.slot === 0))
    session.show.want(list, tier.value)
  }
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(
    [slots, sizes, shapes, tier, large],
    () => {
      clearTimeout(timer)
      timer = setTimeout(wish, WISH_MS)
    },
    { immediate: true },
  )
  onScopeDispose(() => clearTimeout(timer))
  return { slots, sizes }
}

/** Where one's own picture stands, in coordinates of what holds tiles and view; its corner is another one beside something that is looked at. */
function useOwn(
  around: Around,
  facts: { people: () => number; area: Rect; whole: Rect; strip: () => Strip | null; large: () => Rect | null },
) {
  const { area, whole } = facts
  const size = useRemembered('own', around.user, OWN_SIZES, 'normal')
  const corners = {
    people: useRemembered<Corner>('corner', around.user, CORNERS, 'bottom-right'),
    view: useRemembered<Corner>('corner.view', around.user, CORNERS, around.phone() ? 'top-right' : 'bottom-right'),
  }
  const corner = computed({
    get: () => (around.viewing() ? corners.view : corners.people).value,
    set: (to) => ((around.viewing() ? corners.view : corners.people).value = to),
  })
  const shape = ref(USUAL_SHAPE)
  const floats = computed(() => facts.people() > 0 || around.viewing())
  const hidden = computed(() => floats.value && size.value === 'hidden')
  const inStage = (rect: Rect): Rect => ({ ...rect, x: rect.x + area.x, y: rect.y + area.y })
  /** It stands at the strip's end, and takes nobody's place. */
  const onStrip = computed(() => {
    const strip = facts.strip()
    if (!strip || !floats.value || (around.phone() && !around.viewing())) return false
    if (strip.vertical) return !isLeft(corner.value)
    return around.viewing() === isTop(corner.value)
  })
  const rect = computed<Rect>(() => {
    if (!floats.value) return area
    const edge = ownEdge(around.phone(), size.value)
    const strip = facts.strip()
    if (onStrip.value && strip) return inCorner(shape.value, edge, corner.value, inStage(strip), 0)
    const within = around.viewing() ? whole : inStage(facts.large() ?? { ...area, x: 0, y: 0 })
    return inCorner(shape.value, edge, corner.value, within, GAP)
  })
  const atStart = computed(() => (facts.strip()?.vertical ? isTop(corner.value) : isLeft(corner.value)))
  return { size, corner, shape, floats, hidden, onStrip, atStart, rect }
}

export function useArranging(session: RoomSession, around: Around) {
  const { state } = session
  const { phone, viewing } = around
  const mode = useRemembered('layout', around.user, ['grid', 'stage'] as const, 'grid')
  const pinned = ref<string | null>(null)
  const area = reactive<Rect>({ ...NOWHERE })
  const whole = reactive<Rect>({ ...NOWHERE })
  /** Of the pictures, as they came last. */
  const shapes = reactive(new Map<string, number>())

  const everything = computed(() => tilesOf(state.people))
  const both = computed(() => folded(everything.value, pinned.value))
  const tiles = computed(() => both.value.tiles)
  const speaker = useSpeaker(session)
  /** Of those who have a tile: who speaks without a picture is seen among the chips. */
  const shownSpeaker = ref<string | null>(null)
  watch([speaker, tiles], () => {
    if (tiles.value.some((tile) => tile.participant === speaker.value)) shownSpeaker.value = speaker.value
  })
  const large = computed(() =>
    viewing() ? null : largeTile(tiles.value, { pinned: pinned.value, speaker: shownSpeaker.value, mode: mode.value }),
  )
  const rest = computed(() => tiles.value.filter((tile) => tile !== large.value))
  const parts = computed(() => stageParts(area.width, area.height, large.value !== null && rest.value.length > 0))
  const strip = computed<Strip | null>(() => {
    if (viewing()) return { x: 0, y: 0, width: area.width, height: area.height, vertical: area.height > area.width }
    return large.value && rest.value.length > 0 ? parts.value.strip : null
  })
  const own = useOwn(around, {
    people: () => everything.value.length,
    area,
    whole,
    strip: () => strip.value,
    large: () => (large.value ? parts.value.large : null),
  })
  const stripLeft = computed(() =>
    strip.value && own.onStrip.value && !own.hidden.value
      ? stripBeside(strip.value, own.rect.value, own.atStart.value)
      : strip.value,
  )

  /* Pages. The large one is on all of them. */
  const page = ref(0)
  const capacity = computed(() => {
    const most = phone() ? PHONE_TILES : state.limits.video_slots || 30
    const others = large.value ? 1 : 0
    if (stripLeft.value) return Math.max(1, Math.min(most - others, stripCapacity(stripLeft.value)))
    return Math.max(1, Math.min(most, gridCapacity(area.width, area.height)))
  })
  /** Nobody is moved away under the eyes of whoever looks at another page. */
  const brought = ref<string | null>(null)
  watch([speaker, page], () => {
    if (page.value === 0) brought.value = speaker.value
  })
  const order = computed(() => withSpeaker(rest.value, brought.value, capacity.value))
  const shown = computed(() => pageOf(order.value, capacity.value, page.value))
  function turn(by: number) {
    page.value = Math.min(shown.value.pages - 1, Math.max(0, shown.value.page + by))
  }
  watch([viewing, () => large.value !== null], () => (page.value = 0))
  /** Where whoever speaks is, when it is not here. */
  const speaksElsewhere = computed(() => {
    const at = order.value.findIndex((tile) => tile.source === 'camera' && tile.participant === state.speaker)
    const on = at < 0 ? -1 : Math.floor(at / capacity.value)
    return on < 0 || on === shown.value.page ? null : { participant: state.speaker ?? '', page: on }
  })
  const visible = computed(() => [...(large.value ? [large.value] : []), ...shown.value.shown])
  const { slots, sizes } = useSlots(session, { visible, large, shapes, tier: around.tier })

  const shapeOfTile = (tile: TileSpec) => (tile.video ? (shapes.get(tile.key) ?? USUAL_SHAPE) : USUAL_SHAPE)
  const placed = computed<Rect[]>(() => {
    const side = stripLeft.value ? stripRects(shown.value.shown.length, stripLeft.value) : []
    if (large.value) return [parts.value.large, ...side]
    if (viewing()) return side
    const over = own.floats.value && !own.hidden.value
    const { x, y, width, height } = own.rect.value
    return gridAround(
      visible.value.map(shapeOfTile),
      area.width,
      area.height,
      over ? { x: x - area.x, y: y - area.y, width, height } : null,
    )
  })

  /** `.tiles` stands somewhere in the stage, by which one's own picture is placed: over all of it. */
  function measure(tiles: Ref<HTMLElement | null>, stage: Ref<HTMLElement | null>) {
    const look = () => {
      if (!tiles.value || !stage.value) return
      const [inner, outer] = [tiles.value.getBoundingClientRect(), stage.value.getBoundingClientRect()]
      const edge = parseFloat(getComputedStyle(stage.value).paddingLeft) || 0
      const [x, y] = [inner.left - outer.left, inner.top - outer.top]
      Object.assign(area, { x, y, width: inner.width, height: inner.height })
      const [width, height] = [outer.width - 2 * edge, outer.height - 2 * edge]
      Object.assign(whole, { x: edge, y: edge, width, height })
    }
    const observer = new ResizeObserver(look)
    // a view that comes later moves the tiles without changing their size
    const arrivals = new MutationObserver(look)
    onMounted(() => {
      for (const one of [tiles.value, stage.value]) if (one) observer.observe(one)
      if (stage.value) arrivals.observe(stage.value, { childList: true })
    })
    watch([viewing, phone], look, { flush: 'post' })
    onScopeDispose(() => {
      observer.disconnect()
      arrivals.disconnect()
    })
  }

  function arrange(to: 'grid' | 'stage') {
    if (to === 'grid') pinned.value = null
    mode.value = to
  }
  return {
    mode,
    arrange,
    pinned,
    /** Whether one is large whatever is chosen. */
    forced: computed(() => viewing() || tiles.value.some((tile) => tile.source !== 'camera')),
    equal: computed(() => large.value === null),
    tiles,
    chips: computed(() => both.value.chips),
    visible,
    placed,
    slots,
    sizes,
    shapes,
    own,
    area,
    whole,
    page: computed(() => shown.value.page),
    pages: computed(() => shown.value.pages),
    goTo: (to: number) => (page.value = to),
    turn,
    measure,
    speaksElsewhere,
  }
}

export type Arranging = ReturnType<typeof useArranging>
