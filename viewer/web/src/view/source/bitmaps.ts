/* A tile's bytes as a picture, and what OpenSeadragon holds of it. */

/** OpenSeadragon knows a tile as a context with a canvas; only the canvas' size is looked at, the drawer draws `picture`. */
export interface TilePicture {
  canvas: { width: number; height: number }
  picture: ImageBitmap
}

/** Clipped to that size. The numbers of the file: no profile inside a tile is applied, the slide's own is (`colour/`). */
async function bitmapOf(tile: Blob, width: number, height: number): Promise<ImageBitmap> {
  return createImageBitmap(tile, 0, 0, width, height, { colorSpaceConversion: 'none' })
}

/** Light is added to light, as fluorescence's colours are. */
async function addedUp(tiles: readonly Blob[], width: number, height: number): Promise<ImageBitmap> {
  const pictures = await Promise.all(tiles.map((tile) => bitmapOf(tile, width, height)))
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d')
  if (!context) throw new Error('no canvas')
  context.fillRect(0, 0, width, height)
  context.globalCompositeOperation = 'lighter'
  for (const picture of pictures) {
    context.drawImage(picture, 0, 0)
    picture.close()
  }
  return createImageBitmap(canvas)
}

/** `tiles`: several of the same place are channels; none is darkness. */
export async function pictureOf(tiles: readonly Blob[], width: number, height: number): Promise<TilePicture> {
  const [only] = tiles
  const picture = tiles.length === 1 && only ? await bitmapOf(only, width, height) : await addedUp(tiles, width, height)
  return { canvas: { width, height }, picture }
}
