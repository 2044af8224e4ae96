// Owns the ways in that choose a password: an invitation, a reset, and the sealed recovery code. Opening the page
// spends nothing, so that a preview of the link takes nobody's way in.
import { type FormEvent, type ReactNode, useEffect, useState } from 'react'
import { z } from 'zod'
import { invitationSeen } from '#wire'
import { useClient } from '../api/use-control-room.tsx'
import { formText } from '../people/form-text.ts'

type Seen = z.infer<typeof invitationSeen>

export function WelcomePage(): ReactNode {
  const client = useClient()
  const [code] = useState(() => new URLSearchParams(location.hash.slice(1)).get('code') ?? '')
  const [seen, setSeen] = useState<Seen | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  useEffect(() => {
    // The code is worth a password: it must not stay in the address bar or in the history.
    history.replaceState(null, '', location.pathname)
    client
      .post('/api/v1/invitations/look', { code }, invitationSeen)
      .then(setSeen)
      .catch((thrown: unknown) => setProblem(wordsOf(thrown)))
  }, [client, code])
  if (seen === null) {
    return (
      <main className="sign-in">
        <div className="welcome">
          <Brand />
          <p className="lead" role={problem === null ? 'status' : 'alert'}>
            {problem ?? 'Looking at your link…'}
          </p>
          {problem === null ? null : (
            <p className="aside">
              Ask whoever sent it for another. <a href="/sign-in">To the sign-in</a>
            </p>
          )}
        </div>
      </main>
    )
  }
  const { kind, name, role, invitedBy } = seen
  return (
    <PasswordForm
      lead={
        kind === 'reset'
          ? `Choose a new password, ${name}.`
          : `${invitedBy} invites you as ${role}. Your name here is ${name}.`
      }
      name={name}
      send={password => client.post('/api/v1/invitations/accept', { code, password }, z.unknown())}
    />
  )
}

export function RecoverPage(): ReactNode {
  const client = useClient()
  return (
    <PasswordForm
      lead="The sealed code makes one new admin, once. Every admin is told."
      name={null}
      send={(password, fields) =>
        client.post(
          '/api/v1/recovery',
          { code: formText(fields, 'code'), name: formText(fields, 'name').trim(), password },
          z.unknown(),
        )
      }
    />
  )
}

interface PasswordFormProps {
  readonly lead: string
  /** Null: it is chosen, beside the code. */
  readonly name: string | null
  readonly send: (password: string, fields: FormData) => Promise<unknown>
}

function PasswordForm({ lead, name, send }: PasswordFormProps): ReactNode {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const password = formText(fields, 'password')
    if (password !== formText(fields, 'again')) {
      setProblem('The two passwords differ.')
      return
    }
    setBusy(true)
    setProblem(null)
    send(password, fields)
      .then(() => location.replace('/'))
      .catch((thrown: unknown) => {
        setBusy(false)
        setProblem(wordsOf(thrown))
      })
  }
  return (
    <main className="sign-in">
      <form onSubmit={submit} aria-busy={busy}>
        <Brand />
        <p className="lead">{lead}</p>
        {name === null ? (
          <>
            <label>
              Recovery code
              <input
                type="text"
                name="code"
                required
                maxLength={256}
                autoComplete="off"
                autoFocus
                autoCapitalize="characters"
              />
            </label>
            <label>
              Your name
              <input
                type="text"
                name="name"
                required
                maxLength={64}
                autoComplete="username"
                autoCapitalize="none"
              />
            </label>
          </>
        ) : (
          // For password managers, which keep a password under a name.
          <input type="hidden" name="name" value={name} autoComplete="username" />
        )}
        <label>
          Password, at least 10 characters
          <input
            name="password"
            type="password"
            required
            minLength={10}
            maxLength={1024}
            autoComplete="new-password"
            autoFocus={name !== null}
          />
        </label>
        <label>
          Once more
          <input name="again" type="password" required maxLength={1024} autoComplete="new-password" />
        </label>
        <p className="form-problem" role="alert">
          {problem}
        </p>
        <button type="submit" className="solid" disabled={busy}>
          {busy ? 'Signing in…' : 'Set it and sign in'}
        </button>
      </form>
    </main>
  )
}

function Brand(): ReactNode {
  return (
    <h1>
      <img src="/watch-assets/mark.svg" alt="" width="36" height="36" /> Vitrine
    </h1>
  )
}

function wordsOf(thrown: unknown): string {
  return thrown instanceof Error
    ? `${thrown.message.slice(0, 1).toUpperCase()}${thrown.message.slice(1)}.`
    : 'It failed.'
}
