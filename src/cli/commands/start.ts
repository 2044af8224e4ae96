// Owns `vitrine start`: the local fleet in the foreground, from the checks to the last child's end.

import { execFile } from 'node:child_process'
import { userInfo } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Command } from 'commander'
import { dieWithParent, Fault, systemClock } from '#base'
import { cliFaults } from '../faults.ts'
import { localUrl } from '../settings.ts'
import { summaryLines } from '../supervisor/summary.ts'
import { Supervisor } from '../supervisor/supervisor.ts'
import { type CommonOptions, callerPath, readConfig, withData } from './context.ts'

const SIGTERM = 15
/** npm passes a terminal's Ctrl-C on, so that it comes twice: only a later one is a second one. */
const SECOND_INTERRUPT_MS = 500
const LINK_MS_MAX = 10_000
const run = promisify(execFile)
const mainEntry = fileURLToPath(new URL('../main.js', import.meta.url))

export function registerStart(program: Command): void {
  const command = program
    .command('start')
    .description('run the whole service on this machine: control room, origin, three edges')
    .allowExcessArguments(true)
    .addHelpText('after', examples)
    .action(async (options: CommonOptions) => {
      const [extra] = command.args
      if (extra !== undefined)
        throw cliFaults.fault(
          'cli-usage',
          `unexpected ${extra}; options go after two dashes: npm start -- --data DIR --port-base N`,
        )
      process.exitCode = await startFleet(options)
    })
  withData(command)
}

const examples = `
Examples:
  npm start
  npm start -- --data /srv/vitrine --port-base 9000
  npx vitrine start --config vitrine.yaml`

async function startFleet(options: CommonOptions): Promise<number> {
  // npm that is killed takes nothing with it by itself: the kernel tells us, and we stop all in order.
  if (process.env['npm_lifecycle_event'] === 'start') dieWithParent(SIGTERM)
  const { config, data } = readConfig(options)
  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  const supervisor = await Supervisor.prepare({
    config,
    configFile: options.config === undefined ? null : callerPath(options.config),
    data,
    clock: systemClock,
    print: say,
  })
  const stopped = onStopSignal(() => supervisor.kill())
  say(`Starting Vitrine in ${data}`)
  try {
    const started = supervisor.start().then(async ({ tookMs }) => {
      const { control, servers } = supervisor.plan
      const edges = servers.filter(({ settings }) => settings.kind === 'edge')
      const lines = summaryLines({
        controlUrl: control.settings.publicUrl ?? localUrl(control.settings.listen),
        signInCode: await createSignInCode(data),
        data,
        browserPorts: [control.settings, ...edges.map(({ settings }) => settings)].map(
          ({ listen }) => listen.port,
        ),
        sshConnection: process.env['SSH_CONNECTION'],
        user: userInfo().username,
        tookMs,
      })
      for (const line of lines) say(line)
      return await supervisor.failed()
    })
    await Promise.race([stopped, started])
  } catch (error) {
    process.stderr.write(`vitrine: ${error instanceof Fault ? error.message : String(error)}\n`)
    await supervisor.stop()
    return 1
  }
  say('Stopping.')
  const clean = await supervisor.stop()
  say(clean ? 'Stopped.' : 'Stopped; what did not end in time was killed.')
  return clean ? 0 : 1
}

/** Resolves at the first signal; a later Ctrl-C ends all at once. */
function onStopSignal(kill: () => void): Promise<void> {
  let firstMs: number | null = null
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        const nowMs = systemClock.monotonicMs()
        firstMs ??= nowMs
        resolve()
        if (signal === 'SIGINT' && nowMs - firstMs > SECOND_INTERRUPT_MS) kill()
      })
    }
  })
}

/** By a short-lived process, so that the supervisor carries no database. */
async function createSignInCode(data: string): Promise<string | null> {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      const { stdout } = await run(process.execPath, [mainEntry, 'user', 'link', '--json', '--data', data], {
        timeout: LINK_MS_MAX,
      })
      return (JSON.parse(stdout) as { code: string }).code
    } catch {
      await pause(200) // the control room may be making its database at this moment
    }
  }
  return null
}
