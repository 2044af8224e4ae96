// Owns what the control room tells of its own metrics store: samples taken and refused, and whether the disk takes them.
// It refuses to look through series: the store keeps these numbers anyway.
import type { Counter, Counters } from '#base'
import type { MetricsStore } from '#metrics'

/** Counters and the gauge follow the store's own totals at each collection. */
export function registerStoreMetrics(counters: Counters, store: MetricsStore): void {
  const failing = counters.gauge(
    'vitrine_metrics_store_failing',
    '1 while the disk of the metrics store refuses samples. Absent from queries for that time, as it is not stored either.',
  )
  const accepted = follow(
    counters.counter('vitrine_metrics_samples_total', 'Samples that the metrics store took.'),
  )
  const refused = follow(
    counters.counter(
      'vitrine_metrics_samples_refused_total',
      'Samples that the metrics store did not take, by reason; duplicates are harmless.',
    ),
  )
  const exemplars = follow(
    counters.counter(
      'vitrine_metrics_exemplars_dropped_total',
      'Exemplars in remote writes: they are not kept.',
    ),
  )
  const histograms = follow(
    counters.counter(
      'vitrine_metrics_histograms_dropped_total',
      'Native histograms in remote writes: they are not kept. Let the sender send classic ones.',
    ),
  )
  const batches = follow(
    counters.counter(
      'vitrine_metrics_batches_refused_total',
      'Writes refused as a whole, because the disk did not take them: free space, or look at the disk.',
    ),
  )
  counters.beforeCollect(() => {
    const totals = store.totals()
    failing.set(Number(totals.failing !== null))
    accepted('', totals.accepted)
    for (const [reason, count] of Object.entries(totals.refused)) refused(reason, count)
    exemplars('', totals.exemplars)
    histograms('', totals.histograms)
    batches('', totals.refusedBatches)
  })
}

/** Adds by how much a total has grown since it was last told. */
function follow(counter: Counter): (reason: string, total: number) => void {
  const last = new Map<string, number>()
  return (reason, total) => {
    counter.add(total - (last.get(reason) ?? 0), reason === '' ? {} : { reason })
    last.set(reason, total)
  }
}
