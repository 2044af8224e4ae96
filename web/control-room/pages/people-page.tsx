// Owns the page of people: who is here with which role, who is invited, where everybody is signed in, and the end of
// somebody's time here.
import type { FormEvent, ReactNode } from 'react'
import { useSearchParams } from 'wouter'
import { type InvitationView, invitationMade, mayAct, type UserRole, type UserView, userRoles } from '#wire'
import { useMe } from '../api/use-control-room.tsx'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { CopyField } from '../parts/copy-field.tsx'
import { Link } from '../parts/link.tsx'
import { Moment, ZoneSwitch } from '../parts/moment.tsx'
import { formText } from '../people/form-text.ts'
import { Ago, Said, SessionsPanel, TokensPanel, Waiting } from '../people/lists.tsx'
import { OffboardPanel } from '../people/offboard-panel.tsx'
import '../people/people.css'
import { RecoveryPanel } from '../people/recovery-panel.tsx'
import { nothing, useChange, useInvitations, useUsers } from '../people/use-people.ts'

export function PeoplePage(): ReactNode {
  const me = useMe()
  return (
    <div className="page">
      <header className="page-head">
        <h1>People</h1>
        <p className="quiet">
          Who may sign in, and what they may do. Every change is in the <Link href="/audit">audit</Link>.
          Times in <ZoneSwitch />
        </p>
      </header>
      {me.data === undefined ? (
        <Waiting error={me.error} what="People" />
      ) : mayAct(me.data.role, 'admin') ? (
        <Everybody />
      ) : (
        <p className="quiet">
          People are invited and offboarded by admins. What is yours is on{' '}
          <Link href="/account">My account</Link>.
        </p>
      )}
    </div>
  )
}

function Everybody(): ReactNode {
  const users = useUsers()
  const [search, setSearch] = useSearchParams()
  const leaving = search.get('offboard')
  const choose = (name: string | null): void =>
    setSearch(old => {
      if (name === null) old.delete('offboard')
      else old.set('offboard', name)
      return old
    })
  return (
    <>
      {leaving === null || leaving === '' ? null : (
        <OffboardPanel key={leaving} name={leaving} users={users.data ?? []} close={() => choose(null)} />
      )}
      <section className="panel" aria-label="Users">
        <header>
          <h2>Users</h2>
        </header>
        {users.data === undefined ? (
          <Waiting error={users.error} what="the users" />
        ) : users.data.length === 0 ? (
          <p className="quiet none">Nobody has a name here yet. Invite yourself as an admin, below.</p>
        ) : (
          <UserTable users={users.data} offboard={choose} />
        )}
      </section>
      <Invitations />
      <RecoveryPanel />
      <SessionsPanel everybody />
      <TokensPanel everybody />
    </>
  )
}

interface UserTableProps {
  readonly users: readonly UserView[]
  readonly offboard: (name: string) => void
}

function UserTable({ users, offboard }: UserTableProps): ReactNode {
  const change = useChange((client, { name, role }: { name: string; role: UserRole }) =>
    client.put(`/api/v1/users/${encodeURIComponent(name)}/role`, { role }, nothing),
  )
  const reset = useChange((client, name: string) =>
    client.post(`/api/v1/users/${encodeURIComponent(name)}/reset`, {}, invitationMade),
  )
  const here = users.toSorted((a, b) => Number(a.offboardedAt !== null) - Number(b.offboardedAt !== null))
  return (
    <>
      <Said error={change.error ?? reset.error} />
      {reset.data === undefined ? null : <MadeLink made={reset.data} />}
      <table className="people-table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Role</th>
            <th scope="col">Last seen</th>
            <th scope="col">Browsers</th>
            <th scope="col">Tokens</th>
            <th scope="col">
              <span className="visually-hidden">What can be done</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {here.map(user => (
            <UserRow
              key={user.name}
              user={user}
              setRole={role => change.mutate({ name: user.name, role })}
              reset={() => reset.mutate(user.name)}
              offboard={() => offboard(user.name)}
            />
          ))}
        </tbody>
      </table>
    </>
  )
}

interface UserRowProps {
  readonly user: UserView
  readonly setRole: (role: UserRole) => void
  readonly reset: () => void
  readonly offboard: () => void
}

