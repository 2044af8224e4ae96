// Owns the row above the tiles of a large fleet: words, state and region, kept in the URL.
import type { ReactNode } from 'react'
import { useSearchParams } from 'wouter'
import type { ServerView } from '#wire'
import { readFilter } from '../fleet-filter.ts'
import { withChoices } from '../url-state.ts'

export interface FleetToolsProps {
  readonly servers: readonly ServerView[]
  readonly matching: number
}

export function FleetTools({ servers, matching }: FleetToolsProps): ReactNode {
  const [search, setSearch] = useSearchParams()
  const filter = readFilter(search)
  const set = (name: string, value: string): void =>
    setSearch(before => withChoices(before, { [name]: value }), { replace: true })
  const count = (state: ServerView['state']): number =>
    servers.filter(server => server.state === state).length
  const states = (
    ['unreachable', 'degraded', 'draining', 'drained', 'maintenance', 'healthy'] as const
  ).filter(count)
  const regions = [...new Set(servers.map(({ region }) => region))].sort()
  return (
    <div className="fleet-tools" role="search" aria-label="Find servers">
      <input
        type="search"
        aria-label="Find a server"
        placeholder="Find: name, region, reason"
        value={filter.words}
        onChange={event => set('find', event.target.value)}
      />
      <div className="segments" role="group" aria-label="State">
        <button type="button" aria-pressed={filter.state === ''} onClick={() => set('state', '')}>
          All {servers.length}
        </button>
        {states.map(state => (
          <button
            key={state}
            type="button"
            aria-pressed={filter.state === state}
            onClick={() => set('state', state)}
          >
            {state} {count(state)}
          </button>
        ))}
      </div>
      <select aria-label="Region" value={filter.region} onChange={event => set('region', event.target.value)}>
        <option value="">All regions</option>
        {regions.map(region => (
          <option key={region} value={region}>
            {region}
          </option>
        ))}
      </select>
      <p role="status">{matching === servers.length ? 'worst first' : `${matching} of ${servers.length}`}</p>
    </div>
  )
}
