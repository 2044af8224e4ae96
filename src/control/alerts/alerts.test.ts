import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { StoredAlert } from '../state/alerts.ts'
import { advance, labelsKey } from './advance.ts'
import { readDurationMs } from './duration.ts'
import { readRuleFolders, readRules } from './read-rules.ts'
import type { AlertItem } from './render-alert.ts'
import type { AlertingRule } from './rule.ts'

const rulesFolder = new URL('../../../config/rules/', import.meta.url).pathname

describe('shipped rules', () => {
  const rules = readRuleFolders([rulesFolder]).flatMap(group => group.rules)

  it('each have severity, summary, description and a page that exists', () => {
    expect(rules.length).toBeGreaterThanOrEqual(12)
    for (const rule of rules) {
      if (rule.kind !== 'alert') continue
      expect(rule.labels['severity'], rule.name).toMatch(/^(critical|warning|info)$/)
      expect(rule.annotations['summary'], rule.name).toBeTruthy()
      expect(rule.annotations['description'], rule.name).toBeTruthy()
      expect(rule.annotations['runbook_url']).toBe(`docs/operate/alerts/${rule.name}.md`)
      expect(
        existsSync(new URL(`../../../docs/operate/alerts/${rule.name}.md`, import.meta.url)),
        rule.name,
      ).toBe(true)
    }
  })

  it('evaluate the state of edges each second', () => {
    const group = readRuleFolders([rulesFolder]).find(({ rules: own }) =>
      own.some(rule => rule.name === 'EdgeUnreachable'),
    )
    expect(group?.intervalMs).toBe(1000)
  })
})

describe('readRules', () => {
  const file = (rule: string): string => `groups:\n  - name: g\n    rules:\n${rule}`
  const refusals: [string, string, RegExp][] = [
    ['no YAML', 'groups: [', /^r\.yaml:\d+: /],
    [
      'an unknown key',
      file('      - alert: A\n        expr: up\n        sirens: 2\n'),
      /^r\.yaml:6: .*sirens/,
    ],
    [
      'alert and record at once',
      file('      - alert: A\n        record: b\n        expr: up\n'),
      /^r\.yaml:4: .*either/,
    ],
    [
      'a bad duration',
      file('      - alert: A\n        expr: up\n        for: soon\n'),
      /^r\.yaml:6: .*for.*duration/,
    ],
    [
      'a template that it does not know',
      file(
        '      - alert: A\n        expr: up\n        annotations:\n          x: "{{ $value | humanise }}"\n',
      ),
      /^r\.yaml:7: annotations\.x: humanise is not known here, at "humanise \}\}"/,
    ],
    ['no groups', 'rules: []', /^r\.yaml:1: /],
    ['the same key twice', file('      - alert: A\n        expr: up\n        expr: down\n'), /^r\.yaml:6: /],
  ]
  it.each(refusals)('refuses %s and names the line', (_name, text, message) => {
    expect(() => readRules(text, 'r.yaml')).toThrow(message)
  })

  it('refuses an expression that cannot be parsed, at its line', () => {
    const text = file('      - alert: A\n        expr: up >\n')
    expect(() => readRules(text, 'r.yaml')).toThrow(
      /^r\.yaml:5: PromQL, character 5: unexpected end of input/,
    )
  })

  it('reads what Prometheus reads', () => {
    const text =
      'groups:\n- name: g\n  interval: 30s\n  rules:\n  - record: a:b\n    expr: sum(up)\n  - alert: A\n    expr: up == 0\n    for: 1m30s\n    keep_firing_for: 5m\n'
    expect(readRules(text, 'r.yaml')).toMatchObject([
      {
        intervalMs: 30_000,
        rules: [
          { kind: 'record', name: 'a:b' },
          { kind: 'alert', name: 'A', forMs: 90_000, keepFiringForMs: 300_000, at: 'r.yaml:7' },
        ],
      },
    ])
  })
})

