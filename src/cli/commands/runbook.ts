// Owns `vitrine runbook`: checks runbooks without a control room; lists, tries, runs and follows them with the one of
// this data folder.
import type { Command } from 'commander'
import { Fault, messageOf } from '#base'
import { readRunbook, readTextFile, runbookPaths } from '#control'
import { type DryRun, dryRun, type RunView, runAnswer, runbooksAnswer, runsAnswer } from '#wire'
import { askControl } from './ask-control.ts'
import { type CommonOptions, callerPath, print, table, withData, withJson } from './context.ts'

const BY = 'vitrine runbook'
const LOOK_MS = 1000
/** Whoever reads the data folder may do everything: what a runbook asks of roles is kept for people who sign in. */
const ROLE = 'admin' as const
const LISTED_MAX = 20
/** Two minutes without an answer. */
const AWAY_LOOKS_MAX = 120

type RunOptions = CommonOptions & {
  readonly reason?: string
  readonly incident?: string
  readonly follow?: boolean
}

export function registerRunbook(program: Command): void {
  const command = program.command('runbook').description('check, try and run runbooks')
  withJson(command.command('check <path...>'))
    .description('whether runbooks (files or folders) would be taken')
    .action((paths: string[], options: CommonOptions) => checkFiles(paths, options))
  withJson(withData(command.command('list')))
    .description('the runbooks that the control room has')
    .action(async (options: CommonOptions) => {
      const answer = runbooksAnswer.parse(await askControl(options, '/api/v1/runbooks', BY))
      print(answer, options.json, ({ runbooks, problem }) => [
        ...table(
          ['NAME', 'TITLE', 'STEPS'],
          runbooks.map(({ name, title, steps }) => [name, title, String(steps.length)]),
          'no runbooks',
        ),
        ...(problem === null ? [] : [`not in force: ${problem}`]),
      ])
    })
  const reason = ['--reason <words>', 'why, for those who find it later'] as const
  withJson(withData(command.command('dry-run <name> <server...>')))
    .description('what would be done, where and to whom; changes nothing')
    .action((name: string, servers: string[], options: RunOptions) => tryRun(name, servers, options))
  withJson(withData(command.command('run <name> <server...>')))
    .description('run it, and follow it to its end')
    .requiredOption(...reason)
    .option('--incident <id>', 'the incident that it is to end')
    .option('--no-follow', 'begin it, print its id and return')
    .action((name: string, servers: string[], options: RunOptions) => run(name, servers, options))
  withJson(withData(command.command('status [id]')))
    .description('one run, or the last ones')
    .action((id: string | undefined, options: CommonOptions) => status(id, options))
  for (const [verb, words] of [
    ['approve', 'approve what a run waits for'],
    ['stop', 'begin nothing more; servers that were touched stay drained'],
  ] as const) {
    withJson(withData(command.command(`${verb} <id>`)))
      .description(words)
      .action(async (id: string, options: CommonOptions) => {
        const sent = { role: ROLE, body: {} }
        const answer = runAnswer.parse(
          await askControl(options, `/api/v1/runs/${encodeURIComponent(id)}/${verb}`, BY, sent),
        )
        print(answer.run, options.json, one => lines(one))
      })
  }
}

function checkFiles(paths: readonly string[], { json }: CommonOptions): void {
  const results = paths.flatMap(path => {
    try {
      return runbookPaths(callerPath(path)).map(file => checkOne(file))
    } catch (error) {
      return [{ file: callerPath(path), steps: 0, problem: messageOf(error) }]
    }
  })
  print(results, json, all =>
    all.map(({ file, steps, problem }) => problem ?? `${file}: ${steps} steps, would be taken`),
  )
  if (results.some(({ problem }) => problem !== null)) process.exitCode = 1
}

function checkOne(file: string): { file: string; steps: number; problem: string | null } {
  try {
    return { file, steps: readRunbook(readTextFile(file), file).steps.length, problem: null }
  } catch (error) {
    return { file, steps: 0, problem: messageOf(error) }
  }
}

async function tryRun(runbook: string, servers: readonly string[], options: RunOptions): Promise<void> {
  const body = { runbook, servers, reason: 'dry run' }
  const answer = dryRun.parse(
    await askControl(options, '/api/v1/runs/dry-run', BY, { role: 'operator', body }),
  )
  print(answer, options.json, dryLines)
  if (!answer.ready) process.exitCode = 1
}

