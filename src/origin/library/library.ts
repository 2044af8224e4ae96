// Owns the list of titles: it watches the folders, indexes what is new once it holds still, forgets what is gone.
// One bad file harms nothing else; plans beyond the memory limit are forgotten and made again when asked for.
import { type FSWatcher, watch } from 'node:fs'
import { basename } from 'node:path'
import { type Clock, type Closable, type Log, messageOf } from '#base'
import type { TitleReport } from '#wire'
import { originFaults } from '../faults.ts'
import type { TitlePlan } from '../packager/plan.ts'
import { readInPlaceFolders } from './in-place.ts'
import { type FileFacts, type IndexedTitle, indexTitle, reportOf } from './index-title.ts'
import { PlanMemory } from './plan-memory.ts'
import { FILES_MAX, type FoundFile, scanFolder } from './scan-folder.ts'
import { type TitlePlace, titleIdOf, titleNameOf } from './title-id.ts'

/** A change is noticed by fs.watch at once, and by the next scan where that does not reach (network disks). */
const RESCAN_MS = 1000
/** While files are being written, so that they count soon after they hold still. */
const RESCAN_SETTLING_MS = 200
/** A file counts once its size and time were the same for so long: somebody may still be copying it. */
const SETTLE_MS = 800
/** At the start, what has not changed for so long is believed at once. */
const SETTLED_AGE_MS = 5000
/** Scans take at most this share of the time: a library on a slow disk is scanned less often. */
const SCAN_SHARE_MAX = 0.02
/** While files are being written; with 10,000 files a scan takes about 0.15 s. */
const SCAN_SHARE_SETTLING_MAX = 0.1
/** A file that could not be read, for its permissions or the disk, is tried again so often. */
const RETRY_MS = 5000
const WATCHERS_MAX = 500 // of inotify's 8192 for each user, by default

export interface LibraryOptions {
  readonly mediaFolder: string
  readonly builtinFolders: readonly string[]
  /** Holds in-place.json. */
  readonly stateFolder: string
  readonly clock: Clock
  readonly log: Log
  /** The whole list, after each change. */
  readonly onChange: (titles: readonly TitleReport[]) => void
}

/** A title that is ready, with all that serving it needs. */
export interface ReadyTitle {
  readonly id: string
  readonly path: string
  readonly facts: FileFacts
  readonly revision: string
  readonly plan: TitlePlan
}

interface Entry {
  readonly id: string
  readonly path: string
  readonly facts: FileFacts
  readonly report: TitleReport
  /** Why it cannot play; null: it can. */
  readonly reason: string | null
  /** When to look again although the file has not changed: it could not be read. Infinite: never. */
  readonly retryAtMs: number
}

interface Candidate extends FoundFile {
  readonly place: TitlePlace
}

/** Mutable state of the library; `start` to begin, `close` to end. */
export class Library implements Closable {
  readonly #options: LibraryOptions
  readonly #plans = new PlanMemory()
  readonly #watchers = new Map<string, FSWatcher>()
  /** By path: since when a file has looked as it does. */
  readonly #settling = new Map<string, { facts: FileFacts; sinceMs: number }>()
  #entries = new Map<string, Entry>()
  #closed = false
  #first = true
  /** True once the first scan is through: before, a title that is not known may still be found. */
  #complete = false
  #wake: (() => void) | null = null
  #poked = false
  #loop: Promise<void> = Promise.resolve()
  #limit: string | null = null

  constructor(options: LibraryOptions) {
    this.#options = options
  }

