/*
 * Urgent requests that wait for an expert, told on whatever page he is: a bar, the tab's title, a sound once, and where he allowed it a
 * notification of the browser. Nothing of the patient leaves the page.
 */
import { onBeforeUnmount, shallowRef, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRouter } from 'vue-router'
import { useSession } from '@/account/session'
import { sessionEnded } from '@/api/client'
import { onUnlock } from '@/ui/locked'
import { ring } from '@/ui/ring'
import { Bell } from './told'
import { sharedWatch, type Waiting } from './watch'

const TOLD = 'consilium.urgent.told'
const ASKED = 'urgent_asked=1'

function toldBefore(): Set<string> {
  try {
    return new Set(JSON.parse(sessionStorage.getItem(TOLD) ?? '[]') as string[])
  } catch {
    return new Set()
  }
}
function rememberTold(ids: string[]): void {
  try {
    sessionStorage.setItem(TOLD, JSON.stringify(ids))
  } catch {
    // rings again after a reload
  }
}

/** What waits now; empty for who is neither an expert nor of the centre. */
export const waiting = shallowRef<readonly Waiting[]>([])

const canNotify = () => 'Notification' in window && window.isSecureContext
/** Whether to offer notifications: once in this browser (a cookie outlives the logout, which clears its storage). */
export const mayAsk = shallowRef(
  canNotify() && Notification.permission === 'default' && !document.cookie.includes(ASKED),
)

export async function answerAsk(yes: boolean): Promise<void> {
  mayAsk.value = false
  document.cookie = `${ASKED}; Max-Age=31536000; Path=/; SameSite=Lax`
  if (yes) await Notification.requestPermission()
}

function notify(title: string, body: string, tag: string, open: () => void): void {
  if (!canNotify() || Notification.permission !== 'granted') return
  try {
    const notice = new Notification(title, { body, tag })
    notice.onclick = () => {
      window.focus()
      notice.close()
      open()
    }
  } catch {
    // phones know them only with a service worker
  }
}

/** For the whole app: listens while an expert or an administrator of the centre is logged in. */
export function useBell(): void {
  const session = useSession()
  const router = useRouter()
  const { t } = useI18n()
  const bell = new Bell(
    toldBefore(),
    (fresh) => {
      void ring()
      for (const one of fresh)
        notify(t('urgent.waiting'), t('urgent.from', { hospital: one.hospital, number: one.number }), one.id, () => {
          void router.push(`/requests/${one.id}`)
        })
    },
    rememberTold,
  )
  const line = sharedWatch()
  line.onended = async () => {
    if (!session.user) return
    if (!(await session.ended())) return line.reset()
    if (session.may('report.write') || session.may('request.review'))
      notify(t('urgent.waiting'), t('urgent.unreachable'), 'unreachable', () => undefined)
    sessionEnded()
  }
  let stop: () => void = () => undefined
  watch(
    () => (session.may('report.write') || session.may('request.review')) && session.user?.id,
    (waits) => {
      stop()
      stop = () => undefined
      waiting.value = []
      line.reset()
      if (!waits) return
      stop = line.listen((now) => {
        waiting.value = now
        bell.take(now)
      })
    },
    { immediate: true },
  )
  // the connection was the former login's
  const reopen = onUnlock(() => line.reset())
  onBeforeUnmount(() => {
    stop()
    reopen()
  })
}
