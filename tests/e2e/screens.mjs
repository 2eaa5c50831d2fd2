// Small screens: a low laptop window is no phone, a phone held across gives its height to the slide, and a finger meets what it aims at.
import { Server } from '../lib/server.mjs'
import { Chromium } from './lib/browsers.mjs'
import { approach, login } from './lib/scene.mjs'
import { picture } from './lib/view.mjs'
import { assert, check, equal, finish, until } from '../lib/check.mjs'

const server = new Server({ name: 'screens' })
const camera = { width: 320, height: 180, fps: 10, frames: 20 }
const UPRIGHT = { width: 390, height: 844 }
const ACROSS = { width: 844, height: 390 }
const TOUCH_PX = 44
let laptop, phone, room, request

async function end() {
  for (const who of [laptop, phone]) await who?.close().catch(() => {})
  await server.stop()
  finish()
}

const begun = await check('a consultation with a slide, a laptop and a phone', async () => {
  server.init()
  await server.start()
  const expert = await server.login('expert01')
  const { items } = await expert.get('/api/v1/requests?tab=pending')
  for (const one of items.filter((item) => item.state === 'SCHEDULED')) {
    const whole = await expert.get(`/api/v1/requests/${one.id}`)
    if (whole.files.some((file) => file.kind === 'slide')) request = whole
  }
  room = (await expert.post(`/api/v1/requests/${request.id}/room`)).room
  laptop = await Chromium.launch({
    name: 'laptop',
    colour: 'red',
    tone: 440,
    camera,
    viewport: { width: 1366, height: 590 },
  })
  phone = await Chromium.launch({ name: 'phone', colour: 'blue', tone: 880, camera, viewport: UPRIGHT, mobile: true })
  await login(laptop, server, 'expert01')
  await login(phone, server, 'doctor01')
})
if (!begun) await end()

const isPhone = (who) => who.eval(`document.querySelector('[data-testid="room-stage"]').classList.contains('phone')`)
const staged = (who) => until(`${who.name} being on the stage`, () => who.visible('room-stage'), 20)
const fits = async (who, testid) => {
  const box = await who.page.locator(`[data-testid="${testid}"]`).first().boundingBox()
  const { width, height } = who.page.viewportSize()
  return !!box && box.x >= 0 && box.y >= 0 && box.x + box.width <= width + 0.5 && box.y + box.height <= height + 0.5
}

await check('low windows of a laptop have everything, and a window that is resized is what it is now', async () => {
  await approach(laptop, server, room)
  await laptop.click('room-enter')
  await staged(laptop)
  const has = async (size, asPhone) => {
    await laptop.page.setViewportSize(size)
    const what = `${size.width} × ${size.height}`
    await until(`${what} ${asPhone ? 'as' : 'not as'} a phone`, async () => (await isPhone(laptop)) === asPhone)
    await until(
      `${what}: ${asPhone ? 'no room for' : 'the button for'} the screen`,
      async () => (await laptop.visible('control-screen')) !== asPhone,
    )
    for (const id of ['control-mic', 'control-leave', 'control-panel'])
      await until(`${what}: ${id} in sight`, () => fits(laptop, id))
  }
  await has({ width: 1366, height: 590 }, false)
  await laptop.screenshot('screens-laptop-1366x590.png')
  await has({ width: 1093, height: 500 }, false)
  await has(UPRIGHT, true)
  await has({ width: 1440, height: 900 }, false)
})

await check('a slide on a phone held across has the height, its buttons are in sight', async () => {
  await approach(phone, server, room)
  await phone.click('room-enter')
  await staged(phone)
  const file = request.files.find((one) => one.kind === 'slide').id
  await phone.click('control-panel')
  await phone.page.locator(`[data-testid="room-file"][data-file="${file}"] [data-testid="room-show"]`).click()
  const open = async () => {
    const shown = await picture(phone)
    return shown?.file === file && shown.state === 'open'
  }
  await until('the slide', open, 20)
  for (const [size, share] of [
    [UPRIGHT, 0.55],
    [ACROSS, 0.7],
  ]) {
    await phone.page.setViewportSize(size)
    const least = size.height * share
    const high = async () => (await phone.page.locator('[data-testid="picture"]').first().boundingBox())?.height ?? 0
    await until(`the slide having ${100 * share} % of ${size.height} lines`, async () => (await high()) >= least)
    for (const id of ['control-mic', 'control-leave', 'view-give', 'view-close'])
      await until(`${id} in sight at ${size.width}`, () => fits(phone, id))
    await phone.screenshot(`screens-phone-${size.width}x${size.height}.png`)
  }
  await phone.page.setViewportSize(UPRIGHT)
  await phone.click('view-close')
})

/** What can be pressed and is lower than a finger; a word within a sentence and what is laid over a larger label aside, and what `but` selects. */
const lowTargets = (who, but = 'never') =>
  who.eval(`(() => {
  const small = []
  for (const one of document.querySelectorAll('button, a[href], input, select, textarea, [role="button"], [role="tab"]')) {
    const box = (one.closest('label, .el-input__wrapper, .el-select__wrapper, .el-textarea') ?? one).getBoundingClientRect()
    const style = getComputedStyle(one)
    if (box.width < 2 || style.visibility === 'hidden' || style.opacity === '0' || one.disabled || one.matches('${but}')) continue
    if (style.display === 'inline' || one.closest('p')) continue
    if (box.height < ${TOUCH_PX} - 0.5) small.push([one.dataset.testid ?? one.className, Math.round(box.width), Math.round(box.height), one.textContent.trim().slice(0, 12)].join(' '))
  }
  return [...new Set(small)]
})()`)

