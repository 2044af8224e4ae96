// Owns what is one's own: the password, the browsers in which one is signed in, and one's tokens.
import { type FormEvent, type ReactNode, useState } from 'react'
import { mayAct, type TokenScope, tokenMade, tokenScopes, type UserRole, userRoles } from '#wire'
import { type Me, useMe } from '../api/use-control-room.tsx'
import { CopyField } from '../parts/copy-field.tsx'
import { ZoneSwitch } from '../parts/moment.tsx'
import { formText } from '../people/form-text.ts'
import { Said, SessionsPanel, TokensPanel, Waiting } from '../people/lists.tsx'
import '../people/people.css'
import { nothing, useChange } from '../people/use-people.ts'

export function AccountPage(): ReactNode {
  const me = useMe()
  return (
    <div className="page">
      <header className="page-head">
        <h1>My account</h1>
        <p className="quiet">
          {me.data === undefined ? null : `${me.data.name}, ${me.data.role}. `}Times in <ZoneSwitch />
        </p>
      </header>
      {me.data === undefined ? <Waiting error={me.error} what="the account" /> : <Account me={me.data} />}
    </div>
  )
}

function Account({ me }: { readonly me: Me }): ReactNode {
  const isNamed = me.signedInBy === 'password'
  return (
    <>
      {isNamed ? (
        <PasswordPanel />
      ) : (
        <p className="quiet">
          You are signed in by a one-time link, which names nobody: there is no password, and no token of your
          own.
        </p>
      )}
      <SessionsPanel everybody={false} />
      {isNamed ? (
        <TokensPanel everybody={false}>
          <TokenForm role={me.role} />
        </TokensPanel>
      ) : null}
    </>
  )
}

function PasswordPanel(): ReactNode {
  const [differs, setDiffers] = useState(false)
  const change = useChange((client, wanted: { current: string; password: string }) =>
    client.post('/api/v1/me/password', wanted, nothing),
  )
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = event.currentTarget
    const text = (name: string): string => formText(new FormData(form), name)
    const [current, password] = [text('current'), text('password')]
    setDiffers(password !== text('again'))
    if (password === text('again')) change.mutate({ current, password }, { onSuccess: () => form.reset() })
  }
  return (
    <section className="panel" aria-label="Password">
      <header>
        <h2>Password</h2>
        <p className="quiet">At least 10 characters. Your other browsers are signed out.</p>
      </header>
      <form className="link-form" onSubmit={submit}>
        <Field name="current" label="Present password" complete="current-password" />
        <Field name="password" label="New password" complete="new-password" min={10} />
        <Field name="again" label="New password, once more" complete="new-password" min={10} />
        <button type="submit" className="solid" disabled={change.isPending}>
          Change it
        </button>
      </form>
      {differs ? (
        <p className="form-problem" role="alert">
          The two new passwords differ.
        </p>
      ) : (
        <Said error={change.error} />
      )}
      <p className="people-done" role="status">
        {change.isSuccess && !differs ? 'Your password is changed.' : ''}
      </p>
    </section>
  )
}

interface FieldProps {
  readonly name: string
  readonly label: string
  readonly complete: string
  readonly min?: number
}

function Field({ name, label, complete, min = 1 }: FieldProps): ReactNode {
  return (
    <label>
      {label}
      <input name={name} type="password" required minLength={min} maxLength={1024} autoComplete={complete} />
    </label>
  )
}

const SCOPES: Record<TokenScope, string> = {
  everything: 'the whole API',
  metrics: 'metrics alone',
  alerts: 'sending alerts alone',
}
const DAYS = [30, 90, 365] as const

interface TokenWanted {
  readonly name: string
  readonly role: string
  readonly scope: string
  readonly expiresInS?: number
}

function TokenForm({ role }: { readonly role: UserRole }): ReactNode {
  const make = useChange((client, wanted: TokenWanted) => client.post('/api/v1/tokens', wanted, tokenMade))
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = event.currentTarget
    const text = (name: string): string => formText(new FormData(form), name)
    const days = Number(text('days'))
    const wanted = { name: text('name').trim(), role: text('role'), scope: text('scope') }
    make.mutate(days === 0 ? wanted : { ...wanted, expiresInS: days * 86_400 }, {
      onSuccess: () => form.reset(),
    })
  }
  return (
    <>
      <form className="link-form" onSubmit={submit}>
        <label>
          What it is for
          <input type="text" name="name" required maxLength={64} placeholder="grafana" autoComplete="off" />
        </label>
        <label className="short">
          Role
          <select name="role" defaultValue="viewer">
            {userRoles
              .filter(one => mayAct(role, one))
              .map(one => (
                <option key={one}>{one}</option>
              ))}
          </select>
        </label>
        <label className="short">
          Reaches
          <select name="scope">
            {tokenScopes.map(scope => (
              <option key={scope} value={scope}>
                {SCOPES[scope]}
              </option>
            ))}
          </select>
        </label>
        <label className="short">
          Works for
          <select name="days" defaultValue="90">
            {DAYS.map(days => (
              <option key={days} value={days}>
                {days} days
              </option>
            ))}
            <option value="0">until revoked</option>
          </select>
        </label>
        <button type="submit" className="solid" disabled={make.isPending}>
          Make a token
        </button>
      </form>
      <Said error={make.error} />
      {make.data === undefined ? null : (
        <CopyField label={`The token for ${make.data.name}: it is shown only now`} text={make.data.token} />
      )}
    </>
  )
}
