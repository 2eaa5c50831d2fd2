/* A tile's bytes as a picture, and what OpenSeadragon holds of it. */

/** OpenSeadragon knows a tile as a context with a canvas; only the canvas' size is looked at, the drawer draws `picture`. */
export interface TilePicture {
  canvas: { width: number; height: number }
  picture: ImageBitmap
}

/** Clipped to that size. The numbers of the file: no profile inside a tile is applied, the slide's own is (`colour/`). */
export async function pictureOf(tile: Blob, width: number, height: number): Promise<TilePicture> {
  const picture = await createImageBitmap(tile, 0, 0, width, height, { colorSpaceConversion: 'none' })
  return { canvas: { width, height }, picture }
}
