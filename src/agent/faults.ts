// Owns the faults of the agent: what it says when it cannot measure or deliver. It never ends for one of them.
import { defineFaults, type FaultTable } from '#base'

type AgentFault =
  | 'agent-push-refused'
  | 'agent-push-failed'
  | 'agent-scrape-failed'
  | 'agent-proc-unreadable'
  | 'agent-steps-invalid'

export const agentFaults: FaultTable<AgentFault> = defineFaults('agent', {
  'agent-push-refused': {
    status: 502,
    where: 'upstream',
    retry: false,
    help: 'The control room refused measurements: the line names its status and words. 401 or 403 mean that the server token is not (or no longer) enrolled: see vitrine server add.',
  },
  'agent-push-failed': {
    status: 502,
    where: 'upstream',
    retry: true,
    help: 'The control room cannot be reached: measurements wait in a bounded queue and are sent when it is back. Check the address and that the control room runs.',
  },
  'agent-scrape-failed': {
    status: 502,
    where: 'upstream',
    retry: true,
    help: 'GET /metrics of the watched server did not answer in time: it is frozen, overloaded or stopped. Look at its state on the fleet page.',
  },
  'agent-steps-invalid': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'The list of steps of this host is not taken, and none of its steps is carried out: correct what is named. Only root or the agent’s own user may be able to write the file and its folder.',
  },
  'agent-proc-unreadable': {
    status: 500,
    where: 'internal',
    retry: true,
    help: 'A file below /proc cannot be read or has an unknown form: the metrics that come from it are left out. Not Linux, or a container that hides it.',
  },
})
