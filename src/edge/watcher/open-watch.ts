// Owns putting together what an edge does about the control room's absence: the watcher, the last picture, their door.
import type { Closable, Counters } from '#base'
import type { AccessTable, Link } from '#link'
import type { FromControl, WallPicture } from '#wire'
import type { EdgeOptions } from '../edge.ts'
import type { ProbePass } from '../viewers/probe-pass.ts'
import { WallPass } from './wall-pass.ts'
import { WatchDoor } from './watch-door.ts'
import { Watcher } from './watcher.ts'

export interface Watch extends Closable {
  readonly door: WatchDoor
  take(this: void, message: FromControl): void
  /** To a control room that has come back. */
  report(this: void): void
  start(this: void): void
}

export interface WatchParts {
  readonly options: EdgeOptions
  readonly url: string
  readonly access: AccessTable
  readonly probePass: ProbePass
  readonly counters: Counters
  /** Not running yet while this is put together. */
  readonly link: { readonly running: Link | null }
}

export function openWatch({ options, url, access, probePass, counters, link }: WatchParts): Watch {
  const { id, stateFolder, trust = null, clock, log } = options
  const { monotonicMs } = clock
  const watcher = new Watcher({
    id,
    url,
    stateFolder,
    trust,
    clock,
    counters,
    log,
    fleetTime: () => link.running?.fleet ?? null,
    hears: () => link.running?.hears() ?? false,
    send: message => link.running?.send(message) ?? false,
  })
  let picture: WallPicture | null = null
  const door = new WatchDoor({
    watcher,
    probePass,
    pass: new WallPass({ knows: sha256 => access.isPersons(sha256), monotonicMs }),
    behindProxy: options.listen.behindProxy === true,
    picture: () => picture,
    fleetMs: () => link.running?.fleet.nowMs() ?? clock.wallMs(),
  })
  return {
    door,
    take: message => {
      if (message.type === 'sealed-route') watcher.setRoute(message)
      else if (message.type === 'wall-picture') picture = message
    },
    report: watcher.report,
    start: () => watcher.start(),
    close: () => watcher.close(),
  }
}
