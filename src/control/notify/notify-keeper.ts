// Owns which configuration of notifications is in force: looks whether the operator's file changed, and gives a new plan
// to whoever sends. A file that is wrong changes nothing: what was in force goes on, and the reason is told.
import { statSync } from 'node:fs'
import { type Closable, type Counters, every, type FleetTime, type Log, messageOf } from '#base'
import type { Environment } from '#receivers'
import type { NotifyConfig } from '#wire'
import { audit, type StateDb } from '../state/database.ts'
import { type NotifyPlan, planNotify } from './plan.ts'

const LOOK_EVERY_MS = 2000
/** Files with secrets and authorities that are looked at; a configuration has at most a hundred receivers. */
const FILES_MAX = 300

/** Where the configuration comes from. */
export interface NotifySource {
  /** The operator's. */
  readonly file: string
  /** Reads it anew; throws what is wrong with it. */
  read(this: void): NotifyConfig
  /** Told what is in force from now on, so that a start finds it although the file is wrong by then. */
  keep?(this: void, config: NotifyConfig): void
}

export interface NotifyStatus {
  /** Null: there is no file that could change. */
  readonly file: string | null
  /** Fleet time at which what is in force was read. */
  readonly loadedAt: number
  /** Why the file as it stands now is not in force; null: it is. */
  readonly problem: string | null
}

export interface NotifyKeeperOptions {
  /** In force at the start. */
  readonly config: NotifyConfig
  readonly source: NotifySource | null
  readonly environment: Environment
  readonly state: StateDb
  readonly fleetTime: FleetTime
  readonly counters: Counters
  readonly log: Log
}

export class NotifyKeeper implements Closable {
  readonly #options: NotifyKeeperOptions
  #plan: NotifyPlan
  #config: NotifyConfig
  #places: string
  /** Of the file and of what it names; empty at the start, so that the first look reads. */
  #stamp = ''
  #loadedAt: number
  #problem: string | null = null
  #turns: Closable | null = null

  /** Throws `control-notify-invalid`: at the start there is nothing that could go on. */
  constructor(options: NotifyKeeperOptions) {
    this.#options = options
    this.#config = options.config
    this.#places = placesStamp(options.config)
    this.#plan = planNotify(options.config, options.environment)
    this.#loadedAt = options.fleetTime.nowMs()
    const inForce = options.counters.gauge(
      'vitrine_notify_config_in_force',
      'Whether control.notify as it stands in the file is in force (1) or was refused and the old one goes on (0).',
    )
    options.counters.beforeCollect(() => inForce.set(this.#problem === null ? 1 : 0))
  }

  readonly plan = (): NotifyPlan => this.#plan

  status(): NotifyStatus {
    const { source } = this.#options
    return { file: source?.file ?? null, loadedAt: this.#loadedAt, problem: this.#problem }
  }

  /** Looks every two seconds from now on; `onChange` gets the plan that was in force before. */
  follow(onChange: (before: NotifyPlan) => Promise<void>): void {
    if (this.#options.source === null) return
    const { log } = this.#options
    this.#turns = every(
      LOOK_EVERY_MS,
      () => this.look(onChange),
      error => log.error('notify-not-replaced', { error }),
    )
  }

  /** Reads again when the file has changed, or one that it names. */
  async look(onChange: (before: NotifyPlan) => Promise<void>): Promise<void> {
    const { source, environment, log, fleetTime } = this.#options
    if (source === null) return
    const stamp = `${stampOf(source.file)} ${placesStamp(this.#config)}`
    if (stamp === this.#stamp) return
    this.#stamp = stamp
    let config: NotifyConfig
    let plan: NotifyPlan
    const places = (): string => placesStamp(config)
    try {
      config = source.read()
      if (JSON.stringify(config) === JSON.stringify(this.#config) && places() === this.#places) {
        if (this.#problem !== null) log.info('notify-config-in-order', { file: source.file })
        this.#problem = null
        return
      }
      plan = planNotify(config, environment)
    } catch (error) {
      this.#problem = messageOf(error)
      log.error('notify-config-refused', {
        file: source.file,
        problem: this.#problem,
        hint: 'what was in force goes on',
      })
      return
    }
    const before = this.#plan
    this.#plan = plan
    this.#config = config
    this.#places = places()
    this.#stamp = `${stampOf(source.file)} ${this.#places}`
    this.#loadedAt = fleetTime.nowMs()
    this.#problem = null
    await this.#tell(source, config)
    await onChange(before)
  }

  async close(): Promise<void> {
    await this.#turns?.close()
  }

  async #tell({ file, keep }: NotifySource, config: NotifyConfig): Promise<void> {
    const { state, log } = this.#options
    const facts = { receivers: config.receivers.length, routes: config.routes.length }
    log.info('notify-config-loaded', { file, ...facts })
    try {
      keep?.(config)
      const at = state.nowMs()
      await audit(state.db, { at, by: 'vitrine', action: 'notify-changed', subject: file, facts })
    } catch (error) {
      // It is in force all the same.
      log.error('notify-config-not-kept', { file, error })
    }
  }
}

/** Of the files that hold its secrets and authorities: a key that is turned over counts as a change. */
function placesStamp(config: NotifyConfig): string {
  const files = new Set<string>()
  JSON.stringify(config, (key, value: unknown) => {
    if ((key === 'file' || key === 'caFile') && typeof value === 'string' && files.size < FILES_MAX)
      files.add(value)
    return value
  })
  return [...files].map(stampOf).join(' ')
}

function stampOf(file: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(file)
    return `${ino}:${size}:${mtimeMs}`
  } catch (error) {
    return messageOf(error)
  }
}
