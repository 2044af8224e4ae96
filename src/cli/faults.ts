// Owns the faults of the command line and the supervisor. Each is one clear line and a non-zero exit.
import { defineFaults, type FaultTable } from '#base'

type CliFault =
  | 'cli-usage'
  | 'cli-token-unreadable'
  | 'cli-ports-taken'
  | 'cli-control-does-not-start'
  | 'cli-control-away'
  | 'cli-no-state'
  | 'cli-fleet-file-unreadable'
  | 'cli-not-local'
  | 'cli-drill-failed'
  | 'cli-no-such-server'
  | 'cli-simulated-refused'

const refused = { status: 400, where: 'downstream', retry: false } as const

export const cliFaults: FaultTable<CliFault> = defineFaults('cli', {
  'cli-usage': { ...refused, help: 'The command line was not understood: see vitrine --help.' },
  'cli-token-unreadable': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'The file with the server token cannot be read: make one with vitrine server add on the control room, and name it as tokenFile.',
  },
  'cli-ports-taken': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'Another program has one of the ports: stop it, or move all ports with --port-base N.',
  },
  'cli-control-does-not-start': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'The control room ended three times within ten seconds: the last lines of its log, data/log/control.log, say why.',
  },
  'cli-no-state': {
    ...refused,
    help: 'A command asked for what a control room keeps, and no control room has its state in that folder. Give the folder that it was started with (`--data DIR`, or `data:` of the file of `--config`); `npm start` uses `./data`.',
  },
  'cli-control-away': {
    status: 503,
    where: 'downstream',
    retry: true,
    help: 'The control room of this data folder does not answer: start it, or name its data folder with --data.',
  },
  'cli-fleet-file-unreadable': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'run/fleet.json in the data folder is damaged: delete it, new server tokens are made at the next start.',
  },
  'cli-drill-failed': {
    ...refused,
    status: 500,
    help: 'A drill could not do what it wanted, and was undone: the message says what.',
  },
  'cli-not-local': {
    ...refused,
    help: 'Faults and viewers can be tried on a local fleet only: one that vitrine start runs.',
  },
  'cli-simulated-refused': {
    ...refused,
    status: 403,
    help: 'The control room did not enrol simulated servers: start one for tests with --allow-simulated, and give an admin token of it.',
  },
  'cli-no-such-server': {
    ...refused,
    status: 404,
    help: 'The local fleet has no server with this id that runs.',
  },
})
