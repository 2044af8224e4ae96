// Owns what all commands share: the options that they have in common, and printing for people or programs.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { loadConfig } from '#base'
import { type Config, configSchema } from '../config.ts'
import { keptConfigFile } from '../settings.ts'

export interface CommonOptions {
  readonly config?: string
  readonly data?: string
  readonly portBase?: number
  readonly json?: boolean
}

const PORT_BASE_MAX = 65_000

/** Where relative paths of the command line start: npm changes the folder, and says from where it was called. */
export function callerPath(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? process.cwd(), path)
}

/** Whoever starts a fleet with `--data` and `--port-base` says the same to what asks it. */
export function withData(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file; see config/example.yaml')
    .option('--data <dir>', 'folder of all state (default: ./data)')
    .option('--port-base <n>', 'move all ports: control room at N, edges from N+1, origin at N+10', readPort)
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON')
}

export function readPort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= PORT_BASE_MAX) return port
  throw new InvalidArgumentError(`expected a number from 0 to ${PORT_BASE_MAX}`)
}

/** How many of something: from 1 to `max`. */
export function readCount(max: number): (text: string) => number {
  return text => {
    const count = Number(text)
    if (/^\d{1,9}$/.test(text) && count >= 1 && count <= max) return count
    throw new InvalidArgumentError(`expected a number from 1 to ${max}`)
  }
}

const SECONDS = { m: 60, h: 3600, d: 86_400 } as const

/** `30m`, `6h`, `2d`: seconds, from a minute on. */
export function readTime(text: string, secondsMax: number): number {
  const match = /^(\d{1,6})([mhd])$/.exec(text)
  const seconds = match === null ? 0 : Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS]
  if (seconds >= SECONDS.m && seconds <= secondsMax) return seconds
  const days = secondsMax / SECONDS.d
  throw new InvalidArgumentError(`expected a time from 1m to ${days}d, for example 30m, 6h, 2d`)
}

/** `90s`, `10m`, `1h`: seconds, up to a week. */
export function readSeconds(text: string): number {
  const match = /^(\d{1,6})([smh])$/.exec(text)
  const seconds =
    match === null ? 0 : Number(match[1]) * { s: 1, m: 60, h: 3600 }[match[2] as 's' | 'm' | 'h']
  if (seconds > 0 && seconds <= 604_800) return seconds
  throw new InvalidArgumentError('expected a time from 1s to a week, for example 90s, 10m, 1h')
}

/** `800k`, `3M`: bits a second. */
export function readRate(text: string): number {
  const match = /^(\d{1,9}(?:\.\d+)?)([kMG]?)$/.exec(text)
  const factors: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 }
  const rate = match === null ? 0 : Number(match[1]) * (factors[match[2] ?? ''] ?? 0)
  if (rate >= 1000 && rate <= 1e12) return rate
  throw new InvalidArgumentError('expected bits a second from 1k on, for example 800k, 3M')
}

/** The configuration with the flags that override it, and the absolute data folder. */
export function readConfig(options: CommonOptions): { config: Config; data: string } {
  const file = options.config === undefined ? null : callerPath(options.config)
  const loaded = loadConfig(configSchema, file, process.env)
  const config = options.portBase === undefined ? loaded : { ...loaded, portBase: options.portBase }
  return { config, data: callerPath(options.data ?? config.data ?? 'data') }
}

/**
 * For commands beside a local fleet: the configuration that it was started with last, so that its flags need not be
 * given again. What is given now goes before.
 */
export function readFleetConfig(options: CommonOptions): { config: Config; data: string } {
  const own = readConfig(options)
  const kept = keptConfigFile(own.data)
  if (options.config !== undefined || !existsSync(kept)) return own
  try {
    return { ...readConfig({ ...options, config: kept }), data: own.data }
  } catch {
    return own // written by another version
  }
}

/** Prints one value: as JSON, or as the lines that `lines` makes of it. */
export function print<Value>(
  value: Value,
  json: boolean | undefined,
  lines: (value: Value) => readonly string[],
): void {
  const text = json === true ? [JSON.stringify(value)] : lines(value)
  for (const line of text) process.stdout.write(`${line}\n`)
}

/** Aligned columns under their heads; `none` when there are no rows. */
export function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  none: string,
): string[] {
  if (rows.length === 0) return [none]
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map(row => (row[column] ?? '').length)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(heads), ...rows.map(line)]
}
