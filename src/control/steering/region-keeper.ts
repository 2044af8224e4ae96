// Owns the operator's file of regions by address: read at the start, and again whenever it changes. A file that cannot
// be read as a whole changes nothing: the table before it stays in use, and a metric says so.
import { readFileSync, type Stats, statSync, unwatchFile, watchFile } from 'node:fs'
import { type Closable, type Counters, type Log, messageOf } from '#base'
import { type AddressRegions, REGION_CHARACTERS_MAX, type Regions, readRegions } from '#wire'
import { controlFaults } from '../faults.ts'

/** Rewritten, renamed or a changed symlink: looking at the file works for all of them. */
const LOOK_EVERY_MS = 2000

export interface RegionKeeper extends Closable {
  /** Null: not known. */
  regionOf(this: void, address: string): string | null
  /** For edges; null: no file is configured. */
  message(this: void): Regions | null
}

export interface RegionKeeperOptions {
  readonly file: string | null
  readonly counters: Counters
  readonly log: Log
  /** Edges are to be told. */
  readonly publish: () => void
}

/** Fault: the file cannot be read, or one of its lines. */
export function startRegionKeeper({ file, counters, log, publish }: RegionKeeperOptions): RegionKeeper {
  if (file === null) return { regionOf: () => null, message: () => null, close: async () => undefined }
  let current = read(file)
  const stale = counters.gauge(
    'vitrine_control_regions_file_refused',
    'Above 0: the file of regions has changed and cannot be read; the table before it is in use. See the log for the line.',
  )
  stale.set(0)
  const look = (now: Stats, before: Stats): void => {
    if (now.mtimeMs === before.mtimeMs && now.ino === before.ino && now.size === before.size) return
    try {
      current = read(file)
      stale.set(0)
      log.info('regions-read', { file, lines: current.regions.lines })
      publish()
    } catch (error) {
      stale.set(1)
      log.error('regions-refused', { file, error })
    }
  }
  watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, look)
  return {
    regionOf: address => current.regions.regionOf(address),
    message: () => ({ type: 'regions', text: current.text }),
    close: async () => unwatchFile(file, look),
  }
}

function read(file: string): { readonly regions: AddressRegions; readonly text: string } {
  let text: string
  try {
    if (statSync(file).size > REGION_CHARACTERS_MAX)
      throw new Error(`more than ${REGION_CHARACTERS_MAX} bytes`)
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw controlFaults.fault('control-regions-invalid', `${file}: ${messageOf(error)}`, { cause: error })
  }
  const found = readRegions(text)
  if (found.kind === 'regions') return found
  const message = `${file}:${found.line}: ${found.problem}`
  throw controlFaults.fault('control-regions-invalid', message, { facts: { line: found.line } })
}
