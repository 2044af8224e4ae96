// Owns opening the embedded store. It refuses folders of a format that it does not know, or that another process has open.
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { type Log, lockFile } from '#base'
import { EmbeddedStore } from './embedded-store.ts'
import { inspectStore } from './inspect.ts'
import type { MetricsStore, StoreOptions } from './store.ts'

/** Opens the store in `options.folder` and brings back everything that was acknowledged. */
export function openStore(options: StoreOptions): MetricsStore {
  const lock = lockFile(join(options.folder, 'lock'))
  try {
    setAside(options.folder, options.log)
    return new EmbeddedStore(options, lock)
  } catch (error) {
    // Removing a file is done at once; nothing is left to wait for.
    void lock.close()
    throw error
  }
}

/** Format 1 was never released: what was written in it is kept, in a folder of its own, and not read any more. */
function setAside(folder: string, log: Log): void {
  if (!existsSync(join(folder, 'chunks.db')) || formatOf(folder) !== 1) return
  const aside = join(folder, 'format-1')
  mkdirSync(aside, { recursive: true })
  for (const name of ['chunks.db', 'chunks.db-wal', 'chunks.db-shm', 'log']) {
    if (existsSync(join(folder, name))) renameSync(join(folder, name), join(aside, name))
  }
  log.warn('metrics-format-1-set-aside', { folder: aside })
}

/** Null when it is no metrics store; opening says so. */
function formatOf(folder: string): number | null {
  try {
    return inspectStore(folder).format
  } catch {
    return null
  }
}
