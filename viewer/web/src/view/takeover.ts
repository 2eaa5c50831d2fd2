/* Taking the presentation over is asked first: whoever presents is in the middle of a sentence. */
import { useI18n } from 'vue-i18n'
import { ask } from '@/ui/tell'
import type { ViewLink } from './link'

export function useTakeover(link: ViewLink) {
  const { t } = useI18n()
  return {
    mayPresent: () =>
      link.mayPresent((name) => ask(t('view.take_ask', { name }), t('view.take'), t('view.take'), t('word.cancel'))),
  }
}
