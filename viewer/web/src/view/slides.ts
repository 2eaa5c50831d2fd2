/* A slide's Deep Zoom description: asked for when a hand comes near the slide, so that a click finds it there. */

/** As OpenSeadragon takes it, with where the tiles are. */
export interface SlideDescription {
  Image: {
    xmlns: string
    Url: string
    Format: string
    Overlap: string
    TileSize: string
    Size: { Width: string; Height: string }
  }
}

/** A description that nobody used is asked for anew: rights end, and an overview gets made. */
const FRESH_MS = 10_000

const asked = new Map<string, { at: number; slide: Promise<SlideDescription> }>()

async function ask(file: string): Promise<SlideDescription> {
  const answer = await fetch(`/slides/${file}.dzi`)
  if (!answer.ok) throw new Error(`${answer.status}`)
  // our own server's, and short: its attributes, one after the other
  const text = await answer.text()
  const read = (name: string) => {
    const value = new RegExp(`\\b${name}="([^"]+)"`).exec(text)?.[1]
    if (!value) throw new Error(`no ${name}`)
    return value
  }
  return {
    Image: {
      xmlns: 'http://schemas.microsoft.com/deepzoom/2008',
      Url: `/slides/${file}_files/`,
      Format: read('Format'),
      Overlap: read('Overlap'),
      TileSize: read('TileSize'),
      Size: { Width: read('Width'), Height: read('Height') },
    },
  }
}

/** @throws when there is none, or no right to it */
export function describe(file: string, now: number = performance.now()): Promise<SlideDescription> {
  const before = asked.get(file)
  asked.delete(file)
  return before && now - before.at < FRESH_MS ? before.slide : ask(file)
}

/** Small as it is, the same picture as the overview's: what stands there until the slide does. */
export const glimpse = (file: string): string => `/api/v1/files/${file}/thumbnail?size=336`

/** A hand is near. What fails is asked for again when it is really wanted. */
export async function readyToLook(file: string, now: number = performance.now()): Promise<void> {
  if (now - (asked.get(file)?.at ?? -Infinity) < FRESH_MS) return
  new Image().src = glimpse(file)
  const slide = ask(file)
  asked.set(file, { at: now, slide })
  await slide.catch(() => asked.delete(file))
}
