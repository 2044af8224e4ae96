// The metrics store over HTTP against Debian's Prometheus and VictoriaMetrics: ingest, bytes, memory, queries, restart.
import { setTimeout as pause } from 'node:timers/promises'
import { type Bodies, type BodiesOptions, makeBodies } from './metrics/bodies.ts'
import { ask, medianQueryMs, type Sent, send } from './metrics/client.ts'
import { live } from './metrics/live.ts'
import { type Engine, engines, pinSelf, removeFolder, scratchFolder, type Target } from './metrics/targets.ts'
import { SERIES_AN_EDGE } from './metrics/workload.ts'
import { runZabbix, ZABBIX_DURABILITY, type ZabbixFigures } from './metrics/zabbix.ts'
import type { BenchReport, BenchResult } from './result.ts'

/** Seconds of data in each set: what fits six minutes, and what the goals are stated for. */
const QUICK = { i100: 360, i1000: 24, k10: 300, queries: 3600, rounds: 9 }
const FULL = { i100: 3600, i1000: 60, k10: 600, queries: 21_600, rounds: 25 }
type Size = typeof QUICK
const LIVE_S = 11 // three refreshes of the pages

const QUERY_NAMES = new Set([
  'node_load1',
  'node_network_transmit_bytes_total',
  'edge_segment_seconds_bucket',
])

/** Figures of one engine by name. */
type Figures = Map<string, number>

export async function run(parameters: readonly string[]): Promise<BenchReport> {
  const size = parameters.includes('--full') ? FULL : QUICK
  const alone = parameters.includes('--ours')
  if (parameters.includes('--zabbix')) return await againstZabbix()
  pinSelf()
  const { found, missing } = await engines()
  const chosen = alone ? found.filter(engine => engine.name === 'vitrine') : found
  const figures = new Map<string, Figures>(chosen.map(engine => [engine.name, new Map()]))
  if (!parameters.includes('--queries')) await ingestAll(chosen, size, figures)
  await queryAll(chosen, size, figures)
  return {
    bench: 'metrics',
    settings: {
      size: size === FULL ? 'full' : 'quick',
      secondsOfData: size,
      seriesAnEdge: SERIES_AN_EDGE,
      ours: 'a whole control room: sign-in, fastify, remote write endpoint',
      cores: 'server 0 (GOMAXPROCS=1 for the peers), generator 1',
      connections: 2,
      durability: Object.fromEntries(found.map(engine => [engine.name, engine.durability])),
      victoriaMetrics: 'queries with nocache=1',
      missing,
    },
    results: RESULTS.flatMap(row => result(row, figures)),
  }
}

/** 5M values: the same edges and series as i100, for as many seconds as that takes. */
const ZABBIX = { edges: 100, seconds: 417 }

async function againstZabbix(): Promise<BenchReport> {
  pinSelf()
  const { edges, seconds } = ZABBIX
  const { found } = await engines()
  const ours = found.find(engine => engine.name === 'vitrine')
  if (ours === undefined) throw new Error('our own engine is missing')
  const base = { edgesARequest: 10, samplesASeries: 1, jitterMs: 0, only: null, shuffled: false }
  const own: Figures = new Map()
  await ingest(ours, 'i100', makeBodies({ ...base, ...ZABBIX, startMs: startOf(seconds) }), own)
  const folder = scratchFolder()
  try {
    const zabbix = await runZabbix(folder, edges, seconds)
    if (typeof zabbix === 'string') console.log(zabbix)
    else {
      const { kValuesASecond, cpuSAMillion, bytesAValue } = zabbix
      console.log(
        `  zabbix: ${kValuesASecond.toFixed(1)} k values/s, ${cpuSAMillion.toFixed(2)} CPU s a million, ${bytesAValue.toFixed(1)} bytes a value`,
      )
    }
    const figures = new Map<string, Figures>([
      ['vitrine', own],
      ['zabbix', new Map(typeof zabbix === 'string' ? [] : zabbixFigures(zabbix))],
    ])
    return {
      bench: 'metrics',
      settings: {
        values: edges * SERIES_AN_EDGE * seconds,
        cores: 'servers 0 (Zabbix and PostgreSQL together), generator 1',
        zabbix:
          typeof zabbix === 'string'
            ? zabbix
            : 'trapper items, sender protocol, 1200 values a request, 2 connections',
        bytes:
          'ours: the folder after a seal; Zabbix: history and trends with their indexes, without the write-ahead log',
        durability: { vitrine: ours.durability, zabbix: ZABBIX_DURABILITY },
      },
      results: ZABBIX_RESULTS.flatMap(row => result(row, figures)),
    }
  } finally {
    removeFolder(folder)
  }
}

function zabbixFigures({ kValuesASecond, cpuSAMillion, bytesAValue }: ZabbixFigures): [string, number][] {
  return [
    ['ingest i100', kValuesASecond],
    ['CPU i100', cpuSAMillion],
    ['bytes i100', bytesAValue],
  ]
}

