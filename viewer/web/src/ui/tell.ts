/* Short messages and questions, with their styles. */
import { ElMessage, ElMessageBox, type MessageHandler } from 'element-plus'
import 'element-plus/es/components/message/style/css'
import 'element-plus/es/components/message-box/style/css'
import { Standing } from './standing'

// not Element Plus's own limit, by which what is told fourth is left out without a word
// on a phone a third one would lie over the tabs of a panel
const narrow = () => window.innerWidth <= 600
const standing = new Standing<MessageHandler>(() => (narrow() ? 2 : 3))

export function tell(
  text: string,
  type: 'success' | 'info' | 'warning' | 'error',
  duration: number,
  showClose: boolean,
): void {
  const handler = ElMessage({
    message: text,
    type,
    duration,
    showClose,
    grouping: true,
    offset: narrow() ? 8 : 16,
    onClose: () => standing.gone(handler),
  })
  standing.add(handler)
}

export function tellGood(text: string): void {
  tell(text, 'success', 2500, false)
}

/** Neither good nor bad, long enough to be read on a page that has just come. */
export function tellInPassing(text: string): void {
  tell(text, 'info', 6000, true)
}

/** Stays until it has been read. */
export function tellBad(text: string): void {
  tell(text, 'error', 8000, true)
}

/** Yes or no. */
export async function ask(text: string, title: string, yes: string, no: string, danger = false): Promise<boolean> {
  try {
    await ElMessageBox.confirm(text, title, {
      confirmButtonText: yes,
      cancelButtonText: no,
      type: danger ? 'warning' : 'info',
      autofocus: !danger,
      confirmButtonClass: danger ? 'el-button--danger ask-yes' : 'ask-yes',
      customClass: 'ask',
    })
    return true
  } catch {
    return false
  }
}
