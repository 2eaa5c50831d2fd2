import { defineStore } from 'pinia'
import { api, setCsrf } from '@/api/client'
import { Problem } from '@/api/problem'
import type { Session, User } from '@/api/types'
import { forgetKept, keptFor } from '@/ui/kept'

export const useSession = defineStore('session', {
  state: () => ({ user: null as User | null }),
  getters: {
    /** A right, or one of several: "room.moderate|config.manage". */
    may: (state) => (right: string) => right.split('|').some((one) => state.user?.rights.includes(one) ?? false),
  },
  actions: {
    accept(session: Session) {
      setCsrf(session.csrf)
      keptFor(session.user.id)
      this.user = session.user
    },
    forget() {
      setCsrf('')
      this.user = null
    },
    async login(username: string, password: string) {
      this.accept(await api.post<Session>('/api/v1/login', { username, password }))
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
    },
    /** Somebody is typing or pointing. */
    async touch() {
      if (this.user) await api.get<Session>('/api/v1/session')
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
