// Owns one version of the steering table: each edge with what went in and the weight that came out.
import type { ReactNode } from 'react'
import type { SteeringInput } from '#wire'
import { useSteeringVersion } from '../api/use-steering.ts'
import { Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
import { Moment } from '../parts/moment.tsx'
import { StateBadge } from '../parts/state.tsx'
import { figureText } from '../units.ts'

export function VersionDetail({
  version,
  isNewest,
}: {
  readonly version: number
  readonly isNewest: boolean
}): ReactNode {
  const { data, error, isPlaceholderData } = useSteeringVersion(version)
  return (
    <section
      className="panel table-panel version-detail"
      aria-label={`Version ${version}`}
      aria-busy={isPlaceholderData}
    >
      <header>
        <h2>
          {isNewest && !isPlaceholderData ? 'The table now' : 'The table then'}{' '}
          <small>version {data?.version ?? version}</small>
        </h2>
        {data === undefined ? null : (
          <span className="quiet">
            since <Moment at={data.at} />
          </span>
        )}
      </header>
      {data?.exhausted === true ? (
        <p className="form-problem">No edge deserved viewers: the least bad one was kept.</p>
      ) : null}
      {data === undefined ? (
        error === null ? (
          <Loading what="the version" />
        ) : (
          <Problem error={error} what={`Version ${version}`} />
        )
      ) : (
        <Inputs inputs={data.inputs} />
      )}
    </section>
  )
}

function Inputs({ inputs }: { readonly inputs: readonly SteeringInput[] }): ReactNode {
  const limits = inputs.some(({ capacity }) => capacity !== null)
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Edge</th>
          <th scope="col" className="number">
            Weight
          </th>
          <th scope="col">Why</th>
          <th scope="col">State</th>
          <th scope="col" className="number">
            New sessions
          </th>
          {limits ? (
            <th scope="col" className="number">
              Capacity left
            </th>
          ) : null}
        </tr>
      </thead>
      <tbody>
        {[...inputs]
          .sort((a, b) => b.weight - a.weight)
          .map(input => (
            <Row key={input.id} input={input} limits={limits} />
          ))}
      </tbody>
    </table>
  )
}

function Row({ input, limits }: { readonly input: SteeringInput; readonly limits: boolean }): ReactNode {
  const { id, region, weight, keep, why, state, reason, order, share, doubts } = input
  return (
    <tr data-lost={keep === 0}>
      <th scope="row">
        <Link href={`/servers/${id}`}>{id}</Link>
        {region === id ? null : <small>{region}</small>}
      </th>
      <td className="number weight">
        <Bar part={weight} />
        {Number(weight.toPrecision(3))}
        {keep > weight ? <small>viewers stay</small> : null}
      </td>
      <td className="why">
        {why}
        {order === null ? null : <small>{order}</small>}
      </td>
      <td className="why">
        <StateBadge state={state} />
        <small>
          {reason}
          {doubts === 0 ? '' : ` · ${doubts === 1 ? 'one witness doubts' : `${doubts} witnesses doubt`} it`}
        </small>
      </td>
      <td className="number">{share < 1 ? `${Number((share * 100).toPrecision(3))} % at most` : 'all'}</td>
      {limits ? <td className="number">{left(input)}</td> : null}
    </tr>
  )
}

function Bar({ part }: { readonly part: number }): ReactNode {
  return (
    <span className="weight-bar" aria-hidden="true">
      <i style={{ inlineSize: `${Math.min(1, part) * 100}%` }} />
    </span>
  )
}

function left({ capacity, capacityLeftBps }: SteeringInput): ReactNode {
  if (capacity === null) return <span className="quiet">not known</span>
  return (
    <>
      {figureText(capacityLeftBps, 'bits')}
      <small>
        of {figureText(capacity.bps, 'bits')}, {capacity.source === 'measured' ? 'measured' : 'as was said'}
      </small>
    </>
  )
}
