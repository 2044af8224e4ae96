// Owns `vitrine simulate viewers`: players without a picture that enter, steer and report as players do.
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { createLog, systemClock } from '#base'
import type { ViewerStats } from '#viewer'
import { cliFaults } from '../faults.ts'
import { edgeSettings, localUrl } from '../settings.ts'
import {
  type CommonOptions,
  callerPath,
  print,
  readCount,
  readFleetConfig,
  readRate,
  readSeconds,
  withData,
  withJson,
} from './context.ts'
import { Progress, stopAfter } from './simulate-run.ts'

/** More than this is no longer one process's work. */
const COUNT_MAX = 1000

type ViewersOptions = CommonOptions & {
  readonly count: number
  readonly title: string
  readonly control?: string
  readonly edge?: readonly string[]
  readonly duration?: number
  readonly ramp?: number
  readonly rateLimit?: number
  readonly buffer: number
  readonly penalty: number
  readonly ca?: string
}

export function registerSimulateViewers(parent: Command): void {
  const command = parent
    .command('viewers')
    .description('watch as many viewers would, without a picture, until Ctrl-C or the end of --duration')
    .option('--control <url>', 'enter at this control room')
    .option('--edge <url...>', 'enter at these edges, in turn (default: the edges of the configuration)')
    .option('--title <id>', 'what they watch', 'sample')
    .option('--count <n>', 'how many, up to 1000', readCount(COUNT_MAX), 30)
    .option('--duration <time>', 'stop after this, for example 90s, 10m (default: at Ctrl-C)', readSeconds)
    .option('--ramp <time>', 'spread their starts over this (default: 50 ms apart)', readSeconds)
    .option('--rate-limit <bits>', 'what the line of one viewer carries, for example 3M, 800k', readRate)
    .option('--buffer <time>', 'media that a viewer keeps', readSeconds, 20)
    .option(
      '--penalty <time>',
      'how long an edge that failed is left alone, as hls.js does',
      readSeconds,
      300,
    )
    .option('--ca <file>', 'PEM of an authority to believe beside the public ones')
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine simulate viewers --count 200 --duration 60s --json\n  npx vitrine simulate viewers --edge https://eu.example.org https://us.example.org --title film --rate-limit 5M',
    )
    .action((options: ViewersOptions) => simulateViewers(options))
  withJson(withData(command))
}

async function simulateViewers(options: ViewersOptions): Promise<void> {
  const { count, title, ramp, rateLimit, buffer, penalty, ca } = options
  const { startViewers } = await import('#viewer')
  const startedMs = systemClock.monotonicMs()
  const viewers = startViewers({
    count,
    entries: entriesOf(options),
    title,
    ...(ramp === undefined ? {} : { staggerMs: (ramp * 1000) / count }),
    rateBps: rateLimit ?? null,
    bufferS: buffer,
    penaltyS: penalty,
    authorityPem: ca === undefined ? null : readPem(ca),
    clock: systemClock,
    log: createLog('silent'),
  })
  const progress = new Progress(() => inOneLine(viewers.stats()))
  await stopAfter(options.duration ?? null)
  progress.end()
  // As they are while they watch; leaving ends who is fed by whom.
  const { edges, playing, stalled } = viewers.stats()
  await viewers.close()
  const wallS = (systemClock.monotonicMs() - startedMs) / 1000
  print(summaryOf({ ...viewers.stats(), edges, playing, stalled, count }, wallS), options.json, inWords)
}

function entriesOf({ control, edge, ...options }: ViewersOptions): readonly string[] {
  if (control !== undefined && edge !== undefined) {
    throw cliFaults.fault('cli-usage', 'expected --control or --edge, not both')
  }
  const given = control === undefined ? edge : [control]
  const wrong = given?.find(url => !/^https?:\/\/[^/]/.test(url))
  if (wrong !== undefined) throw cliFaults.fault('cli-usage', `${wrong}: expected http:// or https://`)
  if (given !== undefined) return given
  const { config, data } = readFleetConfig(options)
  const edges = config.edges.map(one => edgeSettings(config, data, one))
  return edges.map(one => one.publicUrl ?? localUrl(one.listen))
}

export function readPem(file: string): string {
  try {
    return readFileSync(callerPath(file), 'utf8')
  } catch (error) {
    throw cliFaults.fault('cli-usage', `${file} cannot be read: expected a PEM file`, { cause: error })
  }
}

function inOneLine({ playing, stalled, stalls, failures, edges }: ViewerStats): string {
  const shares = Object.entries(edges).map(([id, { active }]) => `${id} ${active}`)
  const now = `${playing} simulated viewers playing, ${stalled} waiting`
  return `${now}, ${stalls} stalls, ${failures} errors   ${shares.join('  ')}`
}

type Summary = ReturnType<typeof summaryOf>

/** Ratios are sums over sums. `cpuS` is of this process, user and system. */
function summaryOf(
  stats: ViewerStats,
  wallS: number,
): Omit<ViewerStats, 'stalledSeconds'> & {
  readonly simulated: true
  readonly wallS: number
  readonly cpuS: number
  readonly rebufferingSeconds: number
  readonly rebufferingRatio: number
  readonly pathwayChanges: number
} {
  const { user, system } = process.cpuUsage()
  const { stalledSeconds, ...rest } = stats
  return {
    simulated: true,
    wallS,
    cpuS: (user + system) / 1e6,
    ...rest,
    rebufferingSeconds: stalledSeconds,
    rebufferingRatio: stats.askedSeconds === 0 ? 0 : stalledSeconds / stats.askedSeconds,
    pathwayChanges: stats.movedByTimeout + stats.movedBySteering,
  }
}

function inWords(summary: Summary): readonly string[] {
  const { startMs, edges } = summary
  const start =
    startMs === null
      ? 'nobody has started'
      : `${startMs.median.toFixed(0)} ms median, ${startMs.p95.toFixed(0)} ms at the 95th of 100`
  const percent = (summary.rebufferingRatio * 100).toFixed(2)
  return [
    `simulated viewers    ${summary.count}, for ${summary.wallS.toFixed(0)} s`,
    `start time           ${start}`,
    `rebuffering          ${summary.rebufferingSeconds.toFixed(1)} s in ${summary.stalls} stalls, ${percent} % of the time asked to play`,
    `errors               ${summary.failures} of ${summary.requests} requests, ${summary.restarts} returns to the entry`,
    `pathway changes      ${summary.pathwayChanges}: ${summary.movedByTimeout} by time-out, ${summary.movedBySteering} by steering`,
    `bytes                ${summary.bytes}`,
    `CMCD records         ${summary.records} taken, ${summary.recordsLost} lost`,
    `processor            ${summary.cpuS.toFixed(1)} s, ${(summary.cpuS / summary.wallS).toFixed(2)} of a core`,
    ...Object.entries(edges).map(
      ([id, { active, stalls, bytes }]) =>
        `  ${id.padEnd(18)} ${active} viewers at the end, ${stalls} stalls, ${bytes} bytes`,
    ),
  ]
}
