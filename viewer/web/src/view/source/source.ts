/* A slide for OpenSeadragon: its own levels and tiles, fetched by `loader.ts`. */
import OpenSeadragon from 'openseadragon'
import { pictureOf, type TilePicture } from './bitmaps'
import { tilesAhead, tilesBeneath, tilesToward } from './ahead'
import { levelsOf, tileAt, tileBox, wantedLevel, type Box, type Level, type Sheet, type SlideInfo } from './levels'
import { TileLoader, type Wanted } from './loader'
import { chosenFirst, sheetsOf, type Chosen } from './sheets'

/** OpenSeadragon's job of fetching one tile, the parts that are used. */
interface Job {
  src: string
  tile: JobTile
  userData: { wanted?: readonly Wanted[]; over?: boolean }
  jobId: number
  finish: (data: TilePicture | null, request: null, error: string) => void
  abort: () => void
}

interface JobTile {
  level: number
  x: number
  y: number
  lastTouchTime: number
}

/** Between the addresses of one tile's channels; no address has any. */
const AND = ' '

interface CacheRecord {
  _data: TilePicture | null
}

export class SlideSource extends OpenSeadragon.TileSource {
  readonly levels: readonly Level[]
  readonly loader = new TileLoader()
  private readonly jobs = new Set<Job>()
  private chosen: Chosen

  constructor(readonly slide: SlideInfo) {
    const levels = levelsOf(slide)
    super({
      width: slide.width,
      height: slide.height,
      tileSize: levels[levels.length - 1]!.tileWidth,
      tileOverlap: 0,
      minLevel: 0,
      maxLevel: levels.length - 1,
    } as OpenSeadragon.TileSourceOptions)
    this.levels = levels
    this.chosen = chosenFirst(slide)
  }

  get shown(): Chosen {
    return this.chosen
  }

  /** Which plane and channels tiles are of from now on; those that are there already are not changed. */
  choose(chosen: Chosen): void {
    this.chosen = chosen
  }

  private get sheets(): Sheet[] {
    return sheetsOf(this.slide, this.chosen)
  }

  /** The planes above and below. */
  private get beneath(): Sheet[] {
    const planes = this.slide.z?.planes ?? 1
    const beside = [this.chosen.z + 1, this.chosen.z - 1].filter((z) => z >= 0 && z < planes)
    return this.slide.z ? beside.flatMap((z) => sheetsOf(this.slide, { ...this.chosen, z })) : []
  }

  /** Level to draw at that many full-size pixels per CSS pixel. */
  wanted(scale: number): number {
    return wantedLevel(this.levels, scale, window.devicePixelRatio)
  }

  /** Fetches what will be wanted next; `box`: what is on screen, in full-size pixels. */
  lookAhead(box: Box, scale: number): void {
    const at = this.wanted(scale)
    this.loader.ahead([
      ...tilesBeneath(this.at(at), this.slide, box, this.beneath),
      ...tilesAhead(this.levels, this.slide, at, box, this.sheets),
    ])
  }

  /** The same for a view that moves: `box`: what will be on screen, `seen`: what is there now, each at its scale. */
  lookToward(box: Box, scale: number, seen: Box, seenScale: number): void {
    const at = this.wanted(scale)
    const here = this.wanted(seenScale) === at ? seen : null
    this.loader.ahead(tilesToward(this.levels[at]!, this.slide, box, here, this.sheets))
  }

  /** Gives up whatever was not asked for since. */
  giveUp(since: number): void {
    for (const job of this.jobs) {
      if (job.tile.lastTouchTime >= since) continue
      window.clearTimeout(job.jobId)
      // OpenSeadragon's own: the tile is not on its way any more
      job.abort()
    }
  }

  close(): void {
    this.loader.close()
    this.jobs.clear()
  }

  /* ---- where tiles lie ---- */

  override getLevelScale(level: number): number {
    return 1 / this.at(level).downsample
  }

