// Owns opening the embedded store. It refuses folders that another version wrote, or that another process has open.
import { join } from 'node:path'
import { lockFile } from '#base'
import { EmbeddedStore } from './embedded-store.ts'
import type { MetricsStore, StoreOptions } from './store.ts'

/** Opens the store in `options.folder` and brings back everything that was acknowledged. */
export function openStore(options: StoreOptions): MetricsStore {
  const lock = lockFile(join(options.folder, 'lock'))
  try {
    return new EmbeddedStore(options, lock)
  } catch (error) {
    // Removing a file is done at once; nothing is left to wait for.
    void lock.close()
    throw error
  }
}
