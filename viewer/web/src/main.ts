import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { useSession } from './account/session'
import { i18n } from './i18n'
import { router } from './router'
import { keepAlive } from './ui/alive'
import { keepClean } from './ui/text'
import { catchStrayFiles } from './uploads/stray'
import './ui/theme.css'

document.documentElement.lang = (i18n.global.locale as unknown as { value: string }).value
keepClean(window)
catchStrayFiles(window, async (nearby) => {
  const { tellBad } = await import('./ui/tell')
  const { t } = i18n.global as unknown as { t: (key: string) => string }
  tellBad(t(`request.upload.${nearby ? 'stray' : 'stray_nowhere'}`))
})
createApp(App).use(createPinia()).use(i18n).use(router).mount('#app')
keepAlive(window, () => useSession().touch())
