// Owns what the guest runs of the command line: `vitrine agent` and `vitrine clock`, as they are, in one file. The whole
// command line loads every room, which takes an emulated processor half a minute at each start.
import { Command } from 'commander'

const program = new Command('vitrine')
if (process.argv[2] === 'clock') (await import('../../../src/cli/commands/clock.ts')).registerClock(program)
else (await import('../../../src/cli/commands/roles.ts')).registerRoles(program)
await program.parseAsync()
