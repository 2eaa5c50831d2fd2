/* Short messages and questions, with their styles. */
import { ElMessage, ElMessageBox } from 'element-plus'
import 'element-plus/es/components/message/style/css'
import 'element-plus/es/components/message-box/style/css'

export function tellGood(text: string): void {
  ElMessage.success({ message: text, duration: 2500 })
}

/** Neither good nor bad, long enough to be read on a page that has just come. */
export function tellInPassing(text: string): void {
  ElMessage.info({ message: text, duration: 6000, showClose: true })
}

/** Stays until it has been read. */
export function tellBad(text: string): void {
  ElMessage.error({ message: text, duration: 8000, showClose: true })
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
