// Owns reading what the metrics store says about the work of a query (`stats=all` of the Prometheus API): counts and
// times by stage. It shows what is there; an answer without statistics gives null.

export interface Stage {
  readonly name: string
  readonly ms: number
}

export interface Count {
  readonly name: string
  readonly value: number
}

export interface QueryStats {
  readonly totalMs: number | null
  readonly stages: readonly Stage[]
  readonly counts: readonly Count[]
}

const ENTRIES_MAX = 24 // a page of figures explains nothing
const TOTALS: ReadonlySet<string> = new Set(['execTotalTime', 'totalTime', 'total'])
/** Prometheus' sum of its parts: where the part is told, too, it would count twice. */
const SUM = 'evalTotalTime'
const PART = 'innerEvalTime'

const WORDS: Readonly<Record<string, string>> = {
  execQueueTime: 'waiting for a turn',
  queryPreparationTime: 'preparing',
  evalTotalTime: 'evaluating',
  innerEvalTime: 'evaluating',
  resultSortTime: 'sorting',
  totalQueryableSamples: 'samples touched',
  peakSamples: 'samples in memory at most',
  series: 'series touched',
  seriesTouched: 'series touched',
  samplesTouched: 'samples touched',
}

export function readStats(value: unknown): QueryStats | null {
  if (!isRecord(value)) return null
  const timings = isRecord(value['timings']) ? value['timings'] : {}
  const times = Object.entries(timings).flatMap(([key, entry]) =>
    typeof entry === 'number' && Number.isFinite(entry) ? [{ key, ms: msOf(key, entry) }] : [],
  )
  const counts = [value, ...Object.values(value).filter(isRecord)]
    .filter(part => part !== timings)
    .flatMap(part => Object.entries(part))
    .flatMap(([key, entry]) =>
      typeof entry === 'number' && Number.isFinite(entry) ? [{ name: wordsOf(key), value: entry }] : [],
    )
  const inParts = times.some(({ key }) => key === PART)
  const stages = times.filter(({ key }) => !TOTALS.has(key) && !(inParts && key === SUM))
  if (times.length === 0 && counts.length === 0) return null
  return {
    totalMs: times.find(({ key }) => TOTALS.has(key))?.ms ?? null,
    stages: stages.slice(0, ENTRIES_MAX).map(({ key, ms }) => ({ name: wordsOf(key), ms })),
    counts: counts.slice(0, ENTRIES_MAX),
  }
}

/** Prometheus gives seconds; a name that ends in its unit is believed. */
function msOf(key: string, value: number): number {
  return key.endsWith('Ms') ? value : value * 1000
}

/** `resultSortTime` becomes `result sort`. */
function wordsOf(key: string): string {
  const plain = key.replace(/(Time|Ms|Seconds)$/, '').replace(/([a-z])([A-Z])/g, '$1 $2')
  return WORDS[key] ?? plain.toLowerCase()
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
