// Owns the list of rules: what each asks, what it says now, and whether it had anything to look at. Quiet without data
// is no good news, and is told apart.
import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import {
  mayAct,
  type RuleHistoryView,
  type RuleState,
  type RulesAnswer,
  type RuleView,
  rulesAnswer,
} from '#wire'
import { useClient, useMe } from '../api/use-control-room.tsx'
import { Loading, Problem } from '../parts/answers.tsx'
import { Link } from '../parts/link.tsx'
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
  const me = useMe()
  const mayWrite = me.data !== undefined && mayAct(me.data.role, 'operator')
  return (
    <div className="page rules-page">
      <header className="page-head">
        <h1>Rules</h1>
        <p className="quiet">
          Prometheus rule files, evaluated each second or slower. Times in <ZoneSwitch />
        </p>
        {mayWrite ? (
          <Link className="solid rules-new" href="/rules/edit">
            New rule
          </Link>
        ) : null}
      </header>
      {data === undefined ? (
        error === null ? (
          <Loading what="the rules" />
        ) : (
          <Problem error={error} what="The rules" />
        )
      ) : (
        <Rules answer={data} mayWrite={mayWrite} />
      )}
    </div>
  )
}

function Rules({
  answer,
  mayWrite,
}: {
  readonly answer: RulesAnswer
  readonly mayWrite: boolean
}): ReactNode {
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
        <span className="quiet">Figures of what fired, was acted on and was ignored: the last 30 days</span>
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
              <Rule key={`${rule.at} ${rule.name}`} rule={rule}>
                {mayWrite && group.folder !== null ? <WriteLink group={group} rule={rule} /> : null}
              </Rule>
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

/** What ships is copied, and the copy takes its place. */
function WriteLink({
  group: { folder, file, intervalMs },
  rule,
}: {
  readonly group: RulesAnswer['groups'][number]
  readonly rule: RuleView
}): ReactNode {
  const line = /:(\d+)$/.exec(rule.at)?.[1] ?? ''
  const query = new URLSearchParams({ file: `${folder}/${file}` })
  if (rule.shipped) {
    query.set('copy', line)
    query.set('rule', rule.name)
    query.set('each', String(intervalMs))
  }
  const verb = rule.shipped ? 'Copy' : 'Edit'
  return (
    <Link href={`/rules/edit?${query.toString()}`} aria-label={`${verb} ${rule.name}`}>
      {verb}
    </Link>
  )
}

const FIRED = 'Alerts of this name that began to fire in the last 30 days'
const ACTED = 'Of those: somebody acknowledged, commented, assigned, put off or resolved their incident'
const IGNORED = 'Of those: they ended, and nobody did anything. A rule that is mostly ignored is noise'

function History({ history }: { readonly history: RuleHistoryView }): ReactNode {
  const { fired, actedOn, ignored } = history
  if (fired === 0) return <span title={FIRED}>did not fire in 30 days</span>
  return (
    <span className="rule-history">
      <abbr title={FIRED}>fired</abbr> <b>{fired}</b>, <abbr title={ACTED}>acted on</abbr> <b>{actedOn}</b>,{' '}
      <abbr title={IGNORED}>ignored</abbr> <b>{ignored}</b>
    </span>
  )
}

function Rule({ rule, children }: { readonly rule: RuleView; readonly children: ReactNode }): ReactNode {
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
        {rule.replaces ? ', in place of the shipped one' : ''}
        <br />
        {rule.history === null ? null : (
          <>
            <History history={rule.history} />
            <br />
          </>
        )}
        <span title="File and line">{rule.at}</span>
        {rule.tookMs === null ? '' : `, ${rule.tookMs.toFixed(1)} ms`}
        {children}
      </p>
      {rule.problem === null ? null : <p className="rule-problem">{rule.problem}</p>}
    </li>
  )
}
