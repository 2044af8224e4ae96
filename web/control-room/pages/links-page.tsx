// Owns the list of links that open something without a sign-in: screens that show the wall, and shared graphs.
// Each can be revoked.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { z } from 'zod'
import { mayAct, type ShareView, sharesAnswer, type WallLinkView, wallLinkMade, wallLinksAnswer } from '#wire'
import { useClient, useMe } from '../api/use-control-room.tsx'
import { Loading, Problem } from '../parts/answers.tsx'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { CopyField } from '../parts/copy-field.tsx'
import { Moment, ZoneSwitch } from '../parts/moment.tsx'
import { withMoment } from '../past/at.ts'
import { useSettings } from '../settings.tsx'
import { zoneForLink } from '../time-format.ts'

export function LinksPage(): ReactNode {
  const me = useMe()
  return (
    <div className="page">
      <header className="page-head">
        <h1>Links</h1>
        <p className="quiet">
          Whoever has one sees what it opens, and nothing else, without a sign-in. Times in <ZoneSwitch />
        </p>
      </header>
      {me.data === undefined ? (
        me.error === null ? (
          <Loading what="the links" />
        ) : (
          <Problem error={me.error} what="Links" />
        )
      ) : mayAct(me.data.role, 'operator') ? (
        <>
          {me.data.role === 'admin' ? <Screens /> : null}
          <SharedGraphs />
        </>
      ) : (
        <p className="quiet">Links are made and revoked by operators and admins.</p>
      )}
    </div>
  )
}

function Screens(): ReactNode {
  const { zone } = useSettings()
  const client = useClient()
  const cache = useQueryClient()
  const [name, setName] = useState('')
  const again = (): Promise<void> => cache.invalidateQueries({ queryKey: ['wall-links'] })
  const links = useQuery({
    queryKey: ['wall-links'],
    queryFn: async ({ signal }) =>
      (await client.get('/api/v1/wall-links', wallLinksAnswer, signal)).links.toSorted(openFirst),
  })
  const make = useMutation({
    mutationFn: (wanted: string) => client.post('/api/v1/wall-links', { name: wanted }, wallLinkMade),
    onSuccess: async () => {
      setName('')
      await again()
    },
  })
  const revoke = useMutation({
    mutationFn: (id: string) => client.delete(`/api/v1/wall-links/${id}`, z.unknown()),
    onSettled: again,
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (name.trim() !== '') make.mutate(name.trim())
  }
  const problem = make.error ?? revoke.error
  return (
    <section className="panel" aria-label="Screens">
      <header>
        <h2>Screens</h2>
        <p className="quiet">A link to the wall, and to nothing else, for a screen where nobody signs in.</p>
      </header>
      <form className="link-form" onSubmit={submit}>
        <label>
          Which screen
          <input
            type="text"
            value={name}
            maxLength={64}
            placeholder="office, left of the door"
            onChange={event => setName(event.target.value)}
          />
        </label>
        <button type="submit" className="solid" disabled={name.trim() === '' || make.isPending}>
          Make a link
        </button>
      </form>
      {problem === null ? null : (
        <p className="form-problem" role="alert">
          {problem.message}
        </p>
      )}
      {make.data === undefined ? null : (
        <CopyField
          label={`The link for ${make.data.name}: it is shown only now`}
          text={`${location.origin}${withMoment(make.data.path, zoneForLink(zone), null)}`}
        />
      )}
      {links.data === undefined ? (
        links.error === null ? (
          <Loading what="the links" />
        ) : (
          <Problem error={links.error} what="The list" />
        )
      ) : links.data.length === 0 ? (
        <p className="quiet">No screen has a link yet.</p>
      ) : (
        <ScreenTable links={links.data} revoke={id => revoke.mutate(id)} />
      )}
    </section>
  )
}

/** Open ones first, each part newest first. */
function openFirst(a: WallLinkView, b: WallLinkView): number {
  return Number(a.revokedAt !== null) - Number(b.revokedAt !== null) || b.createdAt - a.createdAt
}

interface ScreenTableProps {
  readonly links: readonly WallLinkView[]
  readonly revoke: (id: string) => void
}

function ScreenTable({ links, revoke }: ScreenTableProps): ReactNode {
  return (
    <table className="links">
      <thead>
        <tr>
          <th scope="col">Screen</th>
          <th scope="col">Made</th>
          <th scope="col">By</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        {links.map(({ id, name, createdAt, createdBy, revokedAt }) => (
          <tr key={id} data-ended={revokedAt !== null}>
            <th scope="row">{name}</th>
            <td>
              <Moment at={createdAt} />
            </td>
            <td>{createdBy}</td>
            <td>
              {revokedAt === null ? (
                <ConfirmButton
                  verb="Revoke"
                  what={`the link for ${name}`}
                  warning="The screen goes dark at once, and the link never works again."
                  onConfirm={() => revoke(id)}
                />
              ) : (
                <>
                  revoked <Moment at={revokedAt} />
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function SharedGraphs(): ReactNode {
  const client = useClient()
  const cache = useQueryClient()
  const shares = useQuery({
    queryKey: ['shares'],
    queryFn: async ({ signal }) =>
      (await client.get('/api/v1/shares', sharesAnswer, signal)).shares.toSorted(
        (a, b) => Number(a.state !== 'open') - Number(b.state !== 'open') || b.createdAt - a.createdAt,
      ),
  })
  const revoke = useMutation({
    mutationFn: (id: string) => client.delete(`/api/v1/shares/${id}`, z.unknown()),
    onSettled: () => cache.invalidateQueries({ queryKey: ['shares'] }),
  })
  return (
    <section className="panel" aria-label="Shared graphs">
      <header>
        <h2>Shared graphs</h2>
        <p className="quiet">Frozen copies. The button Share above any graph makes one.</p>
      </header>
      {revoke.error === null ? null : (
        <p className="form-problem" role="alert">
          {revoke.error.message}
        </p>
      )}
      {shares.data === undefined ? (
        shares.error === null ? (
          <Loading what="the shared graphs" />
        ) : (
          <Problem error={shares.error} what="The list" />
        )
      ) : shares.data.length === 0 ? (
        <p className="quiet">Nothing is shared.</p>
      ) : (
        <ShareTable shares={shares.data} revoke={id => revoke.mutate(id)} />
      )}
    </section>
  )
}

interface ShareTableProps {
  readonly shares: readonly ShareView[]
  readonly revoke: (id: string) => void
}

function ShareTable({ shares, revoke }: ShareTableProps): ReactNode {
  return (
    <table className="links">
      <thead>
        <tr>
          <th scope="col">Graph</th>
          <th scope="col">Shared</th>
          <th scope="col">By</th>
          <th scope="col">Ends</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        {shares.map(({ id, title, createdAt, createdBy, expiresAt, state }) => (
          <tr key={id} data-ended={state !== 'open'}>
            <th scope="row">{title}</th>
            <td>
              <Moment at={createdAt} />
            </td>
            <td>{createdBy}</td>
            <td>
              <Moment at={expiresAt} />
            </td>
            <td>
              {state === 'open' ? (
                <ConfirmButton
                  verb="Revoke"
                  what={`the link to ${title}`}
                  warning="Nobody can open it any more, and the copy is thrown away."
                  onConfirm={() => revoke(id)}
                />
              ) : (
                state
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
