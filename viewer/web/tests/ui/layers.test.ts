import { createRouter, createMemoryHistory } from 'vue-router'
import { effectScope, nextTick, ref } from 'vue'
import { expect, test } from 'vitest'
import { Layers, keepLayers, useLayer } from '@/ui/layers'

interface Entry {
  position: number
  layer?: number
}
/** A browser's history as far as it matters: entries, steps that arrive later, the router's listener behind ours. */
class Browser extends EventTarget {
  entries: Entry[] = [{ position: 0 }]
  at = 0
  /** where the router was told to go */
  routed: number[] = []
  readonly history: History
  constructor() {
    super()
    const state = () => ({ ...this.entry })
    this.history = {
      get state() {
        return state()
      },
      pushState: (state: Entry) => {
        this.entries.splice(++this.at, Infinity, { ...state })
      },
      go: (by: number) => {
        setTimeout(() => {
          this.at += by
          this.dispatchEvent(new Event('popstate'))
        })
      },
    } as unknown as History
  }
  get entry(): Entry {
    return this.entries[this.at] ?? { position: -1 }
  }
  route() {
    this.addEventListener('popstate', () => this.routed.push(this.entry.position))
  }
  async back() {
    this.history.go(-1)
    await pause()
  }
}
const pause = () => new Promise((resolve) => setTimeout(resolve, 20))
const setUp = () => {
  const browser = new Browser()
  const layers = new Layers(browser as unknown as Window)
  browser.route()
  const closed: string[] = []
  return { browser, layers, closed, add: (name: string) => layers.add(() => closed.push(name)) }
}

test('Back closes what lies on top, and the page beneath stays', async () => {
  const { browser, closed, add } = setUp()
  add('panel')
  add('picture')
  expect(browser.entries.map((one) => one.layer)).toEqual([undefined, 1, 2])
  await browser.back()
  expect(closed).toEqual(['picture'])
  await browser.back()
  expect(closed).toEqual(['picture', 'panel'])
  expect([browser.at, browser.routed]).toEqual([0, []])
})

test('what was closed by its own button leaves nothing for Back to do', async () => {
  const { browser, layers, closed, add } = setUp()
  browser.entries = [{ position: 0 }, { position: 1 }]
  browser.at = 1
  layers.settle()
  add('picture')()
  await pause()
  expect([browser.at, browser.routed]).toEqual([1, []])
  await browser.back()
  expect([browser.at, browser.routed, closed]).toEqual([0, [0], []])
})

test('one that takes the place of another in the same moment is closed by one Back', async () => {
  const { browser, closed, add } = setUp()
  const panel = add('panel')
  panel()
  add('picture')
  await pause()
  expect([browser.at, browser.entry.layer]).toEqual([1, 1])
  await browser.back()
  expect([browser.at, browser.routed, closed]).toEqual([0, [], ['picture']])
})

test('going on elsewhere waits until the page has its own entry, and a page that stays has its layers again', async () => {
  const { browser, layers, closed, add } = setUp()
  add('dialog')
  await layers.rest()
  expect([browser.at, browser.routed]).toEqual([0, []])
  layers.settle(true)
  expect(browser.entry).toEqual({ position: 0, layer: 1 })
  await browser.back()
  expect(closed).toEqual(['dialog'])
})

test('another page is the router’s, also when it was refused and the browser comes back', async () => {
  const { browser, layers, closed, add } = setUp()
  browser.entries = [{ position: 0 }, { position: 1 }]
  browser.at = 1
  layers.settle()
  await browser.back()
  await layers.rest()
  layers.settle(true) // the form asked, and its writer stayed
  browser.history.go(1)
  await pause()
  expect(browser.routed).toEqual([0, 1])
  add('picture')
  await browser.back()
  expect([browser.at, browser.routed, closed]).toEqual([1, [0, 1], ['picture']])
})

test('an entry whose layer is gone, as after a reload, is passed over', async () => {
  const browser = new Browser()
  browser.entries = [{ position: 0 }, { position: 0, layer: 1 }]
  browser.at = 1
  const layers = new Layers(browser as unknown as Window)
  browser.route()
  layers.settle()
  await pause()
  expect([browser.at, browser.routed]).toEqual([0, []])
  browser.history.go(1)
  await pause()
  await pause()
  expect([browser.at, browser.routed]).toEqual([0, []])
})

test('the router goes on only after that', async () => {
  const browser = new Browser()
  const page = { render: () => null }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/', component: page },
      { path: '/b', component: page },
    ],
  })
  keepLayers(browser as unknown as Window)(router)
  await router.push('/')
  await nextTick()
  const open = ref(true)
  const scope = effectScope()
  scope.run(() =>
    useLayer(
      () => open.value,
      () => (open.value = false),
    ),
  )
  expect(browser.entry.layer).toBe(1)
  let where = -1
  router.beforeResolve(() => {
    where = browser.at
  })
  await router.push('/b')
  expect(where).toBe(0)
  open.value = false
  await nextTick()
  await pause()
  expect(browser.at).toBe(0)
  scope.stop()
})
