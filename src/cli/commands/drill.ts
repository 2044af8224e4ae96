// Owns `vitrine drill`: begins a drill on the local fleet, tells what happens, and prints its score. The drill is led by
// the control room, and ends when nobody follows it any more.
import type { Command } from 'commander'
import { Fault } from '#base'
import { type DrillKind, type DrillView, drillAnswer, drillKinds, drillsAnswer } from '#wire'
import { cliFaults } from '../faults.ts'
import { controlAddress } from '../settings.ts'
import { askControl } from './ask-control.ts'
import { type CommonOptions, print, readFleetConfig, table, withData, withJson } from './context.ts'

const BY = 'vitrine drill'
const LOOK_MS = 1000
/** The control room may start again meanwhile; it undoes the drill by itself. */
const AWAY_LOOKS_MAX = 60

type DrillOptions = CommonOptions & { readonly ring?: boolean; readonly viewers?: string }

export function registerDrill(program: Command): void {
  const command = program
    .command('drill')
    .description('rehearse a night on the local fleet: servers are hurt, found, mended, and all is undone')
  for (const kind of drillKinds) {
    withJson(withData(command.command(kind)))
      .description(descriptions[kind])
      .option('--ring', 'people are rung as on a real night; else nobody is')
      .option('--viewers <count>', 'simulated viewers, at least', '30')
      .action((options: DrillOptions) => run(kind, options))
  }
  withJson(withData(command.command('list')))
    .description('past drills and their scores')
    .action(async (options: CommonOptions) => {
      const answer = drillsAnswer.parse(await askControl(options, '/api/v1/drills', BY))
      print(answer, options.json, ({ drills, targets, problem }) => [
        ...table(
          ['ID', 'DRILL', 'BEGAN', 'STANDS'],
          drills.map(({ id, kind, startedAt, state, text }) => [
            id,
            kind,
            new Date(startedAt).toISOString().slice(0, 19),
            `${state}: ${text}`,
          ]),
          'no drills yet',
        ),
        `may be hurt: ${targets.length === 0 ? 'no server' : targets.join(', ')}`,
        ...(problem === null ? [] : [problem]),
      ])
    })
}

const descriptions: Readonly<Record<DrillKind, string>> = {
  'leap-second-2012': 'one edge freezes, another gets the early timers of 30 June 2012',
  'edge-frozen': 'one edge freezes',
  'clock-step': 'the clock of one agent is put forward by 1.5 s',
  'leap-flag-bogus': 'a time source of one agent announces a leap second that nobody plans',
}

async function run(kind: DrillKind, options: DrillOptions): Promise<void> {
  const viewers = Number(options.viewers)
  if (!Number.isInteger(viewers) || viewers < 0 || viewers > 100)
    throw cliFaults.fault('cli-usage', '--viewers: expected 0 to 100')
  const body = { drill: kind, viewers, attended: true, ...(options.ring === true ? { ring: true } : {}) }
  const begun = drillAnswer.parse(await askControl(options, '/api/v1/drills', BY, { role: 'admin', body }))
  const { id } = begun.drill
  let interrupted = false
  const interrupt = (): void => {
    interrupted = true
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  let told = 0
  let stopSaid = false
  for (let away = 0; away < AWAY_LOOKS_MAX; ) {
    const verb = interrupted && !stopSaid ? 'stop' : 'follow'
    const drill = await look(options, `${id}/${verb}`)
    away = drill === null ? away + 1 : 0
    if (drill === null) {
      await pause(LOOK_MS)
      continue
    }
    if (verb === 'stop') stopSaid = true
    for (const { at, text } of drill.log.slice(told)) if (options.json !== true) say(drill, at, text)
    told = drill.log.length
    if (drill.endedAt !== null) return finish(options, drill)
    await pause(LOOK_MS)
  }
  process.stderr.write('the control room does not answer any more; it undoes the drill when it is back\n')
  process.exitCode = 1
}

function say({ startedAt }: DrillView, at: number, text: string): void {
  process.stdout.write(`${`${((at - startedAt) / 1000).toFixed(1)} s`.padStart(8)}  ${text}\n`)
}

function finish(options: CommonOptions, drill: DrillView): void {
  const { config, data } = readFleetConfig(options)
  const base = controlAddress(config, data)
  print(drill, options.json, one => scoreLines(one, base))
  if (drill.state !== 'passed') process.exitCode = 1
}

export function scoreLines(
  { id, kind, state, text, score, incidents, shortened, runs = [] }: DrillView,
  base: string,
): string[] {
  const links = incidents.map(({ id: incident }) => `  ${base}/incidents/${incident}`)
  if (score === null) return [`drill ${id} (${kind}) ${state}: ${text}`, ...links]
  const { points, of, marks, viewerMinutesLost } = score
  return [
    '',
    `Drill ${kind} (${id}): ${state}, ${points} of ${of}${state === 'stopped' || text.startsWith(`${points} `) ? '' : `: ${text}`}`,
    '',
    ...marks.map(
      ({ ok, name, text: got, wanted }) =>
        `  ${ok ? 'ok    ' : 'WRONG '} ${name}: ${got}${wanted === undefined ? '' : `; wanted ${wanted}`}`,
    ),
    ...runs.flatMap(({ id: run, runbook, canary, servers }) =>
      canary === null
        ? []
        : [
            `  canary of ${runbook} (run ${run}): ${canary}, before ${servers.filter(one => one !== canary).join(', ')}`,
          ],
    ),
    '',
    `  viewer-minutes lost: ${viewerMinutesLost === null ? 'not measured' : viewerMinutesLost.toFixed(2)}`,
    ...shortened.map(one => `  otherwise than on a real night: ${one}`),
    ...links,
    `  ${base}/drills`,
  ]
}

/** Null: nobody answers at this moment. */
async function look(options: CommonOptions, path: string): Promise<DrillView | null> {
  try {
    const sent = { role: 'admin' as const, body: {} }
    return drillAnswer.parse(await askControl(options, `/api/v1/drills/${path}`, BY, sent)).drill
  } catch (error) {
    if (error instanceof Fault && error.code === 'cli-control-away') return null
    throw error
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, ms)
  })
}
