// Owns which incident goes to whom: matchers as text, and the routes that an incident takes. Pure.
import { RE2JS } from 're2js'
import { messageOf } from '#base'
import type { RouteConfig } from '#wire'
import { controlFaults } from '../faults.ts'

type Labels = Readonly<Record<string, string>>

const MATCHER = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S*))\s*$/s

export interface LabelMatcher {
  readonly text: string
  matches(this: void, labels: Labels): boolean
}

/** `severity="critical"`, `region=~"eu-.*"`, as in Prometheus: a label that is missing is the empty text. */
export function readMatcher(text: string, where: string): LabelMatcher {
  const found = MATCHER.exec(text)
  if (found === null) {
    const message = `${where}: ${JSON.stringify(text.slice(0, 200))} is no matcher; expected for example severity="critical" or region=~"eu-.*"`
    throw controlFaults.fault('control-notify-invalid', message)
  }
  const [, name = '', operator = '='] = found
  const value = found[3] === undefined ? (found[4] ?? found[5] ?? '') : unquote(found[3])
  const test = tester(operator, value, where)
  return { text: `${name}${operator}"${value}"`, matches: labels => test(labels[name] ?? '') }
}

function unquote(text: string): string {
  return text.replace(/\\(.)/gs, (_, character: string) => (character === 'n' ? '\n' : character))
}

function tester(operator: string, value: string, where: string): (text: string) => boolean {
  if (operator === '=') return text => text === value
  if (operator === '!=') return text => text !== value
  try {
    const pattern = RE2JS.compile(value, RE2JS.DOTALL)
    return operator === '=~' ? text => pattern.matches(text) : text => !pattern.matches(text)
  } catch (error) {
    throw controlFaults.fault('control-notify-invalid', `${where}: ${messageOf(error)}`, { cause: error })
  }
}

export interface Route extends Omit<RouteConfig, 'matchers'> {
  /** Its place in the configuration, from 0. */
  readonly index: number
  readonly matchers: readonly LabelMatcher[]
}

/**
 * The first route whose matchers all hold for one and the same set of labels, and those after it as long as they say
 * `continue`. An incident has a set for each of its alerts.
 */
export function routesFor(routes: readonly Route[], sets: readonly Labels[]): readonly Route[] {
  const taken: Route[] = []
  for (const route of routes) {
    if (!sets.some(labels => route.matchers.every(matcher => matcher.matches(labels)))) continue
    taken.push(route)
    if (!route.continue) break
  }
  return taken
}