it('durations are read as Prometheus writes them', () => {
  expect(['0', '15s', '1m30s', '1h', '500ms', '1d'].map(readDurationMs)).toEqual([
    0, 15_000, 90_000, 3_600_000, 500, 86_400_000,
  ])
  expect(['', 's', '1', '1s1m', '-1s', '1.5s', '1 s'].map(readDurationMs)).toEqual(Array(7).fill(null))
})

describe('advance', () => {
  const rule: AlertingRule = {
    kind: 'alert',
    name: 'A',
    expr: 'x',
    forMs: 10_000,
    keepFiringForMs: 0,
    labels: { severity: 'critical' },
    annotations: { summary: '{{ $labels.instance }}: {{ $value }}' },
    templates: { labels: {}, annotations: {} },
    at: 'r:1',
    limit: 0,
  }
  const item = (instance: string, value = 1): AlertItem => ({
    labels: { alertname: 'A', instance, severity: 'critical' },
    annotations: { summary: `${instance}: ${value}` },
    value,
  })
  type Active = ReadonlyMap<string, StoredAlert>
  const none: Active = new Map()

  it('is pending until it has held for `for`, then fires', () => {
    const first = advance(rule, none, [item('a')], 0)
    expect([...first.active.values()]).toMatchObject([
      { state: 'pending', labels: { alertname: 'A', instance: 'a', severity: 'critical' } },
    ])
    const later = advance(rule, first.active, [item('a', 2)], 9999)
    expect(later.changed).toEqual([])
    const fired = advance(rule, later.active, [item('a', 3)], 10_000)
    expect(fired.changed).toMatchObject([
      { state: 'firing', activeAt: 0, firedAt: 10_000, annotations: { summary: 'a: 3' } },
    ])
    expect(fired.changed[0]?.id).toBe(first.changed[0]?.id)
  })

  it('fires at once without `for`', () => {
    expect(advance({ ...rule, forMs: 0 }, none, [item('a')], 5).changed).toMatchObject([
      { state: 'firing', firedAt: 5 },
    ])
  })

  it('leaves no trace of a pending alert that ends, and starts anew afterwards', () => {
    const first = advance(rule, none, [item('a')], 0)
    const ended = advance(rule, first.active, [], 5000)
    expect(ended.forgotten).toHaveLength(1)
    expect(ended.changed).toEqual([])
    const again = advance(rule, ended.active, [item('a')], 11_000)
    expect(again.changed).toMatchObject([{ state: 'pending', activeAt: 11_000 }])
  })

  it('resolves a firing alert at once without keep_firing_for', () => {
    const fired = advance({ ...rule, forMs: 0 }, none, [item('a')], 0)
    expect(advance(rule, fired.active, [], 1000).changed).toMatchObject([
      { state: 'resolved', resolvedAt: 1000 },
    ])
  })

  it('keeps it firing for keep_firing_for after the condition ended, and counts again when it comes back', () => {
    const keeping = { ...rule, forMs: 0, keepFiringForMs: 5000 }
    const fired = advance(keeping, none, [item('a')], 0)
    const kept = advance(keeping, fired.active, [], 1000)
    expect(kept.changed).toMatchObject([{ state: 'firing', keptSince: 1000 }])
    const back = advance(keeping, kept.active, [item('a')], 4000)
    expect(back.changed).toMatchObject([{ state: 'firing', keptSince: null, firedAt: 0 }])
    const keptAgain = advance(keeping, back.active, [], 5000)
    expect(advance(keeping, keptAgain.active, [], 9999).active.size).toBe(1)
    expect(advance(keeping, keptAgain.active, [], 10_000).changed).toMatchObject([{ state: 'resolved' }])
  })

  it('takes one of two results with the same labels, and says so', () => {
    expect(advance(rule, none, [item('a'), item('a', 2)], 0)).toMatchObject({ dropped: 1 })
  })

  it('tells label sets apart whatever their order', () => {
    expect(labelsKey({ a: '1', b: '2' })).toBe(labelsKey({ b: '2', a: '1' }))
    expect(labelsKey({ a: '1', b: '2' })).not.toBe(labelsKey({ a: '1,b' }))
  })
})
