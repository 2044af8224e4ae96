// Owns the operator's file of regions by address: read at the start, and again whenever it changes. A file that cannot
// be read as a whole changes nothing: the table before it stays in use, and a metric says so.
import { readFileSync, type Stats, statSync, unwatchFile, watchFile } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { type Closable, type Counters, type Log, messageOf } from '#base'
import { REGION_CHARACTERS_MAX, type Regions, type RegionsRead, readRegions, readRegionsInSteps } from '#wire'
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
  let current = readable(file, readRegions(textOf(file)))
  const stale = counters.gauge(
    'vitrine_control_regions_file_refused',
    'Above 0: the file of regions has changed and cannot be read; the table before it is in use. See the log for the line.',
  )
  stale.set(0)
  let looks = 0
  const look = async (now: Stats, before: Stats): Promise<void> => {
    if (now.mtimeMs === before.mtimeMs && now.ino === before.ino && now.size === before.size) return
    const mine = ++looks
    try {
      const found = readable(file, await readRegionsInSteps(textOf(file), () => setImmediate()))
      if (mine !== looks) return // it has changed again meanwhile
      current = found
      stale.set(0)
      log.info('regions-read', { file, lines: current.regions.lines })
      publish()
    } catch (error) {
      if (mine !== looks) return
      stale.set(1)
      log.error('regions-refused', { file, error })
    }
  }
  const listener = (now: Stats, before: Stats): void => void look(now, before)
  watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, listener)
  return {
    regionOf: address => current.regions.regionOf(address),
    message: () => ({ type: 'regions', text: current.text }),
    close: async () => {
      looks += 1 // what is still being read is nobody's any more
      unwatchFile(file, listener)
    },
  }
}

function textOf(file: string): string {
  try {
    if (statSync(file).size > REGION_CHARACTERS_MAX)
      throw new Error(`more than ${REGION_CHARACTERS_MAX} bytes`)
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw controlFaults.fault('control-regions-invalid', `${file}: ${messageOf(error)}`, { cause: error })
  }
}

/** Faults: a line is wrong. */
function readable(file: string, found: RegionsRead): Extract<RegionsRead, { kind: 'regions' }> {
  if (found.kind === 'regions') return found
  const message = `${file}:${found.line}: ${found.problem}`
  throw controlFaults.fault('control-regions-invalid', message, { facts: { line: found.line } })
}
