// Owns opening the embedded store. It refuses folders that another version wrote.
import { metricsFaults } from '../faults.ts'
import type { MetricsStore, StoreOptions } from './store.ts'

export function openStore(options: StoreOptions): MetricsStore {
  throw metricsFaults.fault('metrics-store-failed', `not built yet: ${options.folder}`)
}
