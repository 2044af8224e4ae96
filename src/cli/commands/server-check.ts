// Owns `vitrine server check`: has an edge checked by the control room of this data folder, and prints what came of it.
import type { Command } from 'commander'
import type { State } from '#control'
import { type CheckRun, type CheckStep, isCheckOver } from '#wire'
import { cliFaults } from '../faults.ts'
import { type CommonOptions, print, withData, withJson } from './context.ts'
import { BY, withState } from './state.ts'

type CheckOptions = CommonOptions & { readonly watch?: boolean; readonly last?: boolean }

const LOOK_EVERY_MS = 500
/** The control room takes a run up within a second. */
const TAKE_UP_MS_MAX = 10_000
/** Above the longest run that the control room lets go on. */
const RUN_MS_MAX = 480_000

const NAMES: Readonly<Record<CheckStep['step'], string>> = {
  joined: 'joined',
  clock: 'clock',
  ports: 'ports open as seen by others',
  dns: 'DNS equals address',
  certificate: 'certificate',
  disk: 'disk speed',
  origin: 'speed to the origin',
  warm: 'cache warmed',
  play: 'synthetic viewer',
}

export function registerCheck(server: Command): void {
  const check = server
    .command('check <id>')
    .description(
      'check an edge as a new one is: clock, ports, DNS, certificate, disk, origin, cache, playback',
    )
    .option('--watch', 'print each step as soon as it ends')
    .option('--last', 'print the last run and begin none')
    .addHelpText(
      'after',
      '\nExit code 1 when a step failed.\n\nExamples:\n  npx vitrine server check sa-east --watch',
    )
    .action((id: string, options: CheckOptions) => checked(id, options))
  withJson(withData(check))
}

async function checked(id: string, options: CheckOptions): Promise<void> {
  const run = await withState(options, async state => {
    if (options.last === true) return await lastOf(state, id)
    const asked = await state.askForCheck(id, BY)
    return await follow(state, id, asked, options.watch === true && options.json !== true)
  })
  if (options.watch !== true || options.json === true) print(run, options.json, linesOf)
  if (run.steps.some(({ state }) => state === 'failed')) process.exitCode = 1
}

async function lastOf(state: State, id: string): Promise<CheckRun> {
  const [run] = await state.listChecks(id)
  if (run !== undefined) return run
  throw cliFaults.fault('cli-usage', `${id} was not checked yet; begin with: vitrine server check ${id}`)
}

/** Until its end; each step is printed once, when it has ended, if anybody watches. */
async function follow(state: State, id: string, asked: string, watch: boolean): Promise<CheckRun> {
  const startMs = performance.now()
  const told = new Set<string>()
  for (;;) {
    const run = (await state.listChecks(id)).find(one => one.id === asked)
    if (run === undefined) throw cliFaults.fault('cli-usage', `the checks of ${id} were removed`)
    for (const step of run.steps) {
      if (!watch || told.has(step.step) || !isCheckOver(step.state)) continue
      told.add(step.step)
      print(step, false, one => stepLines(one))
    }
    if (run.endedAt !== null) return run
    const waitedMs = performance.now() - startMs
    if (run.steps.length === 0 && waitedMs > TAKE_UP_MS_MAX) {
      const message = `no control room takes it up: start the one of this data folder; it goes on then, and --last shows it`
      throw cliFaults.fault('cli-usage', message)
    }
    if (waitedMs > RUN_MS_MAX) throw cliFaults.fault('cli-usage', `${id}: the run does not end; see --last`)
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

function linesOf({ steps }: CheckRun): string[] {
  return steps.length === 0 ? ['asked for; no control room has taken it up yet'] : steps.flatMap(stepLines)
}

const STATE_WIDTH = 8
const NAME_WIDTH = 30

function stepLines({ step, state, text, advice }: CheckStep): string[] {
  const line = `${state.padEnd(STATE_WIDTH)} ${NAMES[step].padEnd(NAME_WIDTH)} ${text}`
  return advice === null ? [line] : [line, `${' '.repeat(STATE_WIDTH + NAME_WIDTH + 2)}${advice}`]
}