async function ingestAll(
  chosen: readonly Engine[],
  size: Size,
  figures: Map<string, Figures>,
): Promise<void> {
  const base = { edgesARequest: 10, samplesASeries: 1, jitterMs: 0, only: null, shuffled: false }
  const sets: readonly (Omit<BodiesOptions, 'startMs'> & { readonly name: string })[] = [
    { ...base, name: 'i100', edges: 100, seconds: size.i100 },
    { ...base, name: 'i100 shuffled', edges: 100, seconds: size.i100 / 3, shuffled: true, jitterMs: 40 },
    { ...base, name: 'i1000', edges: 1000, seconds: size.i1000 },
    { ...base, name: 'k10', edges: 100, seconds: size.k10, samplesASeries: 10 },
  ]
  for (const set of sets) {
    const bodies = makeBodies({ ...set, startMs: startOf(set.seconds) })
    console.log(`${set.name}: ${bodies.series} series, ${bodies.samples} samples, ${bodies.bytes} bytes`)
    for (const engine of chosen) {
      const into = figures.get(engine.name) ?? new Map<string, number>()
      await ingest(engine, set.name, bodies, into)
    }
  }
}

/** Whole minutes before now, so that all of it lies within every engine's rules. */
function startOf(seconds: number): number {
  return Math.floor(Date.now() / 60_000) * 60_000 - (seconds + 60) * 1000
}

async function ingest(engine: Engine, name: string, bodies: Bodies, into: Figures): Promise<void> {
  const folder = scratchFolder()
  const target = await engine.start(folder)
  try {
    const sent = await send(target, bodies)
    note(engine.name, name, sent, target)
    into.set(`ingest ${name}`, sent.kSamplesASecond)
    into.set(`CPU ${name}`, sent.cpuSAMillion)
    into.set(`slowest request ${name}`, sent.requestMsMax)
    into.set(`memory ${name}`, target.rssMb(true))
    if (name === 'i100') {
      const perSample = (await engine.sealedBytes(folder, target)) / bodies.samples
      console.log(`  ${engine.name}: ${perSample.toFixed(3)} bytes a sample on disk`)
      into.set('bytes i100', perSample)
    }
  } finally {
    await target.stop()
    removeFolder(folder)
  }
}

function note(engine: string, name: string, sent: Sent, target: Target): void {
  console.log(
    `  ${engine.padEnd(17)} ${name}: ${sent.kSamplesASecond.toFixed(0)} k samples/s, ` +
      `${sent.cpuSAMillion.toFixed(3)} CPU s a million, peak ${target.rssMb(true).toFixed(0)} MB, ` +
      `request median ${sent.requestMsMedian.toFixed(2)} max ${sent.requestMsMax.toFixed(0)} ms`,
  )
}

async function queryAll(chosen: readonly Engine[], size: Size, figures: Map<string, Figures>): Promise<void> {
  const startMs = startOf(size.queries)
  const bodies = makeBodies({
    edges: 100,
    seconds: size.queries,
    samplesASeries: 10,
    edgesARequest: 10,
    startMs,
    shuffled: false,
    jitterMs: 0,
    only: QUERY_NAMES,
  })
  console.log(`queries: ${bodies.series} series, ${bodies.samples} samples`)
  const paths = queryPaths(startMs / 1000, size.queries)
  for (const engine of chosen) {
    const folder = scratchFolder()
    let target = await engine.start(folder)
    const into = figures.get(engine.name) ?? new Map<string, number>()
    try {
      await send(target, bodies)
      // Engines that write what they have in the background get the time for it.
      await pause(3000)
      for (const [name, path] of paths) {
        const rounds = name.startsWith('a') ? size.rounds * 4 : size.rounds
        into.set(`query ${name}`, await medianQueryMs(target, path + target.extra, rounds))
      }
      await liveFigures(
        target,
        paths.map(([, path]) => path),
        into,
      )
      await target.stop()
      const startedMs = performance.now()
      target = await engine.start(folder)
      await ask(
        target,
        `query?query=${encodeURIComponent('count(node_load1)')}&time=${startMs / 1000 + size.queries}`,
      )
      into.set('restart', (performance.now() - startedMs) / 1000)
      const shown = [...into].filter(
        ([name]) => name.startsWith('query') || name.startsWith('live') || name === 'restart',
      )
      console.log(
        `  ${engine.name}: ${shown.map(([name, value]) => `${name} ${value.toFixed(2)}`).join(', ')}`,
      )
    } finally {
      await target.stop()
      removeFolder(folder)
    }
  }
}

/** 12,000 series each second, and sixty graphs every five. */
async function liveFigures(target: Target, paths: readonly string[], into: Figures): Promise<void> {
  const bodies = makeBodies({
    edges: 100,
    seconds: LIVE_S,
    samplesASeries: 1,
    edgesARequest: 10,
    startMs: Math.floor(Date.now() / 1000) * 1000,
    shuffled: false,
    jitterMs: 0,
    only: null,
  })
  const { writeMsMax, queryMsMedian, queryMsMax } = await live(target, bodies, LIVE_S, paths)
  into.set('live slowest write', writeMsMax)
  into.set('live query median', queryMsMedian)
  into.set('live slowest query', queryMsMax)
}

