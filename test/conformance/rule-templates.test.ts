// Templates of rules: the same rule file given to Debian's Prometheus and to us, and the alerts' words compared.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { stringify } from 'yaml'
import { FakeClock, silentLog } from '#base'
import { openStore } from '#metrics'
import { readRules } from '../../src/control/alerts/read-rules.ts'
import { renderAlert } from '../../src/control/alerts/render-alert.ts'
import { fetchPeer } from './peers.ts'
import { PrometheusServer } from './prometheus-server.ts'

const NUMBERS = [
  '0',
  '1',
  '-3',
  '0.5',
  '-0.5',
  '1e6',
  '100000',
  '123456.789',
  '1234567',
  '1e20',
  '1e21',
  '1.5e300',
  '1e-5',
  '1e-7',
  '0.00123',
  '999.95',
  '999999',
  '86400.5',
  '3725',
  '59.9996',
  '-3725.7',
  '1435065584.128',
  '0.1 + 0.2',
  '1/3',
  '2^53',
  'NaN',
  'Inf',
  '-Inf',
] // prettier-ignore

const OF_NUMBERS: Readonly<Record<string, string>> = {
  plain: '{{ $value }}',
  dot: '{{ .Value }}',
  humanize: '{{ humanize $value }}',
  humanize1024: '{{ $value | humanize1024 }}',
  duration: '{{ $value | humanizeDuration }}',
  percentage: '{{ humanizePercentage $value }}',
  timestamp: '{{ humanizeTimestamp $value }}',
  f: '{{ printf "%f|%.2f|%.0f|%8.1f|%-8.1f|%08.1f|%+.1f|% .1f|%F" $value $value $value $value $value $value $value $value $value }}',
  g: '{{ printf "%g|%.4g|%.3g|%G|%e|%.2e|%E" $value $value $value $value $value $value $value }}',
  other: '{{ printf "%v|%10v|%.3v|%d|%s|%q|%x" $value $value $value $value $value $value "x" }}',
  print: '{{ print $value 1 "a" "b" 2 3 }}|{{ println $value }}|',
  truth: '{{ if $value }}yes{{ else }}no{{ end }}|{{ not $value }}|{{ and $value "x" }}|{{ or $value "x" }}',
  compared:
    '{{ if gt $value 2.5 }}gt{{ else if eq $value 1.0 }}eq{{ else }}le{{ end }}{{ if lt $value 0.0 }}-{{ end }}{{ ne $value 1.0 }}{{ ge $value 1.0 }}{{ le $value 1.0 }}',
}

const OF_LABELS: Readonly<Record<string, string>> = {
  label: '{{ $labels.instance }} {{ .Labels.region }} {{ $labels.none }}|{{ $labels }}',
  external: '{{ $externalLabels.cluster }} {{ .ExternalLabels.cluster }} {{ $externalLabels.none }}',
  pipes: '{{ $labels.instance | toUpper | printf "%q" }} {{ "a b-c d\'e f.g" | title }} {{ toLower "ABC" }}',
  trimmed: 'a  {{- 1 -}}  b {{- /* nothing */ -}} c {{/* x */}} d',
  raw: '{{ `a\\n"b` }} {{ "tab\\there \\u00e9 \\x41 \\101" }} {{ print "%" }}',
  replaced:
    '{{ reReplaceAll "([a-z]+)-(\\\\d+)(.*)" "$2-${1}x$1x" $labels.instance }} {{ reReplaceAll "b*" "-" "abc" }} {{ $labels.instance | reReplaceAll ":.*" "" }}',
  matched: '{{ match "^edge-[0-9]" $labels.instance }} {{ if match "x" "y" }}a{{ else }}b{{ end }}',
  stripped:
    '{{ stripPort "a.b:80" }} {{ stripPort "[::1]:80" }} {{ stripPort "a.b" }} {{ stripDomain "a.b.c" }} {{ stripDomain "a.b:80" }} {{ stripDomain "10.0.0.1:80" }}',
  variables:
    '{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $y := 3 }}{{ $y }}{{ end }}{{ $x }}{{ with $z := "w" }}{{ . }}{{ $z }}{{ end }}{{ with "" }}a{{ else }}b{{ end }}',
  ranged:
    '{{ range $name, $text := $labels }}{{ $name }}={{ $text }};{{ end }}{{ range $labels }}[{{ . }}]{{ end }}{{ range $externalLabels }}{{ . }}{{ break }}{{ end }}',
  continued:
    '{{ range $i, $r := query "up_made" }}{{ if eq $i 1 }}{{ continue }}{{ end }}{{ $i }}{{ end }}{{ range query "none" }}x{{ else }}none{{ end }}',
  queried:
    '{{ with query "vector(2.5)" }}{{ . | first | value | humanize }}{{ end }} {{ query "vector(7)" | first | value }} {{ (query "vector(8)" | first).Value }}',
  listed: `{{ range query "sort(label_replace(vector(2), 'a', 'y', '', '') or label_replace(vector(1), 'a', 'x', '', ''))" }}{{ .Labels.a }}:{{ .Value }} {{ label "a" . }} {{ end }}`,
  sorted: `{{ range sortByLabel "a" (query "sort(label_replace(vector(1), 'a', 'y', '', '') or label_replace(vector(2), 'a', 'x', '', ''))") }}{{ .Labels.a }}{{ end }}`,
  indexed:
    '{{ index $labels "instance" }} {{ index (query "vector(1)") 0 | value }} {{ len $labels.instance }} {{ len (query "vector(1)") }}',
  failed: '{{ query "none" | first | value }}',
  ints: '{{ printf "%d %5d %-5d| %05d %x %X %o %b %+d %s" 42 42 42 42 42 42 42 42 42 42 }} {{ 0x1F }} {{ 1e3 }} {{ 1.0 }} {{ -7 }}',
  verbs:
    '{{ printf "%s %s" "one" }} {{ printf "%s" "a" "b" }} {{ printf "%z %!" "a" }} {{ printf "100%%" }} {{ printf "%5s|%-5s|%.2s" "ab" "ab" "abc" }} {{ printf "%t" true }} {{ printf "%v" nil }}',
  constants:
    '{{ true }} {{ false }} {{ eq "a" "b" "a" }} {{ eq 1 1 }} {{ lt "a" "b" }} {{ not "" }} {{ and 1 0 2 }} {{ or 0 "" "z" }}',
  parsed: '{{ parseDuration "1h2m10s" }} {{ "1.5" | humanize }} {{ 1500 | humanize }}',
  nested:
    '{{ if and (gt $value 0.5) (eq $labels.region "eu") }}{{ if $labels.none }}a{{ else if $labels.instance }}b{{ else }}c{{ end }}{{ end }}',
}

