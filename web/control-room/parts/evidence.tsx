// Owns why a server is in its state: each witness with its own words, and the changes that led here.
import type { ReactNode } from 'react'
import type { Evidence, ServerView } from '#wire'
import type { ServerChange } from '../api/use-control-room.tsx'
import { Link } from './link.tsx'
import { Age, Lasting, Moment } from './moment.tsx'
import { StateBadge, StateIcon } from './state.tsx'
import { toneOf } from './tone.ts'

const KINDS: Record<Evidence['kind'], string> = {
  inside: 'inside',
  outside: 'outside',
  playing: 'playing',
  viewers: 'its viewers',
}

type Says = 'for' | 'against' | 'unsure'
const SHAPES: Record<Says, string> = {
  for: 'M3 8.500 6.500 12 13 4.500',
  against: 'M4 4l8 8M12 4l-8 8',
  unsure: 'M8 12.800v.2M5.500 5.500a2.500 2.500 0 1 1 3.600 2.300c-.8.400-1.100.9-1.100 1.900',
}
const SAYS: Record<Says, string> = {
  for: 'speaks for it:',
  against: 'speaks against it:',
  unsure: 'cannot tell:',
}
const MARKS: Record<Says, string> = { for: '✓', against: '✕', unsure: '?' }

function saysOf({ ok, unsure }: Evidence): Says {
  return unsure ? 'unsure' : ok ? 'for' : 'against'
}

export interface WitnessesProps {
  readonly evidence: readonly Evidence[]
  /** False where all are of one kind. */
  readonly kinds?: boolean
}

export function Witnesses({ evidence, kinds = true }: WitnessesProps): ReactNode {
  if (evidence.length === 0) return <p className="quiet">No witness has said anything yet.</p>
  return (
    <ul className="witnesses">
      {evidence.map(item => (
        <li key={`${item.witness}/${item.kind}`} data-ok={item.unsure ? 'unsure' : item.ok}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d={SHAPES[saysOf(item)]} />
          </svg>
          <span className="visually-hidden">{SAYS[saysOf(item)]}</span>
          <span className="witness">
            <b>{item.witness}</b> {kinds ? <small>{KINDS[item.kind]}</small> : null}
          </span>
          <span className="witness-text">{item.text}</span>
          <span className="witness-age">
            <Age at={item.at} />
          </span>
        </li>
      ))}
    </ul>
  )
}

export function EvidencePanel({ server }: { readonly server: ServerView }): ReactNode {
  return (
    <section
      className="panel evidence"
      data-tone={toneOf(server.state)}
      aria-label={`Evidence on ${server.id}`}
    >
      <header>
        <h2>
          <Link href={`/servers/${server.id}`}>{server.id}</Link>
        </h2>
        <StateBadge state={server.state} />
        <span className="evidence-since">
          for <Lasting from={server.since} to={null} />
        </span>
      </header>
      <p className="evidence-reason">{server.reason}</p>
      <Witnesses evidence={server.evidence} />
    </section>
  )
}

interface ChangesProps {
  readonly changes: readonly ServerChange[]
  readonly named: boolean
  readonly max: number
}

/** State changes, newest first. */
export function Changes({ changes, named, max }: ChangesProps): ReactNode {
  if (changes.length === 0) return <p className="quiet">No state has changed yet.</p>
  return (
    <ol className="changes">
      {changes.slice(0, max).map(change => (
        <li key={`${change.server}/${change.at}/${change.to}`}>
          <Moment at={change.at} />
          <StateIcon state={change.to} />
          <p>
            {named ? <Link href={`/servers/${change.server}`}>{change.server}</Link> : null}{' '}
            <b>{change.to}</b>
            <span>{change.reason}</span>
          </p>
          {named || change.evidence.length === 0 ? null : <KeptEvidence change={change} />}
        </li>
      ))}
    </ol>
  )
}

/** What each witness said at that moment; kept for good. */
function KeptEvidence({ change }: { readonly change: ServerChange }): ReactNode {
  return (
    <details className="kept-evidence">
      <summary>
        {change.evidence.length === 1 ? 'One witness' : `${change.evidence.length} witnesses`}
        <span className="visually-hidden"> of the change to {change.to}</span>
      </summary>
      <ul>
        {change.evidence.map(item => (
          <li key={`${item.witness}/${item.kind}`} data-ok={item.unsure ? 'unsure' : item.ok}>
            <span aria-hidden="true">{MARKS[saysOf(item)]}</span>
            <span className="visually-hidden">{SAYS[saysOf(item)]}</span> <b>{item.witness}</b>{' '}
            {KINDS[item.kind]}: {item.text}
          </li>
        ))}
      </ul>
    </details>
  )
}
