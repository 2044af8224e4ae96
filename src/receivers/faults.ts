// Owns the faults of receivers.
import { defineFaults, type FaultTable } from '#base'

export const receiverFaults: FaultTable<'receivers-invalid'> = defineFaults('receivers', {
  'receivers-invalid': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'A receiver cannot be used as it is configured: correct what is named below control.notify.',
  },
})
