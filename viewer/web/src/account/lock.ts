/*
 * The page locks itself when its login has ended: it hides everything, keeps what was typed in memory, and asks for the password of the same
 * person. Whoever else logs in begins with a fresh page.
 */
import { reactive } from 'vue'
import { api, setUnauthorizedHandler } from '@/api/client'
import { watchHands } from '@/ui/alive'
import { setLocked, unlocked } from '@/ui/locked'
import { type Answer, IdleWatch, type Soon, type Why } from './idle'
import { setLoginHandler, useSession } from './session'
import { hearTabs, tellTabs } from './tabs'

export const lock = reactive({
  /** why it is locked; null: it is not */
  why: null as Why | null,
  /** hidden until the server has answered */
  checking: false,
  /** it will be */
  soon: null as Soon | null,
})

let watching: IdleWatch | null = null

function show(why: Why | null, checking: boolean): void {
  lock.soon = null
  lock.why = why
  lock.checking = checking
  setLocked(why !== null || checking)
}

async function told(ask: () => Promise<Answer>): Promise<Answer> {
  const answer = await ask()
  // another tab may have warned, too
  if (typeof answer === 'object') tellTabs('here')
  return answer
}

function makeWatch(): IdleWatch {
  const session = useSession()
  return new IdleWatch(
    { look: () => session.look(), report: (ago) => told(() => session.report(ago)) },
    {
      soon: (soon) => (lock.soon = soon),
      cover: () => show(lock.why, true),
      uncover: () => show(null, false),
      lock: (why) => show(why, false),
    },
  )
}

/** In a locked tab: somebody logged in elsewhere. Where it is the same person, this page is his again. */
async function look(): Promise<void> {
  if (!lock.why) return watching?.check()
  const answer = await useSession().look()
  if (typeof answer !== 'object') return
  show(null, false)
  watching?.begin(answer)
}

/** The password was right: one is where one was. */
export async function unlock(password: string): Promise<void> {
  const session = useSession()
  await session.login(session.user?.username ?? '', password)
  show(null, false)
}

/** Another person: nothing of this page stays, and the browser does not ask for what the former one left. */
export async function giveWay(): Promise<void> {
  await api.post('/api/v1/logout').catch(() => undefined)
  for (const store of [localStorage, sessionStorage]) store.clear()
  window.addEventListener('beforeunload', (event) => event.stopImmediatePropagation(), { capture: true })
  location.replace('/login')
}

/** Somebody is still there, by a way that is no sign of hands. */
export function stillHere(): void {
  watching?.sign()
}

/** For the whole app, once. */
export function watchLogin(): void {
  const session = useSession()
  const watch = (watching = makeWatch())
  setLoginHandler((lasts) => (lasts ? watch.begin(lasts) : watch.end()))
  watchHands(window, () => watch.sign())
  hearTabs((word) => {
    // who was only told that somebody is there has time to ask
    if (word !== 'here' || lock.soon || lock.why) void look()
  })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState !== 'visible') return
    if (lock.why) void look()
    else watch.tick()
  })
  setUnauthorizedHandler(async () => {
    if (!session.user) return false
    if (!lock.why) await watch.check(true)
    await unlocked()
    return true
  })
}
