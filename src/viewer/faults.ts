// Owns the faults that a simulated viewer meets. They are counted and make it change edges; nobody is answered.
import { defineFaults, type FaultTable } from '#base'

type ViewerFault = 'viewer-no-answer' | 'viewer-bad-answer' | 'viewer-bad-playlist'

export const viewerFaults: FaultTable<ViewerFault> = defineFaults('viewer', {
  'viewer-no-answer': {
    status: 504,
    where: 'upstream',
    retry: true,
    help: 'A simulated viewer got no answer in time from the edge that is named: look at that edge.',
  },
  'viewer-bad-answer': {
    status: 502,
    where: 'upstream',
    retry: true,
    help: 'A simulated viewer got another status than it expected: look at the log of the edge that is named.',
  },
  'viewer-bad-playlist': {
    status: 502,
    where: 'upstream',
    retry: false,
    help: 'A simulated viewer got a playlist that it cannot play: open the URL that is named.',
  },
})
