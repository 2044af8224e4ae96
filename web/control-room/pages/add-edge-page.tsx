// Owns the page that makes a machine an edge: what it is, one line to paste, checks that fill live, its share of new
// sessions. Its address says how far it is, so that it can be left and opened again.
import { type ReactNode, useCallback, useState } from 'react'
import { useSearchParams } from 'wouter'
import { mayAct, type ServerView } from '#wire'
import { CheckList } from '../admission/check-list.tsx'
import { joinLine } from '../admission/check-words.ts'
import { ChecksPanel } from '../admission/checks-panel.tsx'
import { InviteForm, type Made } from '../admission/invite-form.tsx'
import { LinePanel } from '../admission/line-panel.tsx'
import { SharePanel } from '../admission/share-panel.tsx'
import { useChecks } from '../admission/use-checks.ts'
import { useMe, useServers } from '../api/use-control-room.tsx'
import { Empty, Loading, Problem } from '../parts/answers.tsx'

export function AddEdgePage(): ReactNode {
  const [search, setSearch] = useSearchParams()
  const servers = useServers()
  const { data: me } = useMe()
  const [made, setMade] = useState<{ readonly id: string; readonly line: string } | null>(null)
  const server = search.get('server')
  const invite = search.get('invite')
  const go = useCallback(
    (next: Readonly<Record<string, string>>) => setSearch(new URLSearchParams(next), { replace: true }),
    [setSearch],
  )
  const onJoined = useCallback((id: string) => go({ server: id }), [go])
  if (servers.data === undefined || me === undefined) {
    return (
      <div className="page">
        {servers.error === null ? (
          <Loading what="the fleet" />
        ) : (
          <Problem error={servers.error} what="The fleet" />
        )}
      </div>
    )
  }
  const mayAdd = mayAct(me.role, 'operator')
  const joined = servers.data.find(({ id }) => id === server)
  const onMade = (one: Made, address: string): void => {
    setMade({ id: one.id, line: joinLine(one.command, address) })
    go({ invite: one.id })
  }
  return (
    <div className="page add-edge">
      <Head server={joined} step={server !== null ? 3 : invite !== null ? 2 : 1} />
      {server !== null ? (
        joined === undefined ? (
          <NotYet id={server} />
        ) : (
          <Joined server={joined} servers={servers.data} mayAdd={mayAdd} />
        )
      ) : !mayAdd ? (
        <p className="quiet">Edges are added by operators and admins.</p>
      ) : (
        <>
          <section className="panel" aria-label={invite === null ? 'The new edge' : 'The line'}>
            <header>
              <h2>{invite === null ? 'Which edge' : 'One line'}</h2>
            </header>
            {invite === null ? (
              <InviteForm regions={regionsOf(servers.data)} onMade={onMade} />
            ) : (
              <LinePanel
                invite={invite}
                line={made?.id === invite ? made.line : null}
                onJoined={onJoined}
                onAnother={() => go({})}
              />
            )}
          </section>
          <section className="panel check-panel" aria-label="What will be checked">
            <header>
              <h2>Checks</h2>
              <p className="quiet">They fill as soon as the machine has joined.</p>
            </header>
            <CheckList run={null} />
          </section>
        </>
      )}
    </div>
  )
}

const STEPS = ['Which edge', 'One line to paste', 'Checks and share'] as const

function Head({
  server,
  step,
}: {
  readonly server: ServerView | undefined
  readonly step: number
}): ReactNode {
  const name = server === undefined ? null : (server.tags.name ?? server.id)
  return (
    <header className="page-head add-edge-head">
      <h1>{name === null ? 'Add an edge' : `Add an edge: ${name}`}</h1>
      <ol aria-label="Steps">
        {STEPS.map((words, at) => (
          <li key={words} aria-current={at + 1 === step ? 'step' : undefined} data-done={at + 1 < step}>
            {words}
          </li>
        ))}
      </ol>
    </header>
  )
}

interface JoinedProps {
  readonly server: ServerView
  readonly servers: readonly ServerView[]
  readonly mayAdd: boolean
}

function Joined({ server, servers, mayAdd }: JoinedProps): ReactNode {
  const checks = useChecks(server.id)
  const others = servers.filter(({ id, role }) => role === 'edge' && id !== server.id)
  if (server.role !== 'edge') {
    return (
      <Empty title={`${server.id} is no edge`}>
        <p>Only edges are checked, and have a share of new sessions.</p>
      </Empty>
    )
  }
  return (
    <div className="add-edge-body">
      <ChecksPanel server={server.id} mayCheck={mayAdd} brief={false} />
      <SharePanel server={server} others={others} run={checks.data?.[0] ?? null} mayShare={mayAdd} />
    </div>
  )
}

function NotYet({ id }: { readonly id: string }): ReactNode {
  return (
    <Empty title={`There is no server “${id}”`}>
      <p>It was retired, or has another id.</p>
    </Empty>
  )
}

function regionsOf(servers: readonly ServerView[]): string[] {
  return [...new Set(servers.filter(({ role }) => role === 'edge').map(({ region }) => region))].sort()
}
