// Owns opening the embedded store. It refuses folders that another version wrote, or that another process has open.
import { EmbeddedStore } from './embedded-store.ts'
import type { MetricsStore, StoreOptions } from './store.ts'

/** Opens the store in `options.folder` and brings back everything that was acknowledged. */
export function openStore(options: StoreOptions): MetricsStore {
  return new EmbeddedStore(options)
}
