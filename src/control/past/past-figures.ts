// Owns the samples of one moment in the past: a fixed number of instant queries, whatever the fleet does. A sample older
// than some seconds says nothing about that moment, and is left out.
import type { Labels, Log } from '#base'
import type { MetricsStore, VectorItem } from '#metrics'

/** The control room writes its series each second; agents push each second. */
const FRESH = '[10s]'
const PROBE_NAMES = [
  'success',
  'http_seconds',
  'tls_seconds',
  'ping_seconds',
  'play_success',
  'play_start_seconds',
  'observers',
  'players',
  'certificate_days',
  'used_bytes',
  'budget_bytes',
].join('|')

const QUERIES = {
  present: `max by (instance) (last_over_time(vitrine_fleet_server_state${FRESH}))`,
  watching: `sum by (instance) (last_over_time(vitrine_fleet_watching${FRESH}))`,
  estimated: `last_over_time(vitrine_fleet_watching_estimated${FRESH})`,
  weight: `last_over_time(vitrine_fleet_steering_weight${FRESH})`,
  agentAge: `last_over_time(vitrine_fleet_agent_age_seconds${FRESH})`,
  stopped: `last_over_time(vitrine_server_process_stopped${FRESH})`,
  processes: `last_over_time(vitrine_server_processes${FRESH})`,
  scrapes: `increase(vitrine_agent_scrapes_total[5s])`,
  probes: `last_over_time({__name__=~"vitrine_probe_(${PROBE_NAMES})"}${FRESH})`,
  probedAt: `timestamp(vitrine_probe_success{check="http"})`,
  viewers: `last_over_time({__name__=~"vitrine_viewers_excess_(verdict|sessions|affected|expected)"}${FRESH})`,
} as const

export interface Sample {
  readonly labels: Labels
  readonly value: number
}

export interface PastFigures {
  /** Servers that the control room judged then. */
  readonly present: ReadonlySet<string>
  readonly watching: ReadonlyMap<string, number>
  readonly estimated: ReadonlyMap<string, number>
  readonly weight: ReadonlyMap<string, number>
  readonly agentAgeS: ReadonlyMap<string, number>
  readonly stopped: ReadonlyMap<string, number>
  readonly processes: ReadonlyMap<string, number>
  /** By instance and `result`: reads of the server by its agent in the 5 s before. */
  readonly scrapes: readonly Sample[]
  readonly probes: readonly Sample[]
  /** By target and observer, ms. */
  readonly probedAt: readonly Sample[]
  /** How viewers were judged against their peers, and the figures of it. */
  readonly viewers: readonly Sample[]
}

/** A store that cannot answer costs the figures: they are not known. */
export async function readPastFigures(store: MetricsStore, atMs: number, log: Log): Promise<PastFigures> {
  const ask = async (text: string): Promise<readonly VectorItem[]> => {
    try {
      const { value } = await store.ask({ text, fromMs: atMs, toMs: atMs, stepMs: null })
      return value.kind === 'vector' ? value.items.filter(item => Number.isFinite(item.value)) : []
    } catch (error) {
      log.warn('past-figures-missing', { error })
      return []
    }
  }
  const by = async (text: string): Promise<Map<string, number>> =>
    new Map((await ask(text)).map(({ labels, value }) => [labels['instance'] ?? '', value]))
  // One after the other: who looks back does not take the store from those who watch.
  return {
    present: new Set((await by(QUERIES.present)).keys()),
    watching: await by(QUERIES.watching),
    estimated: await by(QUERIES.estimated),
    weight: await by(QUERIES.weight),
    agentAgeS: await by(QUERIES.agentAge),
    stopped: await by(QUERIES.stopped),
    processes: await by(QUERIES.processes),
    scrapes: await ask(QUERIES.scrapes),
    probes: await ask(QUERIES.probes),
    probedAt: await ask(QUERIES.probedAt),
    viewers: await ask(QUERIES.viewers),
  }
}
