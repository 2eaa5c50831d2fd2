/* One of a few choices, remembered on this device for its user. */
import { ref, watch, type Ref } from 'vue'

const nameOf = (what: string, user: string) => `consilium.choice.${what}.${user}`

export function rememberedChoice<T extends string>(what: string, user: string, choices: readonly T[], standard: T): T {
  try {
    const kept = localStorage.getItem(nameOf(what, user))
    return choices.find((one) => one === kept) ?? standard
  } catch {
    return standard
  }
}

/** What is chosen is kept at once; what somebody else's page left there that is no choice is passed over. */
export function useRemembered<T extends string>(
  what: string,
  user: string,
  choices: readonly T[],
  standard: T,
): Ref<T> {
  const choice = ref(rememberedChoice(what, user, choices, standard)) as Ref<T>
  watch(
    choice,
    (now) => {
      try {
        localStorage.setItem(nameOf(what, user), now)
      } catch {
        // a private window: it is remembered until the page is left
      }
    },
    { flush: 'sync' },
  )
  return choice
}