const refused = [
  '{{ $labels.a',
  '{{ end }}',
  '{{ if true }}',
  '{{ else }}',
  '{{ nonsense }}',
  '{{ $nothing }}',
  '{{ }}',
  '{{ "a }}',
  '{{ .a | "b" }}',
  '{{ printf }}{{ end }}',
  '{{ humanize | }}',
  '{{ (query "x" }}',
  '{{ break }}',
  '{{ range $a, $b, $c := $labels }}{{ end }}',
  '{{ $x = 1 }}',
  '{{ 1x }}',
] // prettier-ignore

const at = {
  expr: `label_replace(label_replace(vector(NUMBER), "instance", "edge-12:9100", "", ""), "region", "eu", "", "")`,
}
const made = NUMBERS.map((number, n) => ({
  alert: `N${n}`,
  expr: at.expr.replace('NUMBER', number),
  annotations: OF_NUMBERS,
}))
const rules = [
  {
    record: 'up_made',
    expr: `label_replace(vector(1), 'n', 'a', '', '') or label_replace(vector(2), 'n', 'b', '', '') or label_replace(vector(3), 'n', 'c', '', '')`,
  },
  ...made,
  {
    alert: 'Labels',
    expr: at.expr.replace('NUMBER', '1'),
    labels: { shown: '{{ $labels.region | toUpper }}-{{ $value }}', region: '', gone: '{{ $labels.none }}' },
    annotations: OF_LABELS,
  },
]
const file = stringify({ groups: [{ name: 'g', interval: '1s', rules }] })

interface PrometheusAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

const peer = await fetchPeer('prometheus')
const folder = mkdtempSync(join(tmpdir(), 'vitrine-templates-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf('missing' in peer)('templates say what Prometheus says', () => {
  const theirs = new Map<string, PrometheusAlert>()
  let server: PrometheusServer | null = null

  beforeAll(async () => {
    if ('missing' in peer) return
    server = await PrometheusServer.start(peer.folder, file)
    await vi.waitFor(
      async () => {
        const { data } = (await server?.ask('alerts', {})) ?? {}
        for (const alert of (data as { alerts: PrometheusAlert[] }).alerts)
          theirs.set(alert.labels['alertname'] ?? '', alert)
        expect(theirs.size).toBe(NUMBERS.length + 1)
        // The recording rule's series is there from the second turn on.
        expect(theirs.get('Labels')?.annotations['continued']).not.toBe('none')
      },
      { timeout: 20_000, interval: 200 },
    )
  }, 60_000)
  afterAll(() => server?.close())

  const store = openStore({ folder, clock: new FakeClock(), log: silentLog })
  afterAll(() => store.close())

  const [group] = readRules(file, 'r.yaml')
  const alerting = (group?.rules ?? []).flatMap(rule => (rule.kind === 'alert' ? [rule] : []))
  const ask = async (expr: string) => {
    const atMs = 1_700_000_000_000
    if (expr === 'up_made') expr = rules[0]?.expr ?? ''
    const value = store.query(expr, atMs)
    if (value.kind !== 'vector') throw new Error('a vector is expected')
    return value.items.map(({ labels, value: number }) => ({
      kind: 'sample' as const,
      labels,
      value: number,
    }))
  }
  const context = { externalLabels: { cluster: 'prod' }, externalUrl: '', ask }

  it.each(alerting.map(rule => [rule.name, rule.expr, rule] as const))('%s: %s', async (name, _, rule) => {
    const [item] = await ask(rule.expr)
    if (item === undefined) throw new Error('the condition gives nothing')
    const ours = await renderAlert(rule, item, context)
    const their = theirs.get(name)
    expect(ours.labels).toEqual(their?.labels)
    for (const [key, text] of Object.entries(their?.annotations ?? {})) {
      // Prometheus counts these seconds in 64 bits and runs over.
      if (key === 'duration' && Math.abs(item.value) > 2 ** 63) continue
      if (text.startsWith('<error expanding template'))
        expect.soft(ours.annotations[key], key).toMatch(/^<error expanding template/)
      else expect.soft(ours.annotations[key], key).toBe(text)
    }
  })
})

describe('templates are refused when rules are loaded, with their line', () => {
  it.each(refused)('%s', text => {
    const rule = stringify({
      groups: [{ name: 'g', rules: [{ alert: 'A', expr: 'up', annotations: { x: text } }] }],
    })
    expect(() => readRules(rule, 'r.yaml')).toThrow(/^r\.yaml:\d+: annotations\.x: /)
  })
})
