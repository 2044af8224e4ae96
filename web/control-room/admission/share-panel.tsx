// Owns the last step of a new edge: how much of all new sessions it may get.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { type CheckRun, type ServerView, serverShareRequest } from '#wire'
import { useClient } from '../api/use-control-room.tsx'
import { Link } from '../parts/link.tsx'
import { StateBadge } from '../parts/state.tsx'

const PERCENTS = [1, 10, 100] as const

export interface SharePanelProps {
  readonly server: ServerView
  /** Of other edges. */
  readonly others: readonly ServerView[]
  readonly run: CheckRun | null
  readonly mayShare: boolean
}

export function SharePanel({ server, others, run, mayShare }: SharePanelProps): ReactNode {
  const client = useClient()
  const cache = useQueryClient()
  const { id } = server
  const sharePercent = server.sharePercent ?? 100
  const give = useMutation({
    mutationFn: (percent: number) =>
      client.put(`/api/v1/servers/${encodeURIComponent(id)}/share`, { percent }, serverShareRequest),
    onSettled: () => cache.invalidateQueries({ queryKey: ['servers'] }),
  })
  const failed = run?.steps.filter(({ state }) => state === 'failed').length ?? 0
  const isAlone = others.every(({ weight }) => weight === 0)
  return (
    <section className="panel share-panel" aria-label="Share of new sessions">
      <header>
        <h2>New sessions</h2>
      </header>
      <div className="share-body">
        <p>
          <b className="share-figure">{sharePercent} %</b> <span>of all new sessions at most</span>
        </p>
        <div className="segments" role="group" aria-label={`Share of new sessions of ${id}`}>
          {PERCENTS.map(percent => (
            <button
              key={percent}
              type="button"
              aria-pressed={sharePercent === percent}
              disabled={!mayShare || give.isPending}
              onClick={() => give.mutate(percent)}
            >
              {percent} %
            </button>
          ))}
        </div>
        <p className="quiet">{words(sharePercent, { failed, isAlone })}</p>
        {give.error === null ? null : (
          <p className="form-problem" role="alert">
            {give.error.message}
          </p>
        )}
        <dl className="share-facts">
          <div>
            <dt>State</dt>
            <dd>
              <StateBadge state={server.state} />
            </dd>
          </div>
          <div>
            <dt>Watching through it</dt>
            <dd>{server.watching}</dd>
          </div>
        </dl>
        <p>
          <Link href={`/servers/${id}`}>To its page</Link>
        </p>
      </div>
    </section>
  )
}

function words(
  percent: number,
  { failed, isAlone }: { readonly failed: number; readonly isAlone: boolean },
): string {
  if (isAlone) return 'No other edge takes viewers now: until one does, it gets all of them.'
  if (percent >= 100) return 'It takes its part like every other edge.'
  if (failed > 0) return 'Some checks failed: put them right before it gets more.'
  if (percent < 1) return 'Next to none, until somebody raises it. Viewers who play elsewhere stay there.'
  return 'Raise it when its viewers do well. Viewers who play elsewhere stay there.'
}
