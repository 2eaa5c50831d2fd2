import { defineStore } from 'pinia'
import { api, setCsrf } from '@/api/client'
import { Problem } from '@/api/problem'
import type { Session, User } from '@/api/types'
import { setZone } from '@/ui/format'
import { forgetKept, keptFor } from '@/ui/kept'
import type { Answer, Lasts } from './idle'
import { tellTabs } from './tabs'

let onLogin: (lasts: Lasts | null) => void = () => undefined
/** Called with every login of this page, also one that was found, and with null when there is none any more. */
export function setLoginHandler(handler: typeof onLogin): void {
  onLogin = handler
}

export const useSession = defineStore('session', {
  state: () => ({ user: null as User | null }),
  getters: {
    /** A right, or one of several: "room.moderate|config.manage". */
    may: (state) => (right: string) => right.split('|').some((one) => state.user?.rights.includes(one) ?? false),
  },
  actions: {
    accept(session: Session) {
      setCsrf(session.csrf)
      setZone(session.zone_minutes)
      keptFor(session.user.id)
      this.user = session.user
      onLogin(session)
    },
    forget() {
      setCsrf('')
      this.user = null
      onLogin(null)
    },
    async login(username: string, password: string) {
      this.accept(await api.post<Session>('/api/v1/login', { username, password }))
      tellTabs('in')
    },
    /** After a reload: the cookie is still there, the CSRF token is not. */
    async restore() {
      try {
        this.accept(await api.get<Session>('/api/v1/session'))
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        this.forget()
      }
    },
    async logout() {
      try {
        await api.post('/api/v1/logout')
      } catch (error) {
        // the browser may drop the answer while it clears the site's data: what counts is that the session has ended
        if (!(await this.ended())) throw error
      }
      forgetKept()
      this.forget()
      tellTabs('out')
    },
    /** Whether this person's login lasts, in whichever tab it was made. */
    async look(): Promise<Answer> {
      try {
        const session = await api.get<Session>('/api/v1/session')
        if (session.user.id !== this.user?.id) return 'ended'
        setCsrf(session.csrf)
        return session
      } catch (error) {
        return error instanceof Problem && error.status === 401 ? 'ended' : 'unknown'
      }
    },
    /** Somebody typed or pointed so many milliseconds ago. */
    async report(ago: number): Promise<Answer> {
      try {
        return await api.post<Session>('/api/v1/session/activity', { ago_ms: Math.max(0, Math.round(ago)) })
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        // the token is of an earlier login in this browser
        if (error.status === 403) await this.look()
        return error.status === 401 ? 'ended' : 'unknown'
      }
    },
    async ended(): Promise<boolean> {
      try {
        await api.get<Session>('/api/v1/session')
        return false
      } catch (error) {
        return error instanceof Problem && error.status === 401
      }
    },
  },
})
