// Owns the faults of drill: why a rehearsal cannot be prepared.
import { defineFaults, type FaultTable } from '#base'

type DrillFault = 'drill-no-compiler' | 'drill-not-built' | 'drill-clock-file'

export const drillFaults: FaultTable<DrillFault> = defineFaults('drill', {
  'drill-no-compiler': {
    status: 501,
    where: 'internal',
    retry: false,
    help: 'A drill compiles two small C programs on first use: install a compiler (Debian: apt install gcc libc6-dev).',
  },
  'drill-not-built': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'The compiler is there but did not compile drill/*.c: the message holds what it said.',
  },
  'drill-clock-file': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'The file that moves the drill’s clock cannot be written: see the data folder’s rights and free space.',
  },
})
