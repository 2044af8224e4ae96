// Owns what an incident offers: the runbooks that fit it, for the servers that it concerns. It shows nothing where
// nothing fits.
import { type ReactNode, useState } from 'react'
import { useRunbooks } from '../api/use-runbooks.ts'
import { RunForm } from './run-form.tsx'
import './runbooks.css'

export function RunTheFix({ incident }: { readonly incident: string }): ReactNode {
  const { data } = useRunbooks(incident)
  const [chosen, setChosen] = useState<string | null>(null)
  if (data === undefined || data.offers.length === 0) return null
  const offer = data.offers.find(({ runbook }) => runbook === chosen)
  const runbook = data.runbooks.find(({ name }) => name === chosen)
  return (
    <section className="panel run-the-fix" aria-label="Run the fix">
      {data.offers.map(({ runbook: name, why }) => (
        <p key={name}>
          <button
            type="button"
            className="plain"
            aria-expanded={chosen === name}
            onClick={() => setChosen(chosen === name ? null : name)}
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