  start(): void {
    this.#loop = this.#run()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#wake?.()
    for (const watcher of this.#watchers.values()) watcher.close()
    await this.#loop
  }

  /** False until something was indexed or the first scan is through: then there is no list to tell. */
  hasList(): boolean {
    return this.#complete || this.#entries.size > 0
  }

  reports(): TitleReport[] {
    return [...this.#entries.values()].map(({ report }) => report)
  }

  /** The title by its id, or an origin-title-* fault. */
  async title(id: string): Promise<ReadyTitle> {
    const entry = this.#entries.get(id)
    if (entry === undefined && !this.#complete) {
      throw originFaults.fault(
        'origin-starting',
        `the library is still being read; title ${id} was not seen yet`,
      )
    }
    if (entry === undefined) throw originFaults.fault('origin-title-unknown', `there is no title ${id}`)
    const { revision } = entry.report
    if (revision === null) {
      const message = `title ${id} cannot be played: ${entry.reason ?? 'unknown'}`
      throw originFaults.fault('origin-title-broken', message)
    }
    const { path, facts } = entry
    const plan = await this.#plans.get(revision, () => this.#planAgain(entry, revision))
    return { id, path, facts, revision, plan }
  }

  /** Makes the next scan happen now, for example because a file was not what it was. */
  poke(): void {
    this.#poked = true
    this.#wake?.()
  }

  async #planAgain(entry: Entry, revision: string): Promise<TitlePlan> {
    const indexed = await indexTitle(entry.path, entry.facts)
    if (indexed.kind === 'ready' && indexed.revision === revision) return indexed.plan
    this.poke()
    const message = `title ${entry.id} was changed since its playlist was written`
    throw originFaults.fault('origin-revision-gone', message)
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const startedMs = this.#options.clock.monotonicMs()
      try {
        await this.#scan()
      } catch (error) {
        this.#options.log.error('library-scan-failed', { error })
      }
      const tookMs = this.#options.clock.monotonicMs() - startedMs
      const isSettling = this.#settling.size > 0
      const periodMs = isSettling ? RESCAN_SETTLING_MS : RESCAN_MS
      const shareMax = isSettling ? SCAN_SHARE_SETTLING_MAX : SCAN_SHARE_MAX
      await this.#rest(Math.max(periodMs, tookMs / shareMax - tookMs))
    }
  }

  async #rest(ms: number): Promise<void> {
    if (this.#closed) return
    if (!this.#poked) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, ms)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = null
    }
    this.#poked = false
  }

  async #scan(): Promise<void> {
    const found = await this.#find()
    const isFirst = this.#first
    this.#first = false
    const entries = new Map<string, Entry>()
    const seen = new Set<string>()
    let changed = false
    let publishedMs = Number.NEGATIVE_INFINITY
    for (const file of found) {
      if (this.#closed) return
      seen.add(file.path)
      const id = this.#freeId(file.place, entries)
      if (id === null) continue
      const known = this.#entries.get(id)
      const same =
        known !== undefined &&
        known.path === file.path &&
        sameFacts(known.facts, factsOf(file)) &&
        this.#options.clock.monotonicMs() < known.retryAtMs
      if (same || !this.#isSettled(file, isFirst)) {
        if (known !== undefined) entries.set(id, known)
        continue
      }
      this.#settling.delete(file.path)
      entries.set(id, await this.#index(id, file))
      changed = true
      // A long first scan shows what it has so far.
      if (isFirst && this.#options.clock.monotonicMs() - publishedMs > RESCAN_MS) {
        publishedMs = this.#options.clock.monotonicMs()
        this.#publish(entries)
      }
    }
    for (const path of this.#settling.keys()) if (!seen.has(path)) this.#settling.delete(path)
    const removed = [...this.#entries.keys()].some(id => !entries.has(id))
    this.#complete = true
    if (changed || removed || isFirst) this.#publish(entries)
  }

  #publish(entries: Map<string, Entry>): void {
    this.#entries = new Map(entries)
    this.#options.onChange(this.reports())
  }

  async #find(): Promise<Candidate[]> {
    const { mediaFolder, builtinFolders, stateFolder } = this.#options
    const candidates: Candidate[] = []
    const folders: string[] = [stateFolder]
    const add = async (root: string, placeOf: (file: FoundFile) => TitlePlace): Promise<void> => {
      const scan = await scanFolder(root)
      folders.push(...scan.folders)
      for (const file of scan.files) candidates.push({ ...file, place: placeOf(file) })
      if (scan.limit !== null) this.#warnLimit(`${root}: ${scan.limit}`)
    }
    const plain = (origin: 'builtin' | 'media') => (file: FoundFile) => {
      return { origin, relativePath: file.relativePath, key: file.relativePath }
    }
    for (const folder of builtinFolders) await add(folder, plain('builtin'))
    await add(mediaFolder, plain('media'))
    for (const folder of readInPlaceFolders(stateFolder)) {
      await add(folder, file => ({
        origin: 'in-place',
        relativePath: `${basename(folder)}/${file.relativePath}`,
        key: file.path,
      }))
    }
    this.#watch(folders)
    if (candidates.length > FILES_MAX) this.#warnLimit(`more than ${FILES_MAX} files in all folders`)
    return candidates.slice(0, FILES_MAX)
  }

  /** Two files with one id are next to impossible; the second one in order is left out and named. */
  #freeId(place: TitlePlace, taken: ReadonlyMap<string, Entry>): string | null {
    const id = titleIdOf(place)
    if (!taken.has(id)) return id
    this.#warnLimit(`${place.relativePath} has the id ${id} of another file`)
    return null
  }

