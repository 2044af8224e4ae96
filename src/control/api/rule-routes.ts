// Owns the route of rules for pages: what each says now, whether it had anything to look at, and what
// became of it.
import type { FastifyInstance } from 'fastify'
import { type RuleHistoryView, type RuleState, type RuleView, rulesAnswer } from '#wire'
import type { RuleStatus } from '../alerts/keeper-contract.ts'
import type { ControlContext } from '../context.ts'
import { addRoute } from './route.ts'

export function addRuleRoutes(
  app: FastifyInstance,
  { alerts, ruleFiles, ruleDesk, fleetTime }: ControlContext,
): void {
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/rules',
    access: 'viewer',
    summary: 'All rules, how their last evaluation went, and whether the files on disk are in force',
    answer: rulesAnswer,
    handle: async () => {
      const history = await ruleDesk.history.all()
      const shipped = ruleDesk.library.shippedFolder
      return {
        now: fleetTime.nowMs(),
        ...ruleFiles.status(),
        groups: alerts.groups().map(({ group: { name, file, folder = null, intervalMs }, rules }) => ({
          name,
          file,
          folder,
          intervalMs,
          rules: rules.map(status => viewOf(status, history, folder !== null && shipped === folder)),
        })),
      }
    },
  })
}

const NEVER_FIRED: RuleHistoryView = { fired: 0, actedOn: 0, ignored: 0 }

function viewOf(
  status: RuleStatus,
  history: ReadonlyMap<string, RuleHistoryView>,
  shipped: boolean,
): RuleView {
  const { rule, last, alerts } = status
  const { kind, name, expr, at, labels } = rule
  const firing = alerts.filter(({ state }) => state === 'firing').length
  return {
    kind,
    name,
    expr,
    at,
    forMs: rule.kind === 'alert' ? rule.forMs : 0,
    keepFiringForMs: rule.kind === 'alert' ? rule.keepFiringForMs : 0,
    labels: { ...labels },
    annotations: rule.kind === 'alert' ? { ...rule.annotations } : {},
    state: stateOf(status, firing),
    firing,
    pending: alerts.length - firing,
    evaluatedAt: last?.at ?? null,
    tookMs: last?.tookMs ?? null,
    problem: last?.problem ?? null,
    history: kind === 'alert' ? (history.get(name) ?? NEVER_FIRED) : null,
    shipped,
    replaces: rule.replaces ?? false,
  }
}

/** What it could not look at comes before what it found: quiet without data is no good news. */
function stateOf({ last, alerts }: RuleStatus, firing: number): RuleState {
  if (last === null) return 'unknown'
  if (last.problem !== null) return 'failing'
  if (firing > 0) return 'firing'
  if (alerts.length > 0) return 'pending'
  return last.hadData ? 'quiet' : 'no-data'
}
