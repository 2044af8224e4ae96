// Owns what stands where orders are given, on a page about the past: what was ordered then, and that nothing can be now.
import type { ReactNode } from 'react'
import type { ServerView } from '#wire'
import { Moment } from '../parts/moment.tsx'

const WORDS = { drain: 'Drain', maintenance: 'Maintenance', keep: 'Keep in service' } as const

export function OrderThen({ server: { role, override } }: { readonly server: ServerView }): ReactNode {
  if (role === 'control') return null
  return (
    <section className="panel" aria-label="Orders then">
      <header>
        <h2>Orders then</h2>
      </header>
      <p className="quiet">
        {override === null ? (
          'Nothing was ordered: the witnesses decided.'
        ) : (
          <>
            <b>{WORDS[override.kind]}</b>, by {override.by} since <Moment at={override.since} />:{' '}
            {override.reason}
          </>
        )}{' '}
        No order can be given in the past.
      </p>
    </section>
  )
}
