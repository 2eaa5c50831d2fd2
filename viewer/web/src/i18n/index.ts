import { createI18n } from 'vue-i18n'
import { common } from './common'
import { accountMessages } from '@/account/messages'
import { roomMessages } from '@/room/messages'
import { viewMessages } from '@/view/messages'
import { dicomMessages } from '@/dicom/messages'
import { ecgMessages } from '@/ecg/messages'
import { besideMessages } from '@/view/beside/messages'
import { lensMessages } from '@/view/lens/messages'
import { marksMessages } from '@/view/marks/messages'
import { requestMessages } from '@/requests/messages'
import { reportMessages } from '@/reports/messages'
import { minutesMessages } from '@/minutes/messages'
import { adminMessages } from '@/admin/messages'

export type Locale = 'zh-CN' | 'en'
const STORAGE = 'consilium.locale'

const parts = [
  common,
  accountMessages,
  roomMessages,
  viewMessages,
  dicomMessages,
  ecgMessages,
  besideMessages,
  lensMessages,
  marksMessages,
  requestMessages,
  reportMessages,
  minutesMessages,
  adminMessages,
]

function merged(locale: 'zh' | 'en'): Record<string, unknown> {
  return Object.assign({}, ...parts.map((part) => part[locale])) as Record<string, unknown>
}

function stored(): Locale {
  try {
    return localStorage.getItem(STORAGE) === 'en' ? 'en' : 'zh-CN'
  } catch {
    return 'zh-CN'
  }
}

export const i18n = createI18n({
  legacy: false,
  locale: stored(),
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': merged('zh'), en: merged('en') } as never,
})

export function setLocale(locale: Locale): void {
  ;(i18n.global.locale as unknown as { value: string }).value = locale
  document.documentElement.lang = locale
  try {
    localStorage.setItem(STORAGE, locale)
  } catch {
    // private windows keep the choice for this page only
  }
}
