// Owns the shapes of shared snapshots: what a graph page showed at one moment, frozen, for whoever has the link.
import { z } from 'zod'

const time = z.number()
const words = z.string().max(1024)
const label = z.string().max(512)

/** Whole snapshots are bounded by their bytes too; these keep a page that draws one alive. */
export const SNAPSHOT_LIMITS = {
  bytes: 1024 * 1024,
  cells: 4_000,
  charts: 12,
  series: 40,
  marks: 100,
} as const

/** Where a colour of the pages' palette stands, or none of it. */
const colour = z.string().regex(/^--[a-z0-9-]{1,40}$/)

const snapshotSeries = z.strictObject({
  label,
  colour,
  context: z.boolean(),
  dash: z.array(z.number().min(0).max(100)).max(4).nullable(),
  /** One a cell of the grid; null: nothing was measured, or no number. */
  values: z.array(z.number().nullable()).max(SNAPSHOT_LIMITS.cells),
})

const snapshotChart = z.strictObject({
  title: label,
  note: words,
  unit: z.enum(['cores', 'bits', 'bytes', 'count', 'seconds', 'percent', 'perSecond', 'plain']),
  height: z.int().min(20).max(1000),
  floorMax: z.number(),
  axisFrom: z.enum(['zero', 'values']),
  stepped: z.boolean(),
  series: z.array(snapshotSeries).max(SNAPSHOT_LIMITS.series),
})

export const snapshot = z
  .strictObject({
    title: z.string().trim().min(1).max(256),
    /** What the page said of its graph. */
    words: words.nullable(),
    /** The zone that its maker saw: `utc`, or a name of the IANA database. */
    zone: z.string().max(64),
    startS: z.number().min(0).max(1e11),
    stepS: z.number().positive().max(86_400),
    length: z.int().min(1).max(SNAPSHOT_LIMITS.cells),
    charts: z.array(snapshotChart).min(1).max(SNAPSHOT_LIMITS.charts),
    marks: z
      .array(z.strictObject({ atMs: time, colour, label: words.nullable() }))
      .max(SNAPSHOT_LIMITS.marks),
  })
  .refine(
    ({ charts, length }) =>
      charts.every(({ series }) => series.every(({ values }) => values.length === length)),
    { message: 'every series has one value a cell of the grid', path: ['charts'] },
  )
export type Snapshot = z.infer<typeof snapshot>

const DAY_S = 86_400
export const SHARE_S_DEFAULT: number = 7 * DAY_S
export const SHARE_S_MAX: number = 90 * DAY_S

/** `POST /api/v1/shares` (operator). */
export const shareRequest = z.strictObject({
  snapshot,
  /** Seconds until it ends by itself; a week by default. */
  expiresInS: z.int().min(60).max(SHARE_S_MAX).optional(),
})
export type ShareRequest = z.infer<typeof shareRequest>

export const shareView = z.object({
  id: z.string(),
  title: z.string(),
  createdAt: time,
  createdBy: z.string(),
  expiresAt: time,
  state: z.enum(['open', 'expired', 'revoked']),
  /** Of the snapshot as JSON. */
  bytes: z.number(),
})
export type ShareView = z.infer<typeof shareView>
export const sharesAnswer = z.object({ now: time, shares: z.array(shareView) })
/** The only place where the link itself is shown: a path of the control room. */
export const shareMade = shareView.extend({ path: z.string() })

/** The header in which `GET /api/v1/shared` takes the code of a link: in an address, proxies would log it. */
export const SHARE_HEADER = 'x-vitrine-share'
export const sharedAnswer = z.object({ now: time, createdAt: time, expiresAt: time, snapshot })
export type SharedAnswer = z.infer<typeof sharedAnswer>