function dryLines({ runbook, ready, problems, warnings, batches, onFailure }: DryRun): string[] {
  return [
    `${runbook.name}: ${runbook.title}`,
    ...batches.flatMap(({ name, servers }) =>
      servers.flatMap(({ id, region, state, viewers, next, capacity, steps }) => [
        `${name}: ${id} (${region}, ${state}), ${viewers} viewers`,
        `  to ${next.length === 0 ? 'nobody' : next.map(({ edge, share }) => `${edge} ${Math.round(share * 100)} %`).join(', ')}; ${capacity}`,
        ...steps.map(
          ({ text, where, problem }, place) =>
            `  ${place + 1}. ${text} [${where}]${problem === null ? '' : `  REFUSED: ${problem}`}`,
        ),
      ]),
    ),
    ...(onFailure.length === 0 ? [] : [`on failure: ${onFailure.join('; ')}`]),
    ...warnings.map(one => `note: ${one}`),
    ready ? 'nothing stands in the way' : `would be refused: ${problems.join('; ')}`,
  ]
}

async function run(runbook: string, servers: readonly string[], options: RunOptions): Promise<void> {
  const { reason = '', incident, follow, json } = options
  const body = { runbook, servers, reason, ...(incident === undefined ? {} : { incident }) }
  const begun = runAnswer.parse(await askControl(options, '/api/v1/runs', BY, { role: ROLE, body }))
  if (follow === false) return print(begun.run, json, ({ id }) => [id])
  let told = ''
  for (let away = 0; away < AWAY_LOOKS_MAX; ) {
    await pause(LOOK_MS)
    const now = await look(options, begun.run.id)
    // The run goes on when the control room is back, and so does this command.
    away = now === null ? away + 1 : 0
    if (now === null) continue
    if (json !== true && now.text !== told) process.stdout.write(`${now.text}\n`)
    told = now.text
    if (now.endedAt === null) continue
    print(now, json, one => lines(one))
    if (now.condition !== 'completed') process.exitCode = 1
    return
  }
  process.stderr.write(`no answer any more; the run goes on: vitrine runbook status ${begun.run.id}\n`)
  process.exitCode = 1
}

/** Null: nobody answers at this moment. */
async function look(options: CommonOptions, id: string): Promise<RunView | null> {
  try {
    return runAnswer.parse(await askControl(options, `/api/v1/runs/${id}`, BY)).run
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

async function status(id: string | undefined, options: CommonOptions): Promise<void> {
  if (id !== undefined) {
    const answer = runAnswer.parse(await askControl(options, `/api/v1/runs/${encodeURIComponent(id)}`, BY))
    return print(answer.run, options.json, one => lines(one))
  }
  const answer = runsAnswer.parse(await askControl(options, '/api/v1/runs', BY))
  print(answer, options.json, ({ runs }) =>
    table(
      ['ID', 'RUNBOOK', 'SERVERS', 'STANDS'],
      runs
        .slice(0, LISTED_MAX)
        .map(one => [
          one.id,
          one.runbook,
          one.servers.map(server => server.id).join(' '),
          one.condition ?? one.text,
        ]),
      'no runs yet',
    ),
  )
}

function lines({ id, runbook, condition, text, waitsFor, servers }: RunView): string[] {
  return [
    `run ${id} of ${runbook}: ${condition ?? 'goes on'}: ${text}`,
    ...(waitsFor === null
      ? []
      : [`waits for approval by ${waitsFor.role} (${waitsFor.text}): vitrine runbook approve ${id}`]),
    ...servers.flatMap(server => [
      `${server.id}: ${server.outcome ?? 'under way'} ${server.text}`,
      ...server.steps.flatMap(({ title, state, text: said, output }) => [
        `  ${state.padEnd(8)} ${title}${said === '' ? '' : `: ${said}`}`,
        ...(state === 'failed' || state === 'unknown' ? lastLines(output) : []),
      ]),
      ...(server.outcome === 'held' && !server.text.includes(': retired meanwhile')
        ? [`  when it is well: vitrine server release ${server.id}`]
        : []),
    ]),
  ]
}

const OUTPUT_LINES_MAX = 5

/** What a command printed before it failed says why; all of it stands on the run's page. */
function lastLines(output: string): string[] {
  const all = output.split('\n').filter(line => line.trim() !== '')
  return all.slice(-OUTPUT_LINES_MAX).map(line => `           | ${line}`)
}
