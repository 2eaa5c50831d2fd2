import { onBeforeUnmount, onMounted, type Ref } from 'vue'

/** What lies over the whole page (role="dialog", a child of <body>) has the keyboard for itself: it gets the focus, Tab stays inside, the page behind cannot be reached, and the focus goes back to where it was. */
export function useModal(box: Ref<HTMLElement | null>) {
  let before: Element | null = null
  const behind: Element[] = []
  onMounted(() => {
    before = document.activeElement
    for (const other of document.body.children)
      if (other !== box.value && !other.hasAttribute('inert') && !/^(SCRIPT|STYLE|NOSCRIPT)$/.test(other.tagName)) {
        other.setAttribute('inert', '')
        behind.push(other)
      }
    box.value?.focus()
  })
  onBeforeUnmount(() => {
    for (const other of behind) other.removeAttribute('inert')
    if (before instanceof HTMLElement && before.isConnected) before.focus()
  })
}
