// Tests of rules: the same files carried out by Debian's promtool and by us have to pass and fail alike.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runRuleTests } from '#control'
import { fetchPeer } from './peers.ts'

const peer = await fetchPeer('prometheus')
const folder = mkdtempSync(join(tmpdir(), 'vitrine-rule-tests-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

writeFileSync(
  join(folder, 'rules.yaml'),
  `groups:
  - name: first
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
        labels: { kind: sum }
      - alert: Down
        expr: up == 0
        for: 2m
        labels: { severity: page, team: '{{ $externalLabels.team }}' }
        annotations: { text: '{{ $labels.instance }} of {{ with query "count(up)" }}{{ . | first | value }}{{ end }} at {{ $externalURL }}' }
  - name: second
    rules:
      - alert: FewUp
        expr: job:up:sum < 2
      - alert: Pending
        expr: ALERTS{alertname="Down", alertstate="pending"} == 1
`,
)

const up = `
      - { series: 'up{job="a", instance="x"}', values: '1 1 0x6 1x3' }
      - { series: 'up{job="a", instance="y"}', values: '1x20' }`

/** Where a file does not say, promtool takes the groups in whatever order its map has. */
const inOrder = 'group_eval_order: [first, second]\n'
const test = (body: string, head = '', series = up): string =>
  `rule_files: [rules.yaml]\nevaluation_interval: 1m\n${head}tests:\n  - interval: 1m\n    external_labels: { team: night }\n    external_url: http://h\n    input_series:${series}\n${body}${/^group_eval_order/m.test(head) ? '' : '\n' + inOrder}`
const expression = (expr: string, at: string, samples: string, head = '', series = up): string =>
  test(
    `    promql_expr_test:\n      - { expr: '${expr}', eval_time: ${at}, exp_samples: [${samples}] }\n`,
    head,
    series,
  )
const notation = (values: string): string => ` [{ series: 'n', values: '${values}' }]`
const listed = (values: string, at: string, samples: string): string =>
  expression('n', at, samples, '', notation(values))
const down = (at: string, alerts: string): string =>
  test(`    alert_rule_test:\n      - { eval_time: ${at}, alertname: Down, exp_alerts: [${alerts}] }\n`)
const text = 'x of 2 at http://h'
const fired = `{ exp_labels: { job: a, instance: x, severity: page, team: night }, exp_annotations: { text: ${text} } }`

/** What both have to say: true, it passes. */
const cases: readonly (readonly [string, string, boolean])[] = [
  [
    'a recorded series',
    expression('job:up:sum', '2m', `{ labels: 'job:up:sum{job="a", kind="sum"}', value: 1 }`),
    true,
  ],
  [
    'another value',
    expression('job:up:sum', '2m', `{ labels: 'job:up:sum{job="a", kind="sum"}', value: 2 }`),
    false,
  ],
  ['another label', expression('job:up:sum', '2m', `{ labels: 'job:up:sum{job="b"}', value: 1 }`), false],
  ['one series too few', expression('up', '1m', `{ labels: 'up{job="a", instance="x"}', value: 1 }`), false],
  ['nothing, expected', expression('up > 5', '1m', ''), true],
  ['a scalar', expression('1 + 1', '1m', `{ value: 2 }`), true],
  ['pending is not firing', down('3m', ''), true],
  ['firing after two minutes', down('4m', fired), true],
  ['firing between two evaluations', down('4m30s', fired), true],
  ['resolved', down('9m', ''), true],
  ['an alert that is not expected', down('4m', ''), false],
  ['other annotations', down('4m', fired.replace('of 2', 'of 3')), false],
  [
    'a rule that looks at another one’s result',
    test(
      `    alert_rule_test:\n      - { eval_time: 2m, alertname: FewUp, exp_alerts: [{ exp_labels: { job: a, kind: sum } }] }\n`,
    ),
    true,
  ],
  [
    'ALERTS',
    test(
      `    alert_rule_test:\n      - eval_time: 2m\n        alertname: Pending\n        exp_alerts: [{ exp_labels: { alertstate: pending, instance: x, job: a, severity: page, team: night } }]\n`,
    ),
    true,
  ],
  [
    'groups in another order',
    test(
      `    alert_rule_test:\n      - { eval_time: 1m, alertname: FewUp, exp_alerts: [] }\n`,
      'group_eval_order: [second, first]\n',
    ),
    true,
  ],
  ['steps', listed('1+2x3', '3m', `{ labels: n, value: 7 }`), true],
  ['steps down', listed('10-2x3', '2m', `{ labels: n, value: 6 }`), true],
  ['repeats', listed('5x3 7', '4m', `{ labels: n, value: 7 }`), true],
  ['gaps', listed('5 _x10 7', '10m', ''), true],
  ['a gap', listed('5 _ 7', '1m', `{ labels: n, value: 5 }`), true],
  ['stale', listed('5 stale', '1m', ''), true],
  ['NaN, which is no number', listed('NaN', '0', ''), false],
  ['infinite', listed('-Inf Inf', '1m', `{ labels: n, value: .inf }`), true],
  ['small numbers', listed('1e-3+1e-3x2', '2m', `{ labels: n, value: 3e-3 }`), true],
  ['a word that is no value', listed('1 two', '0', ''), false],
  ['an unknown key', expression('1', '1m', '{ value: 1 }', 'sirens: 1\n'), false],
  ['a pattern of rule files', expression('1', '1m', '{ value: 1 }').replace('rules.yaml', 'rul*.yaml'), true],
  ['an expression that cannot be parsed', expression('up >', '1m', ''), false],
] // prettier-ignore

describe('a file of rule tests', () => {
  it.each(cases)('%s', async (name, content, passes) => {
    const file = join(folder, `${cases.findIndex(([other]) => other === name)}.yaml`)
    writeFileSync(file, content)
    const ours = await runRuleTests(file)
      .then(results => results.flatMap(({ failures }) => failures))
      .catch((error: unknown) => [String(error)])
    expect(ours.length === 0, ours.join('\n')).toBe(passes)
    if ('missing' in peer) return
    const theirs = spawnSync(join(peer.folder, 'usr/bin/promtool'), ['test', 'rules', file], {
      encoding: 'utf8',
    })
    expect(theirs.status === 0, `${theirs.stdout}${theirs.stderr}`).toBe(passes)
  })

  it('is refused when it names a rule file or a group that is not there, which promtool passes over', async () => {
    const file = join(folder, 'absent.yaml')
    writeFileSync(file, expression('1', '1m', '{ value: 1 }').replace('rules.yaml', 'none.yaml'))
    await expect(runRuleTests(file)).rejects.toThrow(/absent\.yaml:1: .*none\.yaml/)
    writeFileSync(file, expression('1', '1m', '{ value: 1 }').replace('rules.yaml', 'none*.yaml'))
    await expect(runRuleTests(file)).rejects.toThrow(/absent\.yaml:1: no file is called .*none\*\.yaml/)
    writeFileSync(file, expression('1', '1m', '{ value: 1 }', 'group_eval_order: [none]\n'))
    await expect(runRuleTests(file)).rejects.toThrow(/absent\.yaml:3: no group "none"/)
  })

  it('says what was expected and what came, at its line', async () => {
    const file = join(folder, 'wrong.yaml')
    writeFileSync(file, down('4m', ''))
    const [result] = await runRuleTests(file)
    expect(result?.failures[0]).toMatch(
      /wrong\.yaml:11: alert Down at 240s\n {2}expected: nothing\n {2}got:\n {4}\{alertname="Down"/,
    )
  })
})

it.each(['vitrine', 'clock'])('the tests of the shipped rules in %s.yaml pass with both', async name => {
  const file = new URL(`../../config/rules/tests/${name}.test.yaml`, import.meta.url).pathname
  for (const { name: test, failures } of await runRuleTests(file)) expect(failures, test).toEqual([])
  if ('missing' in peer) return
  const theirs = spawnSync(join(peer.folder, 'usr/bin/promtool'), ['test', 'rules', file], {
    encoding: 'utf8',
  })
  expect(theirs.status, `${theirs.stdout}${theirs.stderr}`).toBe(0)
})
