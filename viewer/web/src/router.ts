import { createRouter, createWebHistory } from 'vue-router'
import { useSession } from './account/session'
import { keepLayers } from './ui/layers'
import { locked } from './ui/locked'

declare module 'vue-router' {
  interface RouteMeta {
    open?: boolean
    right?: string
  }
}

const withLayers = keepLayers()
export const router = createRouter({
  history: createWebHistory(),
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  routes: [
    { path: '/login', name: 'login', component: () => import('./account/LoginPage.vue'), meta: { open: true } },
    { path: '/room/:id', name: 'room', component: () => import('./room/RoomPage.vue'), props: true },
    {
      path: '/',
      name: 'frame',
      component: () => import('./layout/AppLayout.vue'),
      children: [
        { path: '', redirect: '/requests' },
        { path: 'requests', name: 'requests', component: () => import('./requests/ListPage.vue') },
        {
          path: 'requests/new',
          name: 'request-new',
          component: () => import('./requests/FormPage.vue'),
          meta: { right: 'request.create' },
        },
        { path: 'requests/:id', name: 'request', component: () => import('./requests/DetailPage.vue'), props: true },
        {
          path: 'requests/:id/edit',
          name: 'request-edit',
          component: () => import('./requests/FormPage.vue'),
          props: true,
        },
        {
          path: 'requests/:id/report',
          name: 'report',
          component: () => import('./reports/ReportPage.vue'),
          props: true,
        },
        { path: 'directory', name: 'directory', component: () => import('./admin/DirectoryPage.vue') },
        {
          path: 'minutes',
          name: 'minutes',
          component: () => import('./minutes/MinutesPage.vue'),
          meta: { right: 'minutes.read' },
        },
        {
          path: 'admin/quality',
          name: 'quality',
          component: () => import('./admin/QualityPage.vue'),
          meta: { right: 'room.moderate|config.manage' },
        },
        { path: 'password', name: 'password', component: () => import('./account/PasswordPage.vue') },
      ],
    },
    { path: '/:rest(.*)*', name: 'missing', component: () => import('./layout/MissingPage.vue'), meta: { open: true } },
  ],
})

withLayers(router)
router.beforeEach(async (to) => {
  // the browser's own buttons lead nowhere from a locked page
  if (locked.value) return false
  if (to.meta.open) return true
  const session = useSession()
  if (!session.user) await session.restore()
  if (!session.user) return { name: 'login', query: { next: to.fullPath } }
  if (to.meta.right && !session.may(to.meta.right)) return { name: 'requests' }
  return true
})
