import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { watchLogin } from './account/lock'
import { i18n } from './i18n'
import { router } from './router'
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
const app = createApp(App).use(createPinia()).use(i18n)
// before the router: its first step looks for a login
watchLogin()
app.use(router).mount('#app')