function UserRow({ user, setRole, reset, offboard }: UserRowProps): ReactNode {
  const { name, role, seenAt, sessions, tokens, offboardedAt, handedTo } = user
  if (offboardedAt !== null) {
    return (
      <tr data-ended="true">
        <th scope="row">{name}</th>
        <td data-label="Role">{role} before</td>
        <td colSpan={3}>
          offboarded <Moment at={offboardedAt} />
          {handedTo === null ? '' : `, duties to ${handedTo}`}
        </td>
        <td />
      </tr>
    )
  }
  return (
    <tr>
      <th scope="row">{name}</th>
      <td data-label="Role">
        <select
          aria-label={`Role of ${name}`}
          value={role}
          onChange={event => setRole(event.target.value as UserRole)}
        >
          {userRoles.toReversed().map(one => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </td>
      <td data-label="Last seen">{seenAt === null ? 'not signed in' : <Ago at={seenAt} />}</td>
      <td data-label="Browsers" className="figures">
        {sessions}
      </td>
      <td data-label="Tokens" className="figures">
        {tokens}
      </td>
      <td className="act">
        <button type="button" className="plain" onClick={reset} aria-label={`Reset link for ${name}`}>
          Reset link
        </button>
        <button type="button" className="plain" onClick={offboard} aria-label={`Offboard ${name}`}>
          Offboard…
        </button>
      </td>
    </tr>
  )
}

function MadeLink({ made }: { readonly made: { name: string; kind: string; path: string } }): ReactNode {
  const what = made.kind === 'reset' ? 'The reset link' : 'The invitation'
  return (
    <CopyField
      label={`${what} for ${made.name}: works once, and is shown only now`}
      text={`${location.origin}${made.path}`}
    />
  )
}

const DAYS = [1, 3, 7, 30] as const

function Invitations(): ReactNode {
  const invitations = useInvitations()
  const invite = useChange((client, wanted: { name: string; role: string; expiresInS: number }) =>
    client.post('/api/v1/invitations', wanted, invitationMade),
  )
  const revoke = useChange((client, id: string) =>
    client.delete(`/api/v1/invitations/${encodeURIComponent(id)}`, nothing),
  )
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = event.currentTarget
    const text = (name: string): string => formText(new FormData(form), name)
    const wanted = {
      name: text('name').trim(),
      role: text('role'),
      expiresInS: Number(text('days')) * 86_400,
    }
    invite.mutate(wanted, { onSuccess: () => form.reset() })
  }
  const open = (invitations.data ?? []).filter(({ state }) => state === 'open')
  return (
    <section className="panel" aria-label="Invitations">
      <header>
        <h2>Invitations</h2>
        <p className="quiet">A link for one named person, who chooses a password with it. It works once.</p>
      </header>
      <form className="link-form" onSubmit={submit}>
        <label>
          Name
          <input
            type="text"
            name="name"
            required
            maxLength={64}
            autoCapitalize="none"
            autoComplete="off"
            placeholder="ada"
          />
        </label>
        <label className="short">
          Role
          <select name="role" defaultValue="operator">
            {userRoles.toReversed().map(role => (
              <option key={role}>{role}</option>
            ))}
          </select>
        </label>
        <label className="short">
          Works for
          <select name="days" defaultValue="3">
            {DAYS.map(days => (
              <option key={days} value={days}>
                {days === 1 ? '1 day' : `${days} days`}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" className="solid" disabled={invite.isPending}>
          Invite
        </button>
      </form>
      <Said error={invite.error ?? revoke.error} />
      {invite.data === undefined ? null : <MadeLink made={invite.data} />}
      {invitations.data === undefined ? (
        <Waiting error={invitations.error} what="the invitations" />
      ) : open.length === 0 ? (
        <p className="quiet none">Nobody is invited.</p>
      ) : (
        <InvitationTable open={open} revoke={revoke.mutate} />
      )}
    </section>
  )
}

interface InvitationTableProps {
  readonly open: readonly InvitationView[]
  readonly revoke: (id: string) => void
}

function InvitationTable({ open, revoke }: InvitationTableProps): ReactNode {
  return (
    <table className="people-table">
      <thead>
        <tr>
          <th scope="col">For</th>
          <th scope="col">What</th>
          <th scope="col">By</th>
          <th scope="col">Ends</th>
          <th scope="col">
            <span className="visually-hidden">Revoke</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {open.map(({ id, name, kind, role, createdBy, expiresAt }) => (
          <tr key={id}>
            <th scope="row">{name}</th>
            <td data-label="What">{kind === 'reset' ? 'a new password' : `invited as ${role}`}</td>
            <td data-label="By">{createdBy}</td>
            <td data-label="Ends">
              <Moment at={expiresAt} />
            </td>
            <td className="act">
              <ConfirmButton
                verb="Revoke"
                what={`the link for ${name}`}
                warning="It never works again."
                onConfirm={() => revoke(id)}
              />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
