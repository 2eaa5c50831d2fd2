/* The slides of a request, as a tray of them lies beside the microscope. */
import { reactive } from 'vue'
import type { FileInfo } from '@/api/types'
import { canOpen } from '@/requests/state'

/** Files that were open since the page was loaded. */
export const lookedAt = reactive(new Set<string>())

/** A request's slides in the order of their names, as a person counts. */
export function slidesOf(files: readonly FileInfo[]): FileInfo[] {
  return files
    .filter((file) => file.kind === 'slide')
    .sort((a, b) => a.name.localeCompare(b.name, 'zh-CN', { numeric: true }) || (a.id < b.id ? -1 : 1))
}

/** The one so many places on that can be opened; null at the end. */
export function besides(slides: readonly FileInfo[], open: string, by: number): FileInfo | null {
  const can = slides.filter((file) => canOpen(file) || file.id === open)
  const at = can.findIndex((file) => file.id === open)
  return (at >= 0 && can[at + by]) || null
}
