// Owns letting fleet time follow a leap second that the fleet's hosts took: reads what their agents say, asks the judge,
// and starts the slew. It sets nothing on any host, and fleet time stays in order meanwhile.
import { type Clock, type Closable, type Counters, every, type Log, type SlewedFleetTime } from '#base'
import type { MetricsStore } from '#metrics'
import { isSimulated } from '#wire'
import type { Fleet } from '../fleet/fleet.ts'
import { type HostSays, LeapJudge } from './leap-judge.ts'

const EVERY_MS = 5000
/** Hosts that have followed fleet time and time exchanges with it are through by then. */
const SETTLE_MS = 60_000
const NAMES = [
  'vitrine_clock_fleet_offset_seconds',
  'node_timex_sync_status',
  'node_timex_maxerror_seconds',
  'vitrine_clock_leap_pending',
  'vitrine_clock_daemon_leap_indicator',
  'vitrine_clock_source_leap_indicator',
]
const SAID = `last_over_time({__name__=~"${NAMES.join('|')}"}[10s])`
/** As node-mixin; chronyd without rtcsync leaves the status unset while it is in sync. */
const UNKEPT_ERROR_S = 16
const TOGETHER_S = 0.1

export interface LeapKeeperOptions {
  readonly fleet: Pick<Fleet, 'all'>
  readonly store: Pick<MetricsStore, 'ask'>
  readonly fleetTime: SlewedFleetTime
  readonly clock: Clock
  readonly counters: Counters
  /** Once fleet time has arrived: programs beside the control room convert by it. */
  readonly onSettled: (offsetMs: number) => Promise<void>
  readonly log: Log
}

export function startLeapKeeper(options: LeapKeeperOptions): Closable {
  const { fleetTime, counters, log } = options
  const followed = counters.gauge(
    'vitrine_control_fleet_time_followed_seconds',
    'What fleet time has followed of whole seconds that most hosts took together, since the start. -1: a leap second was inserted.',
  )
  counters.beforeCollect(() => followed.set(fleetTime.followed().nowMs / 1000))
  const keeper = new LeapKeeper(options)
  return every(
    EVERY_MS,
    () => keeper.look(),
    error => log.warn('leap-not-looked', { error }),
  )
}

export class LeapKeeper {
  readonly #options: LeapKeeperOptions
  readonly #judge = new LeapJudge()
  #movedMs: number | null = null
  #isToldMs = 0

  constructor(options: LeapKeeperOptions) {
    this.#options = options
    this.#isToldMs = options.fleetTime.followed().nowMs
  }

  async look(): Promise<void> {
    const { fleetTime, clock, log, onSettled } = this.#options
    const { nowMs, toMs } = fleetTime.followed()
    const monotonicMs = clock.monotonicMs()
    if (nowMs !== toMs) {
      this.#movedMs = monotonicMs
      return
    }
    if (this.#isToldMs !== toMs) {
      this.#isToldMs = toMs
      log.info('fleet-time-followed', { ms: toMs })
      await onSettled(fleetTime.offsetMs())
    }
    if (this.#movedMs !== null && monotonicMs - this.#movedMs < SETTLE_MS) return
    const follow = this.#judge.look(monotonicMs, await this.#hosts())
    if (follow === null) return
    const { byMs, agree, of, announced } = follow
    log.warn('fleet-time-follows', { byMs, hosts: agree.length, of, announced })
    fleetTime.followTo(toMs + byMs)
  }

  async #hosts(): Promise<HostSays[]> {
    const { fleet, store, fleetTime } = this.#options
    const atMs = Math.floor(fleetTime.nowMs())
    const { value } = await store.ask({ text: SAID, fromMs: atMs, toMs: atMs, stepMs: null })
    const said = new Map<string, Map<string, number[]>>()
    for (const { labels, value: figure } of value.kind === 'vector' ? value.items : []) {
      const [id, name] = [labels['instance'] ?? '', labels['__name__'] ?? '']
      const own = said.get(id) ?? new Map<string, number[]>()
      own.set(name, [...(own.get(name) ?? []), figure])
      said.set(id, own)
    }
    // Only agents of our own servers have a voice; whoever may write series has none.
    const servers = fleet.all().filter(({ id, role }) => role !== 'foreign' && !isSimulated(id))
    return hostsOf(
      servers.flatMap(({ id, hostId }) => {
        const own = said.get(id)
        return own === undefined ? [] : [{ host: hostId === '' ? id : hostId, own }]
      }),
    )
  }
}

interface ServerSays {
  readonly host: string
  readonly own: ReadonlyMap<string, readonly number[]>
}

/** Pure. Servers of one host have one voice, and none when they contradict each other. */
export function hostsOf(servers: readonly ServerSays[]): HostSays[] {
  return [...new Set(servers.map(({ host }) => host))].map(host => {
    const all = servers.filter(server => server.host === host)
    const of = (name: string): number[] => all.flatMap(({ own }) => own.get(name) ?? [])
    const offsets = of('vitrine_clock_fleet_offset_seconds')
    const [low, high] = [Math.min(...offsets), Math.max(...offsets)]
    const isOne = offsets.length > 0 && high - low <= TOGETHER_S
    const errors = of('node_timex_maxerror_seconds')
    const kept = of('node_timex_sync_status').includes(1) || errors.some(error => error < UNKEPT_ERROR_S)
    const flags = [...of('vitrine_clock_daemon_leap_indicator'), ...of('vitrine_clock_source_leap_indicator')]
    const pending = of('vitrine_clock_leap_pending')
    const inserts = pending.includes(1) || flags.includes(1)
    const deletes = pending.includes(-1) || flags.includes(2)
    return {
      host,
      offsetS: isOne ? (low + high) / 2 : null,
      kept,
      announced: inserts === deletes ? 0 : inserts ? 1 : -1,
    }
  })
}
