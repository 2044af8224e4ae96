// Owns the command line: which commands there are, and how a failure is said. It holds no behaviour of its own.
import { Command, CommanderError } from 'commander'
import { Fault, messageOf, packageVersion } from '#base'
import { registerAudit } from './commands/audit.ts'
import { registerAuthority } from './commands/authority.ts'
import { registerCheckConfig } from './commands/check-config.ts'
import { registerCheckFleet } from './commands/check-fleet.ts'
import { registerClock } from './commands/clock.ts'
import { registerDoctor } from './commands/doctor.ts'
import { registerDrill } from './commands/drill.ts'
import { registerLedger } from './commands/ledger.ts'
import { registerLook } from './commands/look.ts'
import { registerMetrics } from './commands/metrics.ts'
import { registerPublish } from './commands/publish.ts'
import { registerRecorder } from './commands/recorder.ts'
import { registerRoles } from './commands/roles.ts'
import { registerRules } from './commands/rules.ts'
import { registerRunbook } from './commands/runbook.ts'
import { registerServer } from './commands/server.ts'
import { registerSilence } from './commands/silence.ts'
import { registerSimulate } from './commands/simulate.ts'
import { registerStart } from './commands/start.ts'
import { registerToken } from './commands/token.ts'
import { registerUser } from './commands/user.ts'
import { registerViewers } from './commands/viewers.ts'

const EXIT_FAILURE = 1
const EXIT_USAGE = 2

const program = new Command('vitrine')
  .description('Run your own video streaming service, and see through every server of it.')
  .version(packageVersion, '--version', 'print the version')
  .helpOption('--help', 'print help')
  .exitOverride()
  .showSuggestionAfterError(true)
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'vitrine: ')) })
  .addHelpText(
    'after',
    '\nExamples:\n  npx vitrine start\n  npx vitrine publish film.mp4\n  npx vitrine doctor',
  )

const registrations = [
  registerStart,
  registerRoles,
  registerPublish,
  registerUser,
  registerToken,
  registerAuthority,
  registerServer,
  registerLedger,
  registerAudit,
  registerMetrics,
  registerRules,
  registerRunbook,
  registerDrill,
  registerCheckFleet,
  registerClock,
  registerSilence,
  registerViewers,
  registerLook,
  registerSimulate,
  registerDoctor,
  registerRecorder,
  registerCheckConfig,
]
for (const register of registrations) register(program)

// Whoever read our lines may be gone (`| head`, a closed terminal): what was begun is brought to its end, and a fleet
// goes on. Lines that cannot be written for another reason (a full disk) are a failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exitCode = EXIT_FAILURE
  })
}

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

function exitCodeOf(error: unknown): number {
  // Commander has said it already; help and version end with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE
  process.stderr.write(`vitrine: ${messageOf(error)}\n`)
  if (!(error instanceof Fault) && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
  return error instanceof Fault && error.code === 'cli-usage' ? EXIT_USAGE : EXIT_FAILURE
}
