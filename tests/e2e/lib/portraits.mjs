// People for the screenshots of the room: drawn doctors who nod and blink, as Y4M films for Chromium's fake camera.
import { openSync, writeSync, closeSync } from 'node:fs'
import { readPng } from './canvas.mjs'

const WIDTH = 640,
  HEIGHT = 360,
  FPS = 10,
  FRAMES = 20

export const people = {
  expert01: {
    skin: '#f0c7a4',
    hair: '#3a3634',
    style: 'short',
    shirt: '#5b86b8',
    wall: ['#dfe7e4', '#b9c9c6'],
    glasses: true,
  },
  expert02: { skin: '#f3cfb3', hair: '#2b2320', style: 'bob', shirt: '#b0566b', wall: ['#e9e3d8', '#cbbfae'] },
  expert03: { skin: '#e6b98f', hair: '#8d8d8d', style: 'short', shirt: '#4d7f6b', wall: ['#dbe2ea', '#aebccb'] },
  doctor01: {
    skin: '#f2c9a8',
    hair: '#1f1c1d',
    style: 'tail',
    shirt: '#6a75a8',
    wall: ['#e4e9df', '#bfcab3'],
    glasses: true,
  },
}

const hairs = {
  short: (c) => ({
    behind: '',
    before: `<path d="M262 128c-6-58 28-86 62-86s66 28 58 88c-6-22-12-36-24-44-22 10-52 10-72 2-12 10-20 22-24 40z" fill="${c}"/>`,
  }),
  bob: (c) => ({
    behind: `<path d="M246 210c-14-110 20-172 76-172s92 60 78 172c-30 16-124 16-154 0z" fill="${c}"/>`,
    before: `<path d="M258 136c-10-62 20-98 64-98s74 36 64 98c-8-30-30-50-54-58-22 22-44 36-74 58z" fill="${c}"/>`,
  }),
  tail: (c) => ({
    behind: `<path d="M370 60c44 8 54 70 36 128-6 14-18 10-16-4 2-50-4-84-34-96z" fill="${c}"/>`,
    before: `<path d="M262 130c-6-54 26-88 60-88 40 0 68 34 60 90-8-30-26-50-52-56-30 4-54 22-68 54z" fill="${c}"/>`,
  }),
}

