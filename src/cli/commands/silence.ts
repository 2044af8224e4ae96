// Owns `vitrine silence add|list|end`: whose alerts ring nobody for a while; recurring ones are maintenance.
import type { Command } from 'commander'
import { isoTime } from '#base'
import type { SilenceRequest, SilenceView } from '#wire'
import { cliFaults } from '../faults.ts'
import { type CommonOptions, print, readTime, withData, withJson } from './context.ts'
import { BY, withState } from './state.ts'

const FOR_S_MAX = 366 * 86_400
const DAY_MS = 86_400_000
/** A maintenance recurs for so long unless `--until` says less. */
const RECURS_MS = 366 * DAY_MS
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const FOR_S = 7200

type AddOptions = CommonOptions & {
  readonly reason: string
  readonly for?: number
  readonly weekly?: string
  readonly zone: string
}

export function registerSilence(program: Command): void {
  const silence = program.command('silence').description('alerts that are seen, open nothing and ring nobody')
  const add = silence
    .command('add <matchers...>')
    .description('label=value, label!=value, label=~RE2 or label!~RE2; an alert must match all')
    .requiredOption('--reason <words>', 'why, for those who find it later')
    .option('--for <time>', 'how long, for example 30m, 6h, 2d (default: 2h)', text =>
      readTime(text, FOR_S_MAX),
    )
    .option('--weekly <days@HH:MM>', 'maintenance that recurs for --for each time, as sun,wed@23:00')
    .option('--zone <name>', 'of --weekly, as Europe/Berlin', 'UTC')
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine silence add instance=eu-west --reason "disk change" --for 2h\n  npx vitrine silence add region=eu --weekly sun@23:00 --zone Europe/Berlin --for 3h --reason "network"',
    )
    .action(async (matchers: string[], options: AddOptions) => {
      const made = await withState(options, state =>
        state.addSilence(now => requestOf(matchers, options, now), BY),
      )
      print(made, options.json, () => [`${lineOf(made)}; end it with: vitrine silence end ${made.id}`])
    })
  withJson(withData(add))
  const list = silence
    .command('list')
    .description('in force, to come, and ended within a month')
    .action(async (options: CommonOptions) => {
      const all = await withState(options, state => state.listSilences())
      print(all, options.json, () => (all.length === 0 ? ['no silences'] : all.map(lineOf)))
    })
  withJson(withData(list))
  const end = silence
    .command('end <id>')
    .description('its alerts count again')
    .action(async (id: string, options: CommonOptions) => {
      await withState(options, state => state.endSilence(id, BY))
      print({ id }, options.json, () => [`ended ${id}`])
    })
  withJson(withData(end))
}

function requestOf(matchers: readonly string[], options: AddOptions, now: number): SilenceRequest {
  const { reason: comment, weekly, zone } = options
  const read = matchers.map(readMatcher)
  const lasts = { matchers: read, comment, startsAt: now }
  if (weekly === undefined) return { ...lasts, endsAt: now + (options.for ?? FOR_S) * 1000, recurs: null }
  const [, names = '', hour = '', minute = ''] = /^([a-z,]+)@(\d{2}):(\d{2})$/.exec(weekly) ?? []
  const weekdays = names.split(',').map(name => DAYS.indexOf(name))
  if (names === '' || weekdays.includes(-1) || Number(hour) > 23 || Number(minute) > 59) {
    throw cliFaults.fault(
      'cli-usage',
      `--weekly: expected days and a time, as sun,wed@23:00, not ${JSON.stringify(weekly)}`,
    )
  }
  const fromMinute = Number(hour) * 60 + Number(minute)
  const minutes = Math.round((options.for ?? FOR_S) / 60)
  return { ...lasts, endsAt: now + RECURS_MS, recurs: { weekdays, fromMinute, minutes, zone } }
}

function readMatcher(text: string): SilenceRequest['matchers'][number] {
  const [, name, operator, value = ''] = /^([a-zA-Z_][a-zA-Z0-9_]*)(=~|!~|!=|=)(.*)$/s.exec(text) ?? []
  if (name === undefined || operator === undefined) {
    throw cliFaults.fault(
      'cli-usage',
      `expected label=value, label!=value, label=~RE2 or label!~RE2, not ${JSON.stringify(text)}`,
    )
  }
  return { name, value, isRegex: operator.endsWith('~'), isEqual: operator.startsWith('=') }
}

function lineOf({ id, matchers, endsAt, endedAt, recurs, comment, by }: SilenceView): string {
  const words = matchers.map(
    ({ name, value, isRegex, isEqual }) =>
      `${name}${isEqual ? '=' : '!'}${isRegex ? '~' : isEqual ? '' : '='}${value}`,
  )
  const weekly =
    recurs === null
      ? ''
      : `, each ${recurs.weekdays.map(day => DAYS[day] ?? '').join(',')} at ${hourOf(recurs.fromMinute)} for ${recurs.minutes} min (${recurs.zone})`
  const until = endedAt === null ? `until ${isoTime(endsAt)}` : `ended ${isoTime(endedAt)}`
  return `${id}  ${words.join(' ')}  ${until}${weekly}  ${comment} (${by})`
}

function hourOf(minute: number): string {
  return [Math.floor(minute / 60), minute % 60].map(part => String(part).padStart(2, '0')).join(':')
}
