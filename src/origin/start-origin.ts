// Owns the origin as a running server: library, packager, HTTP, and the link to the control room.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Clock,
  type Closable,
  Closers,
  Counters,
  certificateLogger,
  type ListenOptions,
  type Log,
  listen,
  packageVersion,
  registerProcessMetrics,
  type Secret,
} from '#base'
import { AccessTable, type Link, readHostId, startLink } from '#link'
import { AuthorityFollower, type Identity, startRenewal, type Trust } from '#trust'
import type { TitleReport } from '#wire'
import { Library } from './library/library.ts'
import { MediaServer } from './media-server.ts'

export interface OriginOptions {
  readonly id: string
  readonly region: string
  readonly listen: ListenOptions
  /** Where edges reach it; null: where it listens. */
  readonly publicUrl: string | null
  readonly controlUrl: string
  readonly token: Secret
  /** How other servers of the fleet prove who they are; left out: by public certificates. */
  readonly trust?: Trust
  /** Of a server that joined: its certificate is kept fresh. Null or left out: it did not. */
  readonly identity?: Identity | null
  /** Own files; made when it is missing. */
  readonly mediaFolder: string
  /** Read-only folders that come with the program. */
  readonly builtinFolders: readonly string[]
  /** Holds in-place.json and what the link remembers. */
  readonly stateFolder: string
  readonly clock: Clock
  readonly log: Log
}

export interface Running extends Closable {
  readonly url: string
  close(): Promise<void>
}

/** Starts an origin; it serves at once and lists titles as they are indexed. */
export async function startOrigin(options: OriginOptions): Promise<Running> {
  const { clock, log } = options
  mkdirSync(options.mediaFolder, { recursive: true })
  mkdirSync(options.stateFolder, { recursive: true })
  const closers = new Closers()
  const counters = new Counters()
  registerProcessMetrics(counters, 'origin')
  const titleGauge = counters.gauge(
    'vitrine_origin_titles',
    'Titles by state. Broken ones are listed with their reason on the titles page.',
  )
  const access = new AccessTable(options.token)
  let tell: (titles: readonly TitleReport[]) => void = () => {}
  const library = new Library({
    ...options,
    onChange: titles => {
      for (const state of ['ready', 'broken'] as const) {
        titleGauge.set(titles.filter(title => title.state === state).length, { state })
      }
      tell(titles)
    },
  })
  const server = new MediaServer({ library, access, counters, clock, log })
  try {
    const listening = closers.add(await listen(options.listen, server.handle, certificateLogger(options.log)))
    const startedBootMs = clock.bootMs()
    const since = counters.gauge(
      'vitrine_origin_counting_since_seconds',
      'When the counters of this origin were zero, in seconds since 1970; each start of it. The ledger asks for it.',
    )
    const { identity = null } = options
    const authority =
      identity === null
        ? null
        : closers.add(new AuthorityFollower({ identity, send: state => void link.send(state), log }))
    const link: Link = closers.add(
      startLink({
        controlUrl: options.controlUrl,
        token: options.token,
        trust: options.trust ?? null,
        hello: helloOf(options, options.publicUrl ?? listening.url),
        clock,
        log,
        memoryFolder: join(options.stateFolder, 'link'),
        onMessage: message => {
          if (message.type === 'access') access.set(message)
          if (message.type === 'authority') authority?.take(message)
        },
        onWelcome: () => {
          if (library.hasList()) tell(library.reports())
        },
      }),
    )
    access.useTime(link.fleet)
    counters.beforeCollect(() => since.set(link.fleet.fromBootMs(startedBootMs) / 1000))
    if (identity !== null) closers.add(startRenewal({ identity, fleetTime: link.fleet, log }))
    tell = titles => {
      link.send({ type: 'titles', titles: [...titles] })
    }
    closers.add(library)
    library.start()
    return { url: listening.url, close: () => closers.close() }
  } catch (error) {
    await closers.close()
    throw error
  }
}

function helloOf(options: OriginOptions, url: string): Parameters<typeof startLink>[0]['hello'] {
  return {
    server: options.id,
    process: 'server',
    role: 'origin',
    region: options.region,
    version: packageVersion,
    pid: process.pid,
    url,
    hostId: readHostId(),
  }
}
