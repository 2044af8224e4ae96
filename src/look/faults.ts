// Owns the faults of look: why one request, or a whole look, gave nothing that can be judged.
import { defineFaults, type FaultTable } from '#base'

type LookFault = 'look-bad-url' | 'look-no-answer' | 'look-too-long' | 'look-redirects'

export const lookFaults: FaultTable<LookFault> = defineFaults('look', {
  'look-bad-url': {
    status: 400,
    where: 'downstream',
    retry: false,
    help: 'Give the whole address of a playlist, for example https://example.org/live/master.m3u8.',
  },
  'look-no-answer': {
    status: 504,
    where: 'upstream',
    retry: true,
    help: 'The server did not answer in time, or broke off: the message says at which step.',
  },
  'look-too-long': {
    status: 502,
    where: 'upstream',
    retry: false,
    help: 'An answer was longer than any playlist or segment is: look at what the server sends at that URL.',
  },
  'look-redirects': {
    status: 502,
    where: 'upstream',
    retry: false,
    help: 'A URL redirects in a circle, or to something that is not HTTP: open it with curl -IL.',
  },
})