function drawing(person, t) {
  const nod = 4 * Math.sin(2 * Math.PI * t),
    sway = 3 * Math.sin(2 * Math.PI * t + 1),
    blink = t > 0.46 && t < 0.52
  const hair = hairs[person.style](person.hair)
  const eye = (x) =>
    blink
      ? `<path d="M${x - 8} 134h16" stroke="#2a2422" stroke-width="3" stroke-linecap="round"/>`
      : `<ellipse cx="${x}" cy="133" rx="5" ry="6" fill="#2a2422"/><circle cx="${x + 2}" cy="131" r="1.6" fill="#fff"/>`
  const glasses = person.glasses
    ? '<g fill="none" stroke="#3d4347" stroke-width="3"><rect x="277" y="120" width="36" height="27" rx="10"/><rect x="331" y="120" width="36" height="27" rx="10"/><path d="M313 130q9-6 18 0"/></g>'
    : ''
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}">
  <defs><linearGradient id="w" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="${person.wall[0]}"/><stop offset="1" stop-color="${person.wall[1]}"/></linearGradient><filter id="b"><feGaussianBlur stdDeviation="7"/></filter></defs>
  <rect width="100%" height="100%" fill="url(#w)"/>
  <g filter="url(#b)" opacity="0.75"><rect x="28" y="24" width="150" height="190" fill="#f7fbfb"/><rect x="98" y="24" width="8" height="190" fill="${person.wall[1]}"/>
    <rect x="470" y="40" width="150" height="12" fill="#8d7a66"/><rect x="482" y="0" width="16" height="40" fill="#7f9aa8"/><rect x="502" y="0" width="20" height="40" fill="#a8705f"/><rect x="526" y="0" width="14" height="40" fill="#6d8a6c"/><rect x="560" y="0" width="30" height="40" fill="#b9a878"/>
    <rect x="470" y="150" width="150" height="12" fill="#8d7a66"/><rect x="490" y="92" width="24" height="58" fill="#8793b3"/><rect x="520" y="100" width="18" height="50" fill="#b98d6a"/><rect x="560" y="96" width="40" height="54" fill="#7f9f96"/></g>
  <g transform="translate(${sway} ${nod / 2})">
    <g transform="translate(${sway / 2} ${nod})">${hair.behind}</g>
    <path d="M120 372c4-92 58-128 130-142 40 22 104 22 144 0 72 14 126 50 130 142z" fill="#fbfdfd"/>
    <path d="M262 226l60 92 60-92-16-18h-88z" fill="${person.shirt}"/><path d="M298 206v30q24 22 48 0v-30z" fill="${person.skin}"/><path d="M298 214q24 26 48 0v14q-24 24-48 0z" fill="#000" opacity="0.1"/>
    <path d="M250 230l34-18 38 106-30 26zM394 230l-34-18-38 106 30 26z" fill="#eef3f4" stroke="#ccd8da" stroke-width="2"/>
    <path d="M250 232q-18 40 4 74 16 22 36 22" fill="none" stroke="#3f5a64" stroke-width="6" stroke-linecap="round"/><circle cx="296" cy="330" r="10" fill="#8ea4ab" stroke="#3f5a64" stroke-width="4"/>
    <rect x="404" y="300" width="60" height="22" rx="4" fill="#17707c"/>
    <g transform="translate(${sway / 2} ${nod})">
      <ellipse cx="262" cy="142" rx="10" ry="15" fill="${person.skin}"/><ellipse cx="382" cy="142" rx="10" ry="15" fill="${person.skin}"/>
      <path d="M264 118c0-50 28-66 58-66s58 16 58 66c0 62-22 104-58 104s-58-42-58-104z" fill="${person.skin}"/>
      ${eye(296)}${eye(348)}<path d="M284 114q12-7 24-1M336 113q12-6 24 1" fill="none" stroke="${person.hair}" stroke-width="4" stroke-linecap="round"/>
      <path d="M322 140q-6 16-2 20 4 3 8 0" fill="none" stroke="#000" stroke-opacity="0.25" stroke-width="2.5" stroke-linecap="round"/>
      <path d="M300 182q22 ${12 + 4 * Math.sin(6 * Math.PI * t)} 44 0" fill="none" stroke="#a8483f" stroke-width="4" stroke-linecap="round"/>
      <ellipse cx="284" cy="166" rx="12" ry="7" fill="#e98f7c" opacity="0.28"/><ellipse cx="360" cy="166" rx="12" ry="7" fill="#e98f7c" opacity="0.28"/>
      ${hair.before}${glasses}</g></g></svg>`
}

function toYuv({ width, height, channels, data }) {
  const luma = Buffer.alloc(width * height),
    u = Buffer.alloc((width * height) / 4),
    v = Buffer.alloc((width * height) / 4)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = (y * width + x) * channels,
        r = data[i],
        g = data[i + 1],
        b = data[i + 2]
      luma[y * width + x] = 16 + 0.257 * r + 0.504 * g + 0.098 * b
      if (y % 2 === 0 && x % 2 === 0) {
        const at = (y / 2) * (width / 2) + x / 2
        u[at] = 128 - 0.148 * r - 0.291 * g + 0.439 * b
        v[at] = 128 + 0.439 * r - 0.368 * g - 0.071 * b
      }
    }
  return [luma, u, v]
}

/** `page`: a page of any browser, which draws. */
export async function film(page, person, path) {
  await page.setViewportSize({ width: WIDTH, height: HEIGHT })
  const fd = openSync(path, 'w')
  writeSync(fd, `YUV4MPEG2 W${WIDTH} H${HEIGHT} F${FPS}:1 Ip A1:1 C420jpeg\n`)
  for (let n = 0; n < FRAMES; n++) {
    await page.setContent(`<body style="margin:0">${drawing(person, n / FRAMES)}</body>`)
    const frame = toYuv(readPng(await page.screenshot()))
    writeSync(fd, 'FRAME\n')
    for (const plane of frame) writeSync(fd, plane)
  }
  closeSync(fd)
}
