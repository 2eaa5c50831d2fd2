import { onBeforeUnmount, type Ref } from 'vue'
import { keep, takeKept } from '@/ui/kept'
import { useSession } from './session'

/** A text that is sent by hand: when the login ends before that, it is there again after the next one. `sent`: what the server has. */
export function useKeptText(key: string, text: Ref<string>, sent: () => string): void {
  const session = useSession()
  const user = session.user?.id ?? ''
  text.value = takeKept<string>(user, key) ?? text.value
  onBeforeUnmount(() => {
    if (!session.user && text.value !== sent()) keep(user, key, text.value)
  })
}
