// Owns what an incident offers: the runbooks that fit it, for the servers that it concerns. It shows nothing where
// nothing fits.
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useRunbooks } from '../api/use-runbooks.ts'
import { RunForm } from './run-form.tsx'
import './runbooks.css'

export function RunTheFix({ incident }: { readonly incident: string }): ReactNode {
  const { data } = useRunbooks(incident)
  const [picked, setChosen] = useState<string | null>(null)
  const panel = useRef<HTMLElement>(null)
  const isHere = data !== undefined && data.offers.length > 0
  useEffect(() => {
    // Opened by a button that on a phone is far from it.
    if (isHere) panel.current?.scrollIntoView({ block: 'start' })
  }, [isHere])
  if (!isHere) return null
  // One that fits needs no choice.
  const chosen = picked ?? (data.offers.length === 1 ? (data.offers[0]?.runbook ?? null) : null)
  const offer = data.offers.find(({ runbook }) => runbook === chosen)
  const runbook = data.runbooks.find(({ name }) => name === chosen)
  return (
    <section ref={panel} className="panel run-the-fix" aria-label="Run the fix">
      <h2>Run the fix</h2>
      {data.offers.map(({ runbook: name, why }) => (
        <p key={name}>
          <button
            type="button"
            className="plain"
            aria-expanded={chosen === name}
            onClick={() => setChosen(chosen === name ? '' : name)}
          >
            {data.runbooks.find(one => one.name === name)?.title ?? name}
          </button>{' '}
          <small>{why}</small>
        </p>
      ))}
      {offer === undefined || runbook === undefined ? null : (
        <RunForm key={offer.runbook} runbook={runbook} servers={offer.servers} incident={incident} />
      )}
    </section>
  )
}