  #isSettled(file: Candidate, isFirst: boolean): boolean {
    const { clock } = this.#options
    const nowMs = clock.monotonicMs()
    if (isFirst && clock.wallMs() - file.mtimeMs > SETTLED_AGE_MS) return true
    const facts = factsOf(file)
    const before = this.#settling.get(file.path)
    if (before === undefined || !sameFacts(before.facts, facts)) {
      this.#settling.set(file.path, { facts, sinceMs: nowMs })
      return false
    }
    return nowMs - before.sinceMs >= SETTLE_MS
  }

  async #index(id: string, file: Candidate): Promise<Entry> {
    const { log, clock } = this.#options
    const startedMs = clock.monotonicMs()
    const facts = factsOf(file)
    const name = titleNameOf(file.relativePath)
    const indexed: IndexedTitle = await indexTitle(file.path, facts)
    const tookMs = Math.round(clock.monotonicMs() - startedMs)
    const report = reportOf({ id, name, class: file.place.origin === 'builtin' ? 'builtin' : 'vod' }, indexed)
    if (indexed.kind === 'ready') {
      this.#plans.put(indexed.revision, indexed.plan)
      log.info('title-ready', { title: id, path: file.path, revision: indexed.revision, tookMs })
      return { id, path: file.path, facts, report, reason: null, retryAtMs: Number.POSITIVE_INFINITY }
    }
    log.warn('title-broken', { title: id, path: file.path, code: indexed.code, reason: indexed.reason })
    const isTransient = indexed.code === 'origin-file-unreadable' || indexed.code === 'unexpected'
    const retryAtMs = isTransient ? clock.monotonicMs() + RETRY_MS : Number.POSITIVE_INFINITY
    return { id, path: file.path, facts, report, reason: indexed.reason, retryAtMs }
  }

  /** Watches each folder that the scan walked; what cannot be watched is still scanned. */
  #watch(folders: readonly string[]): void {
    const wanted = new Set(folders.slice(0, WATCHERS_MAX))
    for (const [folder, watcher] of this.#watchers) {
      if (wanted.has(folder)) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
    for (const folder of wanted) {
      if (this.#watchers.has(folder) || this.#closed) continue
      try {
        const watcher = watch(folder, { persistent: false }, () => this.poke())
        watcher.on('error', () => {
          watcher.close()
          this.#watchers.delete(folder)
        })
        this.#watchers.set(folder, watcher)
      } catch (error) {
        this.#options.log.debug('watch-failed', { folder, problem: messageOf(error) })
      }
    }
  }

  #warnLimit(problem: string): void {
    if (this.#limit === problem) return
    this.#limit = problem
    this.#options.log.warn('library-limit', { problem })
  }
}

function factsOf(file: FoundFile): FileFacts {
  return { bytes: file.bytes, mtimeMs: file.mtimeMs, inode: file.inode }
}

function sameFacts(a: FileFacts, b: FileFacts): boolean {
  return a.bytes === b.bytes && a.mtimeMs === b.mtimeMs && a.inode === b.inode
}
