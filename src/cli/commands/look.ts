// Owns `vitrine look`: one look at any stream as a player would meet it, as a table or JSON. It needs no account,
// no fleet and no data folder.
import { type Command, InvalidArgumentError, Option } from 'commander'
import { systemClock } from '#base'
import { type LookFetch, type LookReport, lookAt, type Problem } from '#look'
import { print, table, withJson } from './context.ts'

const SEGMENTS_DEFAULT = 3
const SEGMENTS_MAX = 50
/** Looks share this machine's line: more at once would measure each other. */
const URLS_MAX = 50

interface LookFlags {
  readonly segments: number
  readonly variant: 'first' | 'lowest' | 'highest'
  readonly origin: string
  readonly json?: boolean
  readonly verbose?: boolean
}

export function registerLook(program: Command): void {
  const command = program
    .command('look')
    .description(
      'fetch a stream once as a player would, and say what is wrong with it; works with any HLS server',
    )
    .argument('<url...>', 'multivariant or media playlists')
    .option('--segments <n>', `segments of each track, 1 to ${SEGMENTS_MAX}`, readSegments, SEGMENTS_DEFAULT)
    .addOption(
      new Option('--variant <which>', 'variant to play')
        .choices(['first', 'lowest', 'highest'])
        .default('first'),
    )
    .option('--origin <origin>', 'site in whose pages players run, for CORS', 'https://player.example')
    .option('--verbose', 'print every request')
    .addHelpText('after', HELP)
    .action(async (urls: string[], flags: LookFlags) => {
      if (urls.length > URLS_MAX) throw new InvalidArgumentError(`at most ${URLS_MAX} URLs at once`)
      const reports: LookReport[] = []
      for (const url of urls) {
        const onFetch = flags.json === true ? quiet : progress
        reports.push(await lookAt(url, { ...flags, clock: systemClock, onFetch }))
        if (flags.json !== true) progressEnds()
      }
      print(reports, flags.json, all => lines(all, flags.verbose === true))
      if (reports.some(({ ok }) => !ok)) process.exitCode = 1
    })
  withJson(command)
}

const HELP = `
The exit code is 1 when a fault was found; warnings do not count.

Examples:
  npx vitrine look http://127.0.0.1:8081/vod/sample/master.m3u8
  npx vitrine look --variant highest --segments 10 https://example.org/live/master.m3u8
  npx vitrine look --json https://a.example.org/x.m3u8 https://b.example.org/x.m3u8`

const quiet = (): void => undefined

function progress({ what, track, totalMs }: LookFetch): void {
  if (!process.stderr.isTTY) return
  const took = totalMs === null ? 'no answer' : `${Math.round(totalMs)} ms`
  process.stderr.write(`\r\u001b[K  ${track ?? ''} ${what}: ${took}`)
}

function progressEnds(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
}

function lines(reports: readonly LookReport[], verbose: boolean): string[] {
  const heads = ['', 'stream', 'start', 'speed', 'of bit rate', 'certificate', 'CORS', 'cache', 'clock']
  const rows = reports.map(report => [
    verdict(report),
    shortUrl(report.url),
    report.startMs === null ? '-' : `${(report.startMs / 1000).toFixed(2)} s`,
    report.speedBps === null ? '-' : bitrate(report.speedBps),
    ratio(report),
    certificate(report),
    report.cors ?? 'none',
    report.cacheControl.segment === null ? '-' : cache(report.cacheControl.segment),
    clock(report),
  ])
  return [...table(heads, rows, ''), ...reports.flatMap(report => details(report, verbose))]
}

function details(report: LookReport, verbose: boolean): string[] {
  const { kind, address, server, protocol, variants, played, mediaS, cacheStatus, behindLiveS } = report
  // Each pathway repeats the ladder.
  const ladder = [...new Set(variants.map(one => one.resolution ?? bitrate(one.bandwidth)))].join(', ')
  const facts = [
    [kind ?? 'not playable', protocol, server, address].filter(Boolean).join(', '),
    ...(ladder === '' ? [] : [`variants: ${ladder}`]),
    ...(played === null
      ? []
      : [`played: ${played.resolution ?? ''} ${bitrate(played.bandwidth)}, ${mediaS.toFixed(1)} s`]),
    ...(behindLiveS === null ? [] : [`newest segment ended ${behindLiveS.toFixed(1)} s ago by its date`]),
    ...cacheStatus.slice(0, 4),
  ]
  return [
    '',
    report.url,
    ...facts.map(fact => `  ${fact}`),
    ...(verbose ? requests(report.fetches) : []),
    ...(report.problems.length === 0 ? ['  nothing wrong was seen'] : report.problems.map(problem)),
  ]
}

function requests(fetches: readonly LookFetch[]): string[] {
  const heads = ['request', 'status', 'dns', 'connect', 'tls', 'first byte', 'whole', 'bytes', 'url']
  const ms = (value: number | null): string => (value === null ? '' : `${value.toFixed(1)} ms`)
  const rows = fetches.map(one => [
    `${one.track ?? ''} ${one.what}`.trim(),
    String(one.status ?? '-'),
    ms(one.dnsMs),
    ms(one.connectMs),
    ms(one.tlsMs),
    ms(one.firstByteMs),
    ms(one.totalMs),
    String(one.bytes),
    one.url,
  ])
  return table(heads, rows, 'no request').map(line => `  ${line}`)
}

function problem({ severity, code, text }: Problem): string {
  return `  ${severity === 'fault' ? 'FAULT' : 'warn '} ${code}: ${text}`
}

function verdict({ ok, problems }: LookReport): string {
  if (!ok) return 'FAULT'
  return problems.length > 0 ? 'warn' : 'ok'
}

function shortUrl(url: string): string {
  const { host, pathname } = new URL(url)
  return pathname.length > 40 ? `${host}/...${pathname.slice(-32)}` : `${host}${pathname}`
}

function ratio({ speedRatio }: LookReport): string {
  if (speedRatio === null) return '-'
  return speedRatio >= 100 ? '> 100x' : `${speedRatio.toFixed(1)}x`
}

function certificate({ url, certificate: found }: LookReport): string {
  if (found !== null) return found.problem === null ? `${Math.floor(found.daysLeft)} days` : 'refused'
  return url.startsWith('https:') ? '-' : 'no TLS'
}

function cache(value: string): string {
  if (value === '') return 'not said'
  return value.length > 40 ? `${value.slice(0, 37)}...` : value
}

function clock({ clockSkewS, clockSkewUncertainS }: LookReport): string {
  if (clockSkewS === null || clockSkewUncertainS === null) return '-'
  const sign = clockSkewS < 0 ? '-' : '+'
  return `${sign}${Math.abs(clockSkewS).toFixed(1)} s (+-${clockSkewUncertainS.toFixed(1)})`
}

function bitrate(bps: number): string {
  return bps >= 1e6 ? `${(bps / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bps / 1000)} kbit/s`
}

function readSegments(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= SEGMENTS_MAX) return count
  throw new InvalidArgumentError(`expected a number from 1 to ${SEGMENTS_MAX}`)
}
