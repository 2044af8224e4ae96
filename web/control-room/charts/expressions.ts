// Owns the expressions behind the pages' charts; the metric names are a contract with agents and edges.
import type { Labels } from '../api/prometheus.ts'
import type { FeedQuery } from './series-feed.ts'

/** Three samples at one a second; wider steps look at all of their time. */
export function window(stepS: number): string {
  return `[${Math.max(3, stepS + 2)}s]`
}

/** With more servers than this, only the chosen ones are asked for. */
const ASK_FOR_ALL_MAX = 12

/** `{instance=~"a|b"}`, or nothing where the fleet is small: choosing another server then needs no new answer. */
export function instances(all: readonly string[], chosen: readonly string[]): string {
  return all.length <= ASK_FOR_ALL_MAX ? '' : `instance=~"${chosen.join('|')}"`
}

/**
 * A gauge as it was measured: a plain selector looks back 5 minutes, and a series that died would be drawn as a
 * line that goes on.
 */
export function gauge(selector: string, stepS: number): string {
  return `last_over_time(${selector}${window(stepS)})`
}

function column(name: string): (labels: Labels) => string | null {
  return ({ instance }) => (instance === undefined ? null : `${name}/${instance}`)
}

export function cpu(matching: string): FeedQuery {
  return {
    key: column('cpu'),
    expr: stepS => `sum by (instance) (rate(vitrine_server_cpu_seconds_total{${matching}}${window(stepS)}))`,
  }
}

/** The control room has no agent beside it on a local fleet: its own process tells. */
export function controlCpu(): FeedQuery {
  return {
    key: column('cpu'),
    expr: stepS =>
      `sum by (instance) (rate(process_cpu_seconds_total{job="vitrine-control"}${window(stepS)}))`,
  }
}

/** Cores that the host of this agent is busy with; every agent of a host tells the same, so one of them is asked. */
export function hostCpu(instance: string): FeedQuery {
  return {
    key: column('host'),
    expr: stepS =>
      `sum by (instance) (rate(node_cpu_seconds_total{instance="${instance}",mode!~"idle|iowait"}${window(stepS)}))`,
  }
}

export function clockOffset(matching: string): FeedQuery {
  return {
    key: column('clock'),
    expr: stepS => `max by (instance) (${gauge(`vitrine_clock_fleet_offset_seconds{${matching}}`, stepS)})`,
  }
}

export function watching(matching: string): FeedQuery {
  return {
    key: column('watching'),
    expr: stepS => `sum by (instance) (${gauge(`vitrine_fleet_watching{${matching}}`, stepS)})`,
  }
}

/** Of those who watch, whose player told nothing. */
export function watchingEstimated(matching: string): FeedQuery {
  return {
    key: column('watching-estimated'),
    expr: stepS => `sum by (instance) (${gauge(`vitrine_fleet_watching_estimated{${matching}}`, stepS)})`,
  }
}

export function incidentHurt(incident: string): FeedQuery {
  return {
    key: () => 'hurt',
    expr: stepS =>
      `max(max_over_time(vitrine_incident_viewers_hurt{incident=${JSON.stringify(incident)}}${window(stepS)}))`,
  }
}

export function throughput(matching: string): FeedQuery {
  return {
    key: column('throughput'),
    expr: stepS => `sum by (instance) (rate(vitrine_edge_sent_bytes_total{${matching}}${window(stepS)})) * 8`,
  }
}

/** Sums grow each five seconds: shorter than this a rate of them is noise. */
function feltWindow(stepS: number): string {
  return `[${Math.max(30, stepS + 10)}s]`
}

/** What viewers lost to stalls, by the time that they wanted to see; measured and estimated apart, or measured alone. */
export function rebuffering(matching: string, key: FeedQuery['key'], by: string): FeedQuery {
  return {
    key,
    expr: stepS => {
      const sum = (name: string): string =>
        `sum by (${by}) (rate(vitrine_viewers_${name}_seconds_total{${matching}}${feltWindow(stepS)}))`
      return `${sum('rebuffering')} / (${sum('asked')} > 0)`
    },
  }
}

