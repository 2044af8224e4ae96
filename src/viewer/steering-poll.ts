// Owns asking for steering as draft-pantos-hls-rfc8216bis section 7 says: at the start, then each TTL at
// RELOAD-URI. As hls.js 1.7 it gives up for good at 410, and at 429 too.
import { Fault, messageOf } from '#base'
import { type Clone, readClones } from './clones.ts'
import type { Fetcher } from './fetcher.ts'

const TTL_SECONDS_DEFAULT = 300 // section 7.2
const TTL_SECONDS_MIN = 1

interface SteeringState {
  readonly pathway: string
  readonly throughputBps: number | null
}

export interface SteeringPollOptions {
  readonly fetcher: Fetcher
  readonly userAgent: string
  readonly signal: AbortSignal
  readonly state: () => SteeringState
  readonly onAnswer: (priority: readonly string[], clones: readonly Clone[]) => void
  /** Resolves after `ms`, or at once when the viewer stops. */
  readonly sleep: (ms: number) => Promise<void>
}

/** Runs until the signal aborts or the server says 410. */
export async function pollSteering(serverUri: string, options: SteeringPollOptions): Promise<void> {
  const { fetcher, userAgent, signal, state, onAnswer, sleep } = options
  let uri = serverUri
  let ttlS = TTL_SECONDS_DEFAULT
  let heard = false
  while (!signal.aborted) {
    try {
      const { body } = await fetcher.text(withState(uri, state()), userAgent, signal)
      const answer = readAnswer(body, uri)
      ttlS = answer.ttlS
      uri = answer.reloadUri
      heard = true
      onAnswer(answer.priority, answer.clones)
    } catch (error) {
      if (error instanceof Fault && silencing.has(error.facts['status'])) return
      // Until the first answer there is no TTL; five minutes without steering would help nobody.
      if (!heard) ttlS = TTL_SECONDS_RETRY
    }
    await sleep(ttlS * 1000)
  }
}

const TTL_SECONDS_RETRY = 10
const silencing: ReadonlySet<unknown> = new Set([410, 429])

function withState(uri: string, { pathway, throughputBps }: SteeringState): string {
  const url = new URL(uri)
  url.searchParams.set('_HLS_pathway', pathway)
  if (throughputBps !== null) url.searchParams.set('_HLS_throughput', String(Math.round(throughputBps)))
  return url.href
}

interface Answer {
  readonly ttlS: number
  readonly reloadUri: string
  readonly priority: string[]
  readonly clones: readonly Clone[]
}

function readAnswer(body: string, uri: string): Answer {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (error) {
    throw new TypeError(`steering answer is not JSON: ${messageOf(error)}`)
  }
  if (typeof value !== 'object' || value === null) throw new TypeError('steering answer is not an object')
  const fields = value as Record<string, unknown>
  const { TTL: ttl, VERSION: version } = fields
  const priority = fields['PATHWAY-PRIORITY']
  const reload = fields['RELOAD-URI']
  if (version !== 1 || !Array.isArray(priority)) throw new TypeError('steering answer of another version')
  return {
    ttlS: typeof ttl === 'number' && ttl > 0 ? Math.max(TTL_SECONDS_MIN, ttl) : TTL_SECONDS_DEFAULT,
    reloadUri: typeof reload === 'string' ? new URL(reload, uri).href : uri,
    priority: priority.filter(id => typeof id === 'string'),
    clones: readClones(fields['PATHWAY-CLONES']),
  }
}
