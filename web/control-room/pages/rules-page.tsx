// Owns the list of rules: what each asks, what it says now, and whether it had anything to look at. Quiet without data
// is no good news, and is told apart.
import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { type RuleState, type RulesAnswer, type RuleView, rulesAnswer } from '#wire'
import { useClient } from '../api/use-control-room.tsx'
import { Loading, Problem } from '../parts/answers.tsx'
import { Moment, ZoneSwitch } from '../parts/moment.tsx'
import '../rules/rules.css'
import { setDuration } from '../time-format.ts'

const EVERY_MS = 2_000

const STATES: Readonly<Record<RuleState, { readonly word: string; readonly tone: string }>> = {
  failing: { word: 'failing', tone: 'unreachable' },
  firing: { word: 'firing', tone: 'degraded' },
  pending: { word: 'pending', tone: 'moving' },
  'no-data': { word: 'no data', tone: 'moving' },
  unknown: { word: 'not yet', tone: 'resting' },
  quiet: { word: 'quiet', tone: 'healthy' },
}

export function useRules(): UseQueryResult<RulesAnswer> {
  const client = useClient()
  return useQuery({
    queryKey: ['rules'],
    queryFn: ({ signal }) => client.get('/api/v1/rules', rulesAnswer, signal),
    refetchInterval: EVERY_MS,
  })
}

export function RulesPage(): ReactNode {
  const { data, error } = useRules()
  return (
    <div className="page">
      <header className="page-head">
        <h1>Rules</h1>
        <p className="quiet">
          Prometheus rule files, evaluated each second or slower. Times in <ZoneSwitch />
        </p>
      </header>
      {data === undefined ? (
        error === null ? (
          <Loading what="the rules" />
        ) : (
          <Problem error={error} what="The rules" />
        )
      ) : (
        <Rules answer={data} />
      )}
    </div>
  )
}

function Rules({ answer }: { readonly answer: RulesAnswer }): ReactNode {
  const { groups, loadedAt, problem } = answer
  const all = groups.flatMap(({ rules }) => rules)
  return (
    <>
      {problem === null ? null : (
        <div className="rules-refused" data-tone="unreachable" role="alert">
          <strong>The rule files were changed and refused.</strong> The rules read at <Moment at={loadedAt} />{' '}
          go on.
          <code>{problem}</code>
        </div>
      )}
      <p className="rules-state">
        <span>
          {all.length} rules, {countOf(all, 'firing')} firing, {countOf(all, 'pending')} pending
        </span>
        {countOf(all, 'no-data') === 0 ? null : (
          <span>{countOf(all, 'no-data')} had nothing to look at: they say nothing about the servers</span>
        )}
        {countOf(all, 'failing') === 0 ? null : <span>{countOf(all, 'failing')} could not be evaluated</span>}
        <span className="quiet">
          in force since <Moment at={loadedAt} />
        </span>
      </p>
      {groups.map(group => (
        <section key={`${group.file} ${group.name}`} className="alert-group" aria-label={group.name}>
          <h2>
            {group.name}{' '}
            <span>
              {group.file}, each {setDuration(group.intervalMs)}
            </span>
          </h2>
          <ul className="rule-list">
            {group.rules.map(rule => (
              <Rule key={`${rule.at} ${rule.name}`} rule={rule} />
            ))}
          </ul>
        </section>
      ))}
    </>
  )
}

function countOf(rules: readonly RuleView[], state: RuleState): number {
  return rules.filter(rule => rule.state === state).length
}

function Rule({ rule }: { readonly rule: RuleView }): ReactNode {
  const { word, tone } = STATES[rule.state]
  const count = rule.state === 'firing' ? rule.firing : rule.state === 'pending' ? rule.pending : 0
  return (
    <li className="rule">
      <span className="state-badge" data-tone={tone}>
        {word}
        {count > 1 ? ` ${count}` : ''}
      </span>
      <div>
        <h3>{rule.name}</h3>
        <code>{rule.expr}</code>
      </div>
      <p className="rule-facts">
        {rule.kind === 'record' ? 'recorded' : (rule.labels['severity'] ?? 'no severity')}
        {rule.forMs > 0 ? `, for ${setDuration(rule.forMs)}` : ''}
        {rule.keepFiringForMs > 0 ? `, kept ${setDuration(rule.keepFiringForMs)}` : ''}
        <br />
        <span title="File and line">{rule.at}</span>
        {rule.tookMs === null ? '' : `, ${rule.tookMs.toFixed(1)} ms`}
      </p>
      {rule.problem === null ? null : <p className="rule-problem">{rule.problem}</p>}
    </li>
  )
}