function queryPaths(startS: number, seconds: number): readonly (readonly [string, string])[] {
  const endS = startS + seconds
  const range = (query: string, span: number, step: number): string =>
    `query_range?query=${encodeURIComponent(query)}&start=${endS - span}&end=${endS}&step=${step}`
  const two = '{instance=~"edge-000[12]:9100",device="eth0"}'
  const hours = `${seconds}s`
  return [
    ['a', range(`node_network_transmit_bytes_total${two}`, 3600, 5)],
    ['a2', range(`rate(node_network_transmit_bytes_total${two}[1m])`, 3600, 5)],
    ['b', range('avg by (region) (rate(node_network_transmit_bytes_total{device="eth0"}[1m]))', seconds, 60)],
    ['c', `query?query=${encodeURIComponent('topk(5, node_load1)')}&time=${endS}`],
    ['d', `query?query=${encodeURIComponent(`max_over_time(node_load1[${hours}])`)}&time=${endS}`],
    ['e', range('histogram_quantile(0.9, sum by (le) (rate(edge_segment_seconds_bucket[1m])))', 3600, 15)],
  ]
}

interface Row {
  readonly key: string
  readonly unit: string
  readonly better: 'lower' | 'higher'
  readonly peer: 'prometheus' | 'victoria-metrics' | 'zabbix' | 'better'
  /** What the ratio should be, where above 1 means that ours is better. */
  readonly goal: number
}

const ZABBIX_RESULTS: readonly Row[] = [
  { key: 'ingest i100', unit: 'k samples/s', better: 'higher', peer: 'zabbix', goal: 15 },
  { key: 'CPU i100', unit: 's a million', better: 'lower', peer: 'zabbix', goal: 1 },
  { key: 'bytes i100', unit: 'bytes a sample', better: 'lower', peer: 'zabbix', goal: 1 },
]

const RESULTS: readonly Row[] = [
  { key: 'ingest i100', unit: 'k samples/s', better: 'higher', peer: 'victoria-metrics', goal: 1 },
  { key: 'ingest i100', unit: 'k samples/s', better: 'higher', peer: 'prometheus', goal: 5 },
  { key: 'ingest i100 shuffled', unit: 'k samples/s', better: 'higher', peer: 'victoria-metrics', goal: 1 },
  { key: 'ingest i1000', unit: 'k samples/s', better: 'higher', peer: 'victoria-metrics', goal: 1 },
  { key: 'ingest k10', unit: 'k samples/s', better: 'higher', peer: 'victoria-metrics', goal: 1.2 },
  { key: 'CPU i100', unit: 'CPU s/million', better: 'lower', peer: 'victoria-metrics', goal: 1 },
  { key: 'slowest request i100', unit: 'ms', better: 'lower', peer: 'victoria-metrics', goal: 1 },
  { key: 'bytes i100', unit: 'bytes/sample', better: 'lower', peer: 'victoria-metrics', goal: 0.89 },
  { key: 'memory i1000', unit: 'MB', better: 'lower', peer: 'prometheus', goal: 0.72 },
  { key: 'query a', unit: 'ms', better: 'lower', peer: 'better', goal: 0.67 },
  { key: 'query a2', unit: 'ms', better: 'lower', peer: 'better', goal: 0.67 },
  { key: 'query b', unit: 'ms', better: 'lower', peer: 'victoria-metrics', goal: 1 },
  { key: 'query c', unit: 'ms', better: 'lower', peer: 'better', goal: 0.67 },
  { key: 'query d', unit: 'ms', better: 'lower', peer: 'victoria-metrics', goal: 1 },
  { key: 'query e', unit: 'ms', better: 'lower', peer: 'victoria-metrics', goal: 1 },
  { key: 'live slowest write', unit: 'ms', better: 'lower', peer: 'prometheus', goal: 1 },
  { key: 'restart', unit: 's', better: 'lower', peer: 'prometheus', goal: 1 },
]

function result(row: Row, figures: ReadonlyMap<string, Figures>): BenchResult[] {
  const ours = figures.get('vitrine')?.get(row.key)
  if (ours === undefined) return []
  const peerName = row.peer === 'better' ? better(row, figures) : row.peer
  const peer = figures.get(peerName)?.get(row.key) ?? null
  const ratio = peer === null ? Number.NaN : row.better === 'lower' ? peer / ours : ours / peer
  const rounded = (value: number): number => Number(value.toPrecision(4))
  return [
    {
      name: row.key,
      unit: row.unit,
      ours: rounded(ours),
      peer: peer === null ? null : rounded(peer),
      peerName: peer === null ? null : peerName,
      ratio: rounded(ratio),
      goal: row.goal,
    },
  ]
}

function better(row: Row, figures: ReadonlyMap<string, Figures>): string {
  const of = (name: string): number => figures.get(name)?.get(row.key) ?? Number.POSITIVE_INFINITY
  return of('prometheus') <= of('victoria-metrics') ? 'prometheus' : 'victoria-metrics'
}
