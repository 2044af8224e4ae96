// Owns finding out why TLS to the control room is refused for dates: whether this host's own clock is wrong. It believes
// nothing for it: the answer is a line in this host's log, and sets no clock and opens no channel.
import { request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { clockWords, datesOf, isDateProblem, proves } from '#base'
import { type Trust, tlsClient } from '#trust'

const DEADLINE_MS = 5000

export interface ClockHint {
  /** This host's clock minus what the control room says, in seconds; null: it says nothing that can be read. */
  readonly offsetS: number | null
  /** Whether the other side proved to be the control room but for the dates. */
  readonly proved: boolean
  readonly says: string
}

/** Null: the refusal had another reason. Never rejects. */
export async function clockHint(
  problem: unknown,
  { controlUrl, trust, wallMs }: { controlUrl: string; trust: Trust; wallMs: () => number },
): Promise<ClockHint | null> {
  if (!isDateProblem(problem) || !controlUrl.startsWith('https:')) return null
  const seen = await askDate(controlUrl, trust)
  if (seen === null) return null
  const now = wallMs()
  const offsetS = seen.dateMs === null ? null : (now - seen.dateMs) / 1000
  const { dates, proved } = seen
  const isGood =
    dates !== null && seen.dateMs !== null && seen.dateMs >= dates.fromMs && seen.dateMs <= dates.toMs
  const whose = proved
    ? 'the control room'
    : 'what answers there, which could not be proved to be the control room,'
  const span = dates === null ? '' : ` (${dateOf(dates.fromMs)} to ${dateOf(dates.toMs)})`
  const says = isGood
    ? `by its clock ${dateOf(now)} the control room’s certificate${span} is not valid; ${whose} says ${dateOf(seen.dateMs ?? 0)}: this host’s clock is most likely ${clockWords(offsetS ?? 0)}; nothing was set`
    : `by its clock ${dateOf(now)} the control room’s certificate${span} is not valid, and by its own date neither`
  return { offsetS, proved, says }
}

interface Seen {
  readonly dateMs: number | null
  readonly dates: ReturnType<typeof datesOf>
  readonly proved: boolean
}

/** Nothing but a question without credentials goes over this connection. */
function askDate(controlUrl: string, trust: Trust): Promise<Seen | null> {
  return new Promise(resolve => {
    const url = `${controlUrl.replace(/\/+$/, '')}/healthz`
    const { ca, servername } = tlsClient(trust, url, { role: 'control' })
    const asked = request(url, {
      method: 'HEAD',
      agent: false,
      rejectUnauthorized: false,
      ...(servername === undefined ? {} : { servername }),
    })
    const done = (seen: Seen | null): void => {
      clearTimeout(deadline)
      asked.destroy()
      resolve(seen)
    }
    const deadline = setTimeout(() => done(null), DEADLINE_MS)
    asked.once('error', () => done(null))
    asked.once('response', response => {
      const der = (response.socket as TLSSocket).getPeerCertificate().raw
      const dateMs = Date.parse(response.headers.date ?? '')
      done({
        dateMs: Number.isNaN(dateMs) ? null : dateMs,
        dates: datesOf(der),
        proved: ca !== undefined && proves(der, servername ?? '', ca),
      })
    })
    asked.end()
  })
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
