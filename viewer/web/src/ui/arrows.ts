/** Keyboard of tabs and radio buttons that are plain buttons: arrows, Home and End go to another one of the same role and choose it, as people who do without a mouse expect. For `@keydown` of what holds them; only the chosen one has tabindex 0. */
export function chooseByArrows(event: KeyboardEvent) {
  const from = (event.target as HTMLElement).closest<HTMLElement>('[role=tab], [role=radio]')
  if (!from || event.ctrlKey || event.altKey || event.metaKey) return
  const all = [
    ...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(`[role=${from.getAttribute('role')}]`),
  ]
  const at = all.indexOf(from)
  const last = all.length - 1
  const to = {
    ArrowLeft: at === 0 ? last : at - 1,
    ArrowUp: at === 0 ? last : at - 1,
    ArrowRight: at === last ? 0 : at + 1,
    ArrowDown: at === last ? 0 : at + 1,
    Home: 0,
    End: last,
  }[event.key]
  if (to === undefined) return
  event.preventDefault()
  all[to]?.focus()
  all[to]?.click()
}
