// Owns `vitrine ledger`: what each server delivered a day, for people, spreadsheets and programs.
// It asks the control room; where none runs it reads the store itself.
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { Fault, silentLog, systemClock } from '#base'
import { type LedgerRow, openStore } from '#metrics'
import { controlFolder } from '../settings.ts'
import { askControl } from './ask-control.ts'
import { type CommonOptions, print, readFleetConfig, table, withData, withJson } from './context.ts'

const SECONDS_AN_HOUR = 3600

type LedgerOptions = CommonOptions & { readonly month: Month; readonly csv?: boolean }

interface Month {
  readonly fromMs: number
  readonly toMs: number
}

/** One server, day and class of title, with its measures beside each other. */
interface DayLine {
  readonly day: string
  readonly server: string
  readonly role: string
  readonly class: string
  readonly bytes: number
  readonly requests: number
  readonly viewerSeconds: number
}

export function registerLedger(program: Command): void {
  const command = program
    .command('ledger')
    .description('what each server delivered on each day (UTC): bytes, requests, viewer-hours')
    .option(
      '--month <yyyy-mm>',
      'a month, as 2026-11 (default: this one)',
      readMonth,
      monthOf(systemClock.wallMs()),
    )
    .option('--csv', 'print comma-separated values, one line a day, server and class of title')
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine ledger\n  npx vitrine ledger --month 2026-11 --csv > november.csv\n  npx vitrine ledger --json',
    )
    .action(async (options: LedgerOptions) => {
      const lines = linesOf(await readRows(options))
      if (options.csv === true) for (const line of csv(lines)) process.stdout.write(`${line}\r\n`)
      else print(lines, options.json, all => pretty(all))
    })
  withJson(withData(command))
}

async function readRows(options: LedgerOptions): Promise<readonly LedgerRow[]> {
  const { fromMs, toMs } = options.month
  try {
    const path = `/api/v1/ledger?start=${fromMs / 1000}&end=${toMs / 1000}`
    return ((await askControl(options, path, 'vitrine ledger')) as { rows: LedgerRow[] }).rows
  } catch (error) {
    // Nobody answers: the store is free, or its lock says who has it.
    if (!(error instanceof Fault && error.code === 'cli-control-away')) throw error
  }
  const folder = join(controlFolder(readFleetConfig(options).data), 'metrics')
  const store = openStore({ folder, clock: systemClock, log: silentLog })
  try {
    return store.ledger(fromMs, toMs)
  } finally {
    await store.close()
  }
}

function linesOf(rows: readonly LedgerRow[]): DayLine[] {
  const lines = new Map<string, DayLine>()
  for (const { day, server, role, class: titleClass, measure, value } of rows) {
    const key = `${day} ${server} ${titleClass}`
    const none = { day, server, role, class: titleClass, bytes: 0, requests: 0, viewerSeconds: 0 }
    const line = lines.get(key) ?? none
    if (measure === 'bytes') lines.set(key, { ...line, bytes: value })
    else if (measure === 'requests') lines.set(key, { ...line, requests: value })
    else lines.set(key, { ...line, viewerSeconds: value })
  }
  return [...lines.values()]
}

function csv(lines: readonly DayLine[]): string[] {
  const head = 'day,server,role,class,bytes,requests,viewer_seconds'
  return [
    head,
    ...lines.map(line =>
      [
        line.day,
        line.server,
        line.role,
        line.class,
        line.bytes,
        line.requests,
        line.viewerSeconds.toFixed(3),
      ].join(','),
    ),
  ]
}

/** Columns for people, with the edges' sum below: what an origin sends goes to edges, not to viewers. */
function pretty(lines: readonly DayLine[]): string[] {
  const cells = ({ bytes, requests, viewerSeconds }: DayLine): string[] => [
    (bytes / 1e9).toFixed(3).padStart(12),
    String(requests).padStart(10),
    (viewerSeconds / SECONDS_AN_HOUR).toFixed(2).padStart(12),
  ]
  const heads = [
    'day',
    'server',
    'class',
    'GB'.padStart(12),
    'requests'.padStart(10),
    'viewer-hours'.padStart(12),
  ]
  const shown = table(
    heads,
    lines.map(line => [line.day, line.server, line.class || '-', ...cells(line)]),
    'nothing was delivered in this month',
  )
  if (lines.length === 0) return shown
  const edges = lines.filter(line => line.role === 'edge')
  const sum = (of: (line: DayLine) => number): number => edges.reduce((all, line) => all + of(line), 0)
  const hours = (sum(line => line.viewerSeconds) / SECONDS_AN_HOUR).toFixed(2)
  const gigabytes = (sum(line => line.bytes) / 1e9).toFixed(3)
  return [
    ...shown,
    '',
    `to viewers: ${gigabytes} GB, ${sum(line => line.requests)} requests, ${hours} viewer-hours`,
  ]
}

function readMonth(text: string): Month {
  const match = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text)
  if (match === null) throw new InvalidArgumentError('expected a month, as 2026-11')
  return month(Number(match[1]), Number(match[2]) - 1)
}

function monthOf(ms: number): Month {
  const now = new Date(ms)
  return month(now.getUTCFullYear(), now.getUTCMonth())
}

function month(year: number, index: number): Month {
  return { fromMs: Date.UTC(year, index), toMs: Date.UTC(year, index + 1) - 1 }
}
