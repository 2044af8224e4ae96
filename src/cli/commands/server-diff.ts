// Owns `vitrine server diff|what-if`: how two servers differ, and what the rest carries when one is lost, for people and programs.
import type { Command } from 'commander'
import {
  type BehaviourDifference,
  type BehaviourFigures,
  type Carry,
  type DiffAnswer,
  diffAnswer,
  type FactDifference,
  type LossView,
  type WhatIfAnswer,
  whatIfAnswer,
} from '#wire'
import { askControl } from './ask-control.ts'
import { type CommonOptions, print, table, withData, withJson } from './context.ts'

/** More packages than this are counted only; --json has more. */
const PACKAGES_SHOWN = 30

export function registerDiff(server: Command): void {
  const diff = server
    .command('diff <a> <b>')
    .description('how two servers differ, newest first, and how they behaved over the last hour')
    .addHelpText('after', '\nExamples:\n  npx vitrine server diff eu-west ap-southeast')
    .action(async (a: string, b: string, options: CommonOptions) => {
      const path = `/api/v1/servers/${encodeURIComponent(a)}/diff/${encodeURIComponent(b)}`
      const answer = diffAnswer.parse(await askControl(options, path, 'vitrine server diff'))
      print(answer, options.json, diffLines)
    })
  withJson(withData(diff))
  const whatIf = server
    .command('what-if')
    .description('for every edge and region: what the rest carries if it is lost')
    .action(async (options: CommonOptions) => {
      const answer = whatIfAnswer.parse(
        await askControl(options, '/api/v1/what-if', 'vitrine server what-if'),
      )
      print(answer, options.json, whatIfLines)
    })
  withJson(withData(whatIf))
}

export function diffLines({ a, b, differences, packages, equal, behaviour, sameHost }: DiffAnswer): string[] {
  const untold = [a, b].filter(({ facts }) => facts === null).map(({ id }) => id)
  const lists = [packages.otherVersion, packages.onlyA, packages.onlyB]
  const listed = lists.flatMap(({ list }) => list).toSorted((x, y) => (y.since ?? 0) - (x.since ?? 0))
  const hidden = lists.reduce((sum, { total }) => sum + total, 0) - Math.min(listed.length, PACKAGES_SHOWN)
  const same = Object.entries(equal).map(([kind, count]) => `${count} ${kind}`)
  return [
    ...untold.map(
      id => `The agent beside ${id} has not told its facts yet: only tags and figures are compared.`,
    ),
    ...(sameHost ? ['Both run on the same host.'] : []),
    ...table(
      ['what differs', a.id, b.id, 'since'],
      [...differences, ...listed.slice(0, PACKAGES_SHOWN)].map(factRow),
      'no difference in what their agents tell',
    ),
    ...(hidden > 0 ? [`and ${hidden} packages more: --json`] : []),
    ...(same.length === 0 ? [] : [`Equal: ${same.join(', ')}.`]),
    '',
    ...table(
      ['median of the last hour', a.id, b.id, 'apart'],
      behaviour.metrics.map(metricRow),
      'nothing was measured on either in the last hour',
    ),
  ]
}

function factRow({ kind, subject, a, b, since }: FactDifference): string[] {
  return [`${kind} ${subject}`, a ?? '-', b ?? '-', since === null ? 'not known' : timeText(since)]
}

function metricRow({ title, unit, a, b, apart, times }: BehaviourDifference): string[] {
  const shown = (figures: BehaviourFigures | null): string =>
    figures === null ? '-' : `${Number(figures.median.toPrecision(3))} ${unit} (${figures.n} min)`
  const far = apart === 'near' ? 'no' : `${(times ?? 1).toFixed(1)} times`
  return [title, shown(a), shown(b), apart === 'unknown' ? 'too few minutes' : far]
}

export function whatIfLines({ losses }: WhatIfAnswer): string[] {
  return table(
    [
      'if this is lost',
      'viewers',
      'the rest',
      'now',
      'same hours',
      'worst hour stored',
      'capacity not known of',
    ],
    losses.map((loss: LossView) => [
      loss.kind === 'region' ? `region ${loss.id}` : loss.id,
      String(loss.viewers),
      inWords(loss.word),
      carryText(loss.now),
      carryText(loss.usual),
      carryText(loss.week),
      loss.rest.unknown.join(', '),
    ]),
    'no edge is enrolled',
  )
}

/** `cannot-tell` is for programs. */
function inWords(word: Carry['word']): string {
  return word.replaceAll('-', ' ')
}

function carryText({ demandBps, headroom, word }: Carry): string {
  if (demandBps === null) return 'not measured'
  const demand = `${(demandBps / 1e6).toFixed(1)} Mb/s`
  if (headroom === null) return `${demand}, ${inWords(word)}`
  const percent = Math.round(Math.abs(headroom) * 100)
  return `${demand}, ${percent} % ${headroom < 0 ? 'too much' : 'left'}`
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
