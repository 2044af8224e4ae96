// Owns the faults that an edge can answer with or meet.
import { defineFaults, type FaultTable } from '#base'

type EdgeFault =
  | 'edge-bad-url'
  | 'edge-url-too-long'
  | 'edge-not-found'
  | 'edge-method-not-allowed'
  | 'edge-range-not-satisfiable'
  | 'edge-body-too-large'
  | 'edge-body-encoded'
  | 'edge-body-cut'
  | 'edge-reports-busy'
  | 'edge-bad-question'
  | 'edge-busy'
  | 'edge-steering-blind'
  | 'edge-unauthorised'
  | 'edge-origin-not-found'
  | 'edge-origin-unreachable'
  | 'edge-origin-timeout'
  | 'edge-origin-refused'
  | 'edge-origin-bad-answer'
  | 'edge-origin-too-large'
  | 'edge-origin-broke-off'
  | 'edge-fetches-full'
  | 'edge-disk-broken'

export const edgeFaults: FaultTable<EdgeFault> = defineFaults('edge', {
  'edge-bad-url': {
    status: 400,
    where: 'downstream',
    retry: false,
    help: 'The path has characters or segments that no media URL has: the player or link is wrong.',
  },
  'edge-url-too-long': {
    status: 414,
    where: 'downstream',
    retry: false,
    help: 'The URL is longer than any that Vitrine makes, CMCD included: the player or link is wrong.',
  },
  'edge-not-found': {
    status: 404,
    where: 'downstream',
    retry: false,
    help: 'Nothing is served at this path: see the table of URLs in docs/watch/steering.md.',
  },
  'edge-method-not-allowed': {
    status: 405,
    where: 'downstream',
    retry: false,
    help: 'Media is read with GET or HEAD; only /cmcd, /wall and /watcher take POST.',
  },
  'edge-range-not-satisfiable': {
    status: 416,
    where: 'downstream',
    retry: false,
    help: 'The Range starts behind the end of the object: the player has a wrong size.',
  },
  'edge-body-too-large': {
    status: 413,
    where: 'downstream',
    retry: false,
    help: 'A CMCD report is larger than a player ever needs: send smaller batches.',
  },
  'edge-body-encoded': {
    status: 415,
    where: 'downstream',
    retry: false,
    help: 'A CMCD report came with a Content-Encoding: players send plain text.',
  },
  'edge-body-cut': {
    status: 400,
    where: 'downstream',
    retry: false,
    help: 'The player left in the middle of a report; its page sends the rest to another edge.',
  },
  'edge-reports-busy': {
    status: 429,
    where: 'internal',
    retry: true,
    help: 'Reports of more than 64 MB are on their way to this edge at once: somebody floods it, or connections are very slow.',
  },
  'edge-bad-question': {
    status: 400,
    where: 'downstream',
    retry: false,
    help: 'Another edge asked about the control room in words that this one does not know: update the older of the two.',
  },
  'edge-busy': {
    status: 503,
    where: 'internal',
    retry: true,
    help: 'This edge has as many viewers as it admits: add an edge, or raise viewersMax after measuring.',
  },
  'edge-steering-blind': {
    status: 503,
    where: 'internal',
    retry: true,
    help: 'This edge hears neither the control room nor any other edge, so it moves nobody; players stay where they are. For a moment after a process stood still; for longer: its network.',
  },
  'edge-unauthorised': {
    status: 401,
    where: 'downstream',
    retry: false,
    help: 'Metrics need an API token of this fleet: make one with `vitrine token create --role viewer`. /watcher is for other edges alone.',
  },
  'edge-origin-not-found': {
    status: 404,
    where: 'upstream',
    retry: false,
    help: 'The origin has no such title or object: check the title id, and that its file is in the library.',
  },
  'edge-origin-unreachable': {
    status: 502,
    where: 'upstream',
    retry: true,
    help: 'The origin cannot be reached from this edge: check that it runs, and the network between them.',
  },
  'edge-origin-timeout': {
    status: 504,
    where: 'upstream',
    retry: true,
    help: 'The origin took too long to answer: look at its CPU and disk.',
  },
  'edge-origin-refused': {
    status: 502,
    where: 'upstream',
    retry: true,
    help: 'The origin refused this edge or failed: with status 401 the edge is not enrolled, or the origin has not heard of it from the control room yet.',
  },
  'edge-origin-bad-answer': {
    status: 502,
    where: 'upstream',
    retry: true,
    help: 'The origin answered with something that is not what was asked for: check that originUrl names an origin of the same version.',
  },
  'edge-origin-too-large': {
    status: 502,
    where: 'upstream',
    retry: false,
    help: 'An object of the origin is larger than an edge takes: the title has very long or very large segments.',
  },
  'edge-origin-broke-off': {
    status: 502,
    where: 'upstream',
    retry: true,
    help: 'The origin broke off in the middle of an object: look at its log at that moment.',
  },
  'edge-fetches-full': {
    status: 503,
    where: 'internal',
    retry: true,
    help: 'More different objects are being fetched from the origin than an edge allows: the origin is slow, or somebody asks for things that do not exist.',
  },
  'edge-disk-broken': {
    status: 500,
    where: 'internal',
    retry: true,
    help: 'The cache folder of this edge cannot be used; it goes on with memory alone. Check the disk.',
  },
})
