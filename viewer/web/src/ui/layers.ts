/*
 * What lies over a page (a picture over the whole screen, a dialog, a phone's panel) is closed by the Back key, as on a
 * phone everything is, and the page beneath stays. Each such layer has one entry in the browser's history, with the
 * page's own address and its number from below (`layer`). The router never hears of these entries: it navigates only
 * after they are gone (`rest`), and what is still open then has its own again (`settle`).
 */
import { nextTick, onScopeDispose, watch } from 'vue'
import { NavigationFailureType, isNavigationFailure, type Router } from 'vue-router'

/** A step that the browser never took is not waited for any longer. */
const GIVE_UP_MS = 5000

type Place = Pick<Window, 'history' | 'addEventListener'>
/** `position` is the router's: the same for a page and what lies over it. */
type State = { position?: number; layer?: number } | null

export class Layers {
  private open: { close: () => void }[] = []
  private resting = false
  /** The router takes a refused step back itself, and waits for it. */
  private returning = false
  private position: number | undefined
  /** A step of our own that has not arrived; ends it. */
  private step: (() => void) | null = null
  private waiting: (() => void)[] = []

  constructor(private readonly place: Place) {
    this.position = this.state?.position
    place.addEventListener('popstate', (event) => this.popped(event))
  }

  /** Over all others; returns what takes it away again. `close` is called when somebody goes back. */
  add(close: () => void): () => void {
    const layer = { close }
    this.open.push(layer)
    this.match()
    return () => {
      if (!this.open.includes(layer)) return
      this.open = this.open.filter((one) => one !== layer)
      this.match()
    }
  }

  /** Before the router goes elsewhere: resolves when the page's own entry is the current one. */
  rest(): Promise<void> {
    this.resting = true
    this.match()
    return this.step ? new Promise((resolve) => this.waiting.push(resolve)) : Promise.resolve()
  }

  /** The router is there, or `stayed`. */
  settle(stayed = false): void {
    this.resting = false
    this.returning = stayed && this.state?.position !== this.position
    if (this.returning) return
    this.position = this.state?.position
    this.match()
  }

  private get state(): State {
    return this.place.history.state as State
  }

  /** As many entries as there are layers. */
  private match(): void {
    if (this.step) return // again when it has arrived
    const wanted = this.resting ? 0 : this.open.length
    const { history } = this.place
    let depth = this.state?.layer ?? 0
    while (depth < wanted) history.pushState({ ...this.state, layer: ++depth }, '')
    if (depth === wanted) return this.waiting.splice(0).forEach((go) => go())
    const timer = setTimeout(() => this.arrived(), GIVE_UP_MS)
    this.step = () => clearTimeout(timer)
    history.go(wanted - depth)
  }

  private arrived(): void {
    this.step?.()
    this.step = null
    // a step that was given up is not tried again while somebody waits for it
    if (this.waiting.length) this.waiting.splice(0).forEach((go) => go())
    else this.match()
  }

  private popped(event: Event): void {
    const state = this.state
    if (this.returning) {
      this.returning = false
      return queueMicrotask(() => this.match())
    }
    if (!this.step && (this.resting || state?.position !== this.position)) return // another page: the router's
    event.stopImmediatePropagation()
    if (this.step) return this.arrived()
    for (const layer of this.open.splice(state?.layer ?? 0).reverse()) layer.close()
    this.match()
  }
}

let layers: Layers | null = null

/** Called before the router's history is made: of two listeners of one window the first comes first. Returns what is to be told of the router. */
export function keepLayers(place: Place = window): (router: Router) => void {
  const made = (layers = new Layers(place))
  return (router) => {
    router.beforeEach(() => made.rest())
    router.afterEach((_to, _from, failure) => {
      // the newer one that took its place settles
      if (isNavigationFailure(failure, NavigationFailureType.cancelled)) return
      const stayed = isNavigationFailure(failure, NavigationFailureType.aborted)
      // what lay over the page that was left is gone by then
      void nextTick(() => made.settle(stayed))
    })
    router.onError(() => made.settle())
  }
}

/** While `isOpen`, the Back key calls `close`; for as long as the calling component lives. */
export function useLayer(isOpen: () => boolean, close: () => void): void {
  let takeAway: (() => void) | undefined
  const end = () => {
    takeAway?.()
    takeAway = undefined
  }
  watch(
    isOpen,
    (open) => {
      if (!open) end()
      else takeAway ??= layers?.add(close)
    },
    { immediate: true },
  )
  onScopeDispose(end)
}