/** The charts of one server's own page. */
export function serverQueries(id: string, role: string): readonly FeedQuery[] {
  const own = `instance="${id}"`
  const process = `${own},job="vitrine-${role}"`
  const loop: FeedQuery = {
    key: named('loop'),
    expr: stepS =>
      `max by (instance) (${gauge(`vitrine_process_event_loop_delay_seconds{${process},quantile="0.99"}`, stepS)})`,
  }
  if (role === 'control') {
    return [
      { ...controlCpu(), key: named('cpu') },
      {
        key: named('memory'),
        expr: stepS => `max by (instance) (${gauge(`process_resident_memory_bytes{${process}}`, stepS)})`,
      },
      loop,
    ]
  }
  if (role === 'host') return hostQueries(own)
  if (role === 'foreign') {
    const from = `${own},observer="control"`
    return [
      {
        key: named('answer'),
        expr: stepS => `max by (instance) (${gauge(`vitrine_probe_http_seconds{${from}}`, stepS)})`,
      },
      {
        key: named('start'),
        expr: stepS => `max by (instance) (${gauge(`vitrine_probe_play_start_seconds{${from}}`, stepS)})`,
      },
      ...hostQueries(own),
    ]
  }
  return [
    { ...cpu(own), key: named('cpu') },
    {
      key: named('memory'),
      expr: stepS => `max by (instance) (${gauge(`vitrine_server_resident_memory_bytes{${own}}`, stepS)})`,
    },
    loop,
    ...requestQueries(
      own,
      role === 'origin' ? 'vitrine_origin_requests_total' : 'vitrine_edge_requests_total',
    ),
    ...(role === 'edge' ? edgeQueries(own) : []),
  ]
}

/** Of a machine on which nothing of ours runs but an agent. */
function hostQueries(own: string): readonly FeedQuery[] {
  return [
    {
      key: named('host-cpu'),
      expr: stepS =>
        `sum by (instance) (rate(node_cpu_seconds_total{${own},mode!~"idle|iowait"}${window(stepS)}))`,
    },
    {
      key: named('host-memory'),
      expr: stepS =>
        `max by (instance) (${gauge(`node_memory_MemTotal_bytes{${own}}`, stepS)}) - max by (instance) (${gauge(`node_memory_MemAvailable_bytes{${own}}`, stepS)})`,
    },
    {
      key: named('host-sent'),
      expr: stepS =>
        `sum by (instance) (rate(node_network_transmit_bytes_total{${own},device!="lo"}${window(stepS)})) * 8`,
    },
    {
      key: named('host-clock'),
      expr: stepS => `max by (instance) (${gauge(`vitrine_clock_fleet_offset_seconds{${own}}`, stepS)})`,
    },
  ]
}

function requestQueries(own: string, requests: string): readonly FeedQuery[] {
  return [
    {
      key: named('requests'),
      expr: stepS => `sum by (instance) (rate(${requests}{${own}}${window(stepS)}))`,
    },
    {
      key: named('errors'),
      expr: stepS => ratio(`${requests}{${own},status="5xx"}`, `${requests}{${own}}`, stepS),
    },
  ]
}

function edgeQueries(own: string): readonly FeedQuery[] {
  const asked = 'vitrine_edge_cache_requests_total'
  const hit = `${asked}{${own},result=~"memory|disk|shared|stale"}`
  return [
    { ...throughput(own), key: named('throughput') },
    { ...watching(own), key: named('watching') },
    { ...watchingEstimated(own), key: named('watching-estimated') },
    { key: named('hits'), expr: stepS => ratio(hit, `${asked}{${own}}`, stepS) },
    rebuffering(own, ({ estimate }) => `rebuffering/${estimate ?? 'no'}`, 'estimate'),
    {
      key: ({ estimate }) => `asked/${estimate ?? 'no'}`,
      expr: stepS =>
        `sum by (estimate) (rate(vitrine_viewers_asked_seconds_total{${own}}${feltWindow(stepS)}))`,
    },
  ]
}

/** Sum over sum, never a mean of ratios; over 10 s at least, since few requests make no ratio. */
function ratio(part: string, whole: string, stepS: number): string {
  const over = `[${Math.max(10, stepS + 2)}s]`
  return `sum by (instance) (rate(${part}${over})) / sum by (instance) (rate(${whole}${over}))`
}

function named(name: string): FeedQuery['key'] {
  return () => name
}
