// Owns the tables of browsers that are signed in and of API tokens, for their owner and for admins alike.
import type { ReactNode } from 'react'
import type { TokenView, WebSessionView } from '#wire'
import { useFleetNow } from '../api/use-control-room.tsx'
import { Loading, Problem } from '../parts/answers.tsx'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { Moment } from '../parts/moment.tsx'
import { age } from '../time-format.ts'
import { nothing, useChange, useTokens, useWebSessions } from './use-people.ts'

const MEANS = {
  link: 'one-time link',
  password: 'password',
  invitation: 'invitation',
  recovery: 'recovery code',
  '': '',
} as const

interface Whose {
  readonly everybody: boolean
}

export function SessionsPanel({ everybody }: Whose): ReactNode {
  const sessions = useWebSessions(everybody)
  const end = useChange((client, id: string) =>
    client.delete(`/api/v1/web-sessions/${encodeURIComponent(id)}`, nothing),
  )
  return (
    <section className="panel" aria-label="Browsers">
      <header>
        <h2>Browsers</h2>
        <p className="quiet">
          {everybody ? 'Every browser that is signed in.' : 'Where you are signed in.'} Signing one out works
          at once.
        </p>
      </header>
      <Said error={end.error} />
      {sessions.data === undefined ? (
        <Waiting error={sessions.error} what="the browsers" />
      ) : sessions.data.length === 0 ? (
        <p className="quiet none">No browser is signed in; you came with a token.</p>
      ) : (
        <table className="people-table">
          <thead>
            <tr>
              {everybody ? <th scope="col">Who</th> : null}
              <th scope="col">Device</th>
              <th scope="col">Address</th>
              <th scope="col">Since</th>
              <th scope="col">Last seen</th>
              <th scope="col">
                <span className="visually-hidden">Sign out</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {sessions.data.map(session => (
              <SessionRow key={session.id} session={session} named={everybody} end={end.mutate} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

interface SessionRowProps {
  readonly session: WebSessionView
  readonly named: boolean
  readonly end: (id: string) => void
}

function SessionRow({ session, named, end }: SessionRowProps): ReactNode {
  const { id, name, means, device, address, since, seenAt, own } = session
  return (
    <tr>
      {named ? <th scope="row">{name}</th> : null}
      <td data-label="Device">
        {device === '' ? 'unknown device' : device}
        {own ? <span className="chip">this one</span> : null}
        {MEANS[means] === '' || means === 'password' ? null : (
          <span className="quiet"> by {MEANS[means]}</span>
        )}
      </td>
      <td data-label="Address" className="figures">
        {address === '' ? '–' : address}
      </td>
      <td data-label="Since">
        <Moment at={since} />
      </td>
      <td data-label="Last seen">
        <Ago at={seenAt} />
      </td>
      <td className="act">
        <ConfirmButton
          verb="Sign out"
          what={`${device} of ${name}`}
          warning={own ? 'This is the browser that you are in.' : 'Its next request is refused.'}
          onConfirm={() => end(id)}
        />
      </td>
    </tr>
  )
}

export function TokensPanel({ everybody, children }: Whose & { readonly children?: ReactNode }): ReactNode {
  const tokens = useTokens(everybody)
  const now = useFleetNow()
  const revoke = useChange((client, id: string) =>
    client.delete(`/api/v1/tokens/${encodeURIComponent(id)}`, nothing),
  )
  const works = (token: TokenView): boolean =>
    token.revokedAt === null && (token.expiresAt === null || now === null || token.expiresAt > now)
  const shown = (tokens.data ?? []).filter(works)
  return (
    <section className="panel" aria-label="API tokens">
      <header>
        <h2>API tokens</h2>
        <p className="quiet">
          For programs. One never may more than its owner, and ends with them. Ended ones are in the audit.
        </p>
      </header>
      {children}
      <Said error={revoke.error} />
      {tokens.data === undefined ? (
        <Waiting error={tokens.error} what="the tokens" />
      ) : shown.length === 0 ? (
        <p className="quiet none">No token works.</p>
      ) : (
        <table className="people-table">
          <thead>
            <tr>
              <th scope="col">For</th>
              {everybody ? <th scope="col">Owner</th> : null}
              <th scope="col">May</th>
              <th scope="col">Last used</th>
              <th scope="col">Ends</th>
              <th scope="col">
                <span className="visually-hidden">Revoke</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map(token => (
              <TokenRow key={token.id} token={token} named={everybody} revoke={revoke.mutate} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

interface TokenRowProps {
  readonly token: TokenView
  readonly named: boolean
  readonly revoke: (id: string) => void
}

function TokenRow({ token, named, revoke }: TokenRowProps): ReactNode {
  const { id, name, owner, role, scope, usedAt, usedFrom, expiresAt } = token
  return (
    <tr>
      <th scope="row">{name}</th>
      {named ? <td data-label="Owner">{owner ?? <span className="quiet">nobody</span>}</td> : null}
      <td data-label="May">
        {role}
        {scope === 'everything' ? '' : `, ${scope} alone`}
      </td>
      <td data-label="Last used">
        {usedAt === null ? (
          'never'
        ) : (
          <>
            <Ago at={usedAt} />
            {usedFrom === '' ? '' : `, ${usedFrom}`}
          </>
        )}
      </td>
      <td data-label="Ends">{expiresAt === null ? 'when revoked' : <Moment at={expiresAt} />}</td>
      <td className="act">
        <ConfirmButton
          verb="Revoke"
          what={`the token for ${name}`}
          warning="Whatever uses it is refused at once."
          onConfirm={() => revoke(id)}
        />
      </td>
    </tr>
  )
}

/** `now`, or `4 min ago`. */
export function Ago({ at }: { readonly at: number }): ReactNode {
  const now = useFleetNow()
  const text = now === null ? '–' : age(now - at)
  return <>{text === 'now' || text === '–' ? text : `${text} ago`}</>
}

/** What a change said when it was refused. */
export function Said({ error }: { readonly error: Error | null }): ReactNode {
  return error === null ? null : (
    <p className="form-problem" role="alert">
      {error.message}
    </p>
  )
}

export function Waiting({ error, what }: { readonly error: Error | null; readonly what: string }): ReactNode {
  const named = `${what.slice(0, 1).toUpperCase()}${what.slice(1)}`
  return error === null ? <Loading what={what} /> : <Problem error={error} what={named} />
}