const boxOf = async (who, testid) => {
  const box = await who.page.locator(`[data-testid="${testid}"]`).first().boundingBox()
  return box ?? { x: 0, y: 0, width: 0, height: 0 }
}
const cornerOf = (who) => who.eval(`document.querySelector('[data-testid="own-picture"]')?.dataset.corner ?? 'none'`)
const localOf = (who, what) => who.eval(`document.querySelector('[data-testid="local-state"]').dataset.${what}`)

await check("one's own picture is small, is moved, kept inside and put away", async () => {
  await laptop.page.setViewportSize({ width: 1440, height: 900 })
  await until('the corner', async () => (await cornerOf(laptop)) === 'bottom-right', 20)
  assert((await boxOf(laptop, 'own-picture')).width < 240, "one's own picture is no small one")
  await laptop.page.locator('[data-testid="own-picture"]').focus()
  await laptop.page.keyboard.press('ArrowUp')
  await until('the corner above', async () => (await cornerOf(laptop)) === 'top-right')
  const from = await boxOf(laptop, 'own-picture')
  const stage = await boxOf(laptop, 'tiles')
  await laptop.page.mouse.move(from.x + 30, from.y + 60)
  await laptop.page.mouse.down()
  await laptop.page.mouse.move(stage.x + 100, stage.y + stage.height / 2, { steps: 4 })
  await laptop.page.mouse.move(stage.x - 300, stage.y + stage.height + 300, { steps: 4 })
  assert(await fits(laptop, 'own-picture'), 'it was dragged out of the window')
  await laptop.page.mouse.up()
  await until('the corner it was let go in', async () => (await cornerOf(laptop)) === 'bottom-left')
  for (const size of [UPRIGHT, { width: 1093, height: 500 }]) {
    await laptop.page.setViewportSize(size)
    await until(`it being in sight at ${size.width} × ${size.height}`, () => fits(laptop, 'own-picture'))
  }
  await laptop.page.locator('[data-testid="own-picture"]').hover()
  await laptop.click('own-hide')
  await until('it being away', async () => (await cornerOf(laptop)) === 'none')
  await laptop.click('own-show')
  await until('it being back', async () => (await cornerOf(laptop)) === 'bottom-left')
})

await check('keys of the room, but not in a dialog nor once they are switched off', async () => {
  const { keyboard } = laptop.page
  const on = await localOf(laptop, 'mic')
  await keyboard.press('m')
  await until('M switching the microphone', async () => (await localOf(laptop, 'mic')) !== on)
  await keyboard.press('m')
  await until('M switching it back', async () => (await localOf(laptop, 'mic')) === on)
  /* the button keeps the focus, and Space presses it no more */
  const mic = (what, wanted) => until(what, async () => (await localOf(laptop, 'mic')) === wanted)
  if (on === 'false') await keyboard.press('m')
  await laptop.click('control-mic')
  await mic('the button switching it off', 'false')
  for (let i = 0; i < 2; i++) {
    await keyboard.down(' ')
    await mic('Space held', 'true')
    await keyboard.up(' ')
    await mic('Space let go', 'false')
  }
  if (on === 'true') await keyboard.press('m')
  await mic('it being as before', on)
  await keyboard.press('?')
  await until('the list of keys', () => laptop.visible('shortcuts'))
  await keyboard.press('m')
  await laptop.page.locator('[data-testid="shortcuts-characters"]').click()
  await keyboard.press('Escape')
  await until('the list being closed', async () => !(await laptop.visible('shortcuts')))
  await keyboard.press('m')
  await keyboard.press('?')
  await laptop.click('control-settings')
  await laptop.click('settings-keys')
  await until('the list of keys by its button', () => laptop.visible('shortcuts'))
  equal(await localOf(laptop, 'mic'), on, 'the microphone after M in the dialog and switched off')
  await laptop.page.locator('[data-testid="shortcuts-characters"]').click()
  await keyboard.press('Escape')
  await until('the list being closed again', async () => !(await laptop.visible('shortcuts')))
})

await check(`what a finger presses in the room is ${TOUCH_PX} pixels high`, async () => {
  await until('the laptop on the phone', async () => (await phone.probe('tiles()')).length === 1)
  await phone.page.locator('[data-testid="own-picture"]').focus()
  await phone.screenshot('screens-room-390x844.png')
  // what a connection is like stands in full in the list of people
  const low = await lowTargets(phone, '[data-testid="quality"]')
  assert(!low.length, low.join('; '))
  await phone.click('control-leave')
})

await check(`what a finger presses is ${TOUCH_PX} pixels high, on every page of a phone`, async () => {
  const found = []
  for (const [path, testid] of [
    ['/requests', 'menu-open'],
    [`/requests/${request.id}`, 'menu-open'],
    ['/requests/new', 'menu-open'],
    [`/room/${room}`, 'room-enter'],
  ]) {
    await phone.goto(server.url + path)
    await until(`${path} being there`, () => phone.visible(testid), 20)
    await phone.page.waitForLoadState('networkidle')
    const low = await lowTargets(phone)
    if (low.length) found.push(`${path}: ${low.join('; ')}`)
    await phone.screenshot(`screens-touch${path.replace(/\W+/g, '-').slice(0, 14)}.png`)
  }
  assert(!found.length, found.join('\n'))
})

await end()