  override getNumTiles(level: number): never {
    const { columns, rows } = this.at(level)
    return new OpenSeadragon.Point(columns, rows) as never
  }

  override getPixelRatio(level: number): never {
    const { width, height } = this.at(level)
    const density = (OpenSeadragon as unknown as { pixelDensityRatio: number }).pixelDensityRatio
    return new OpenSeadragon.Point(density / width, density / height) as never
  }

  override getTileWidth(level: number): number {
    return this.at(level).tileWidth
  }

  override getTileHeight(level: number): number {
    return this.at(level).tileHeight
  }

  override getTileAtPoint(level: number, point: OpenSeadragon.Point): never {
    const { width } = this.slide
    const { column, row } = tileAt(this.at(level), this.slide, point.x * width, point.y * width)
    return new OpenSeadragon.Point(column, row) as never
  }

  override getTileBounds(level: number, column: number, row: number, ofTile?: boolean): OpenSeadragon.Rect {
    const at = this.at(level)
    const box = tileBox(at, column, row)
    if (ofTile) return new OpenSeadragon.Rect(0, 0, box.width, box.height)
    const { width, height } = this.slide
    const across = 1 / at.width
    const down = height / width / at.height
    return new OpenSeadragon.Rect(box.x * across, box.y * down, box.width * across, box.height * down)
  }

  override getTileUrl(level: number, column: number, row: number): string {
    const addresses = this.sheets.map((sheet) => this.at(level).address(column, row, sheet))
    // OpenSeadragon knows a tile by its address
    return addresses.join(AND) || `dark:${level}/${column}_${row}`
  }

  override hasTransparency(): boolean {
    return false
  }

  /* ---- how they come ---- */

  override downloadTileStart(context: OpenSeadragon.ImageJob): void {
    const job = context as unknown as Job
    const box = tileBox(this.at(job.tile.level), job.tile.x, job.tile.y)
    const end = (picture: TilePicture | null, error: string) => {
      this.jobs.delete(job)
      job.finish(picture, null, error)
    }
    const addresses = job.src.startsWith('dark:') ? [] : job.src.split(AND)
    const tiles = new Map<string, Blob>()
    const draw = () => {
      const here = addresses.flatMap((address) => tiles.get(address) ?? [])
      void pictureOf(here, Math.ceil(box.width), Math.ceil(box.height)).then(
        (picture) => {
          if (this.jobs.has(job)) return end(picture, '')
          // given up while it was unpacked: the hand may come back
          picture.picture.close()
          for (const [address, tile] of tiles) this.loader.keep(address, tile)
        },
        (error: unknown) => this.jobs.has(job) && end(null, String(error)),
      )
    }
    const wanted: Wanted[] = addresses.map((address) => ({
      address,
      done: (tile) => {
        tiles.set(address, tile)
        if (tiles.size === addresses.length) draw()
      },
      failed: (reason) => {
        this.giveBack(job)
        end(null, reason)
      },
    }))
    job.userData.wanted = wanted
    this.jobs.add(job)
    for (const one of wanted) this.loader.want(one)
    if (!wanted.length) draw()
  }

  override downloadTileAbort(context: OpenSeadragon.ImageJob): void {
    const job = context as unknown as Job
    this.jobs.delete(job)
    this.giveBack(job)
  }

  private giveBack(job: Job): void {
    for (const wanted of job.userData.wanted ?? []) this.loader.giveUp(wanted)
  }

  override createTileCache(record: object, data: TilePicture): void {
    ;(record as CacheRecord)._data = data
  }

  override destroyTileCache(record: object): void {
    const held = record as CacheRecord
    held._data?.picture.close()
    held._data = null
  }

  override getTileCacheData(record: object): TilePicture | null {
    return (record as CacheRecord)._data
  }

  override getTileCacheDataAsContext2D(record: object): never {
    return (record as CacheRecord)._data as never
  }

  private at(level: number): Level {
    return this.levels[Math.max(0, Math.min(this.levels.length - 1, level))]!
  }
}
