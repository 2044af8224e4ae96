// Owns `vitrine simulate agents`: servers that do not exist, enrolled with a control room that allows it, over the real
// channel and real remote write. It removes them again at its end.

import type { Command } from 'commander'
import { Agent, request } from 'undici'
import type { SimulatedAgents, SimulatedAgentsStats } from '#agent'
import { createLog, messageOf, systemClock } from '#base'
import { type Trust, tlsClient } from '#trust'
import { simulatedAnswer } from '#wire'
import { cliFaults } from '../faults.ts'
import { controlAddress } from '../settings.ts'
import {
  type CommonOptions,
  print,
  readCount,
  readFleetConfig,
  readSeconds,
  withData,
  withJson,
} from './context.ts'
import { Progress, stopAfter } from './simulate-run.ts'
import { readPem } from './simulate-viewers.ts'

const TOKEN_VARIABLE = 'VITRINE_TOKEN'
const CALL_MS_MAX = 20_000
/** What a control room enrols (`control-request-invalid` above). */
const COUNT_MAX = 1000
/** Half of what it takes of one sender. */
const SERIES_MAX = 10_000

type AgentsOptions = CommonOptions & {
  readonly control?: string
  readonly count: number
  readonly series: number
  readonly duration?: number
  readonly ramp: number
  readonly ca?: string
}

export function registerSimulateAgents(parent: Command): void {
  const command = parent
    .command('agents')
    .description(
      'servers that do not exist: heartbeats, time exchange and metrics, until Ctrl-C or --duration',
    )
    .option('--control <url>', 'the control room, started with --allow-simulated (default: the local one)')
    .option('--count <n>', 'how many servers, up to 1000', readCount(COUNT_MAX), 100)
    .option('--series <n>', 'series that each pushes, once a second', readCount(SERIES_MAX), 120)
    .option(
      '--duration <time>',
      'measure for this, for example 60s, 10m (default: until Ctrl-C)',
      readSeconds,
    )
    .option('--ramp <time>', 'spread their coming over this; it is not measured', readSeconds, 10)
    .option('--ca <file>', 'PEM of the private authority of the control room')
    .addHelpText(
      'after',
      `\nThe admin token that enrols them is read from ${TOKEN_VARIABLE}.\n\nExamples:\n  npx vitrine control --allow-simulated --data /tmp/rehearsal\n  VITRINE_TOKEN=vit_... npx vitrine simulate agents --control http://127.0.0.1:8080 --count 1000 --duration 60s`,
    )
    .action((options: AgentsOptions) => simulateAgents(options))
  withJson(withData(command))
}

async function simulateAgents(options: AgentsOptions): Promise<void> {
  const { count, series, ramp } = options
  const control = new ControlRoom(controlUrlOf(options), tokenOf(), trustOf(options))
  const servers = await control.enrol(count)
  const { startSimulatedAgents } = await import('#agent')
  const agents = startSimulatedAgents({
    controlUrl: control.url,
    trust: control.trust,
    servers,
    series,
    rampMs: ramp * 1000,
    clock: systemClock,
    log: createLog('silent'),
  })
  const progress = new Progress(() => inOneLine(agents.stats()))
  try {
    const stopped = stopAfter(options.duration === undefined ? null : options.duration + ramp + SETTLE_S)
    await Promise.race([stopped, measureAfter(agents, (ramp + SETTLE_S) * 1000)])
    await stopped
    progress.end()
    const { user, system } = process.cpuUsage()
    const summary = { simulated: true, cpuS: (user + system) / 1e6, ...agents.stats() }
    print(summary, options.json, stats => inWords(stats, stats.cpuS))
  } finally {
    await agents.close()
    await control.remove()
  }
}

/** After the last has come, caches and tables find their rest. */
const SETTLE_S = 3

async function measureAfter(agents: SimulatedAgents, ms: number): Promise<void> {
  await new Promise<void>(resolve => {
    setTimeout(() => resolve(), ms).unref()
  })
  agents.measureAnew()
}

function controlUrlOf({ control, ...options }: AgentsOptions): string {
  if (control === undefined) {
    const { config, data } = readFleetConfig(options)
    return controlAddress(config, data)
  }
  if (!/^https?:\/\/[^/]/.test(control)) {
    throw cliFaults.fault('cli-usage', `${control}: expected http:// or https://`)
  }
  return control.replace(/\/+$/, '')
}

function tokenOf(): string {
  const token = process.env[TOKEN_VARIABLE]
  if (token !== undefined && token !== '') return token
  const message = `expected an admin token in ${TOKEN_VARIABLE}; vitrine token create --role admin makes one`
  throw cliFaults.fault('cli-usage', message)
}

function trustOf({ ca }: AgentsOptions): Trust {
  return ca === undefined ? null : { authorityPem: readPem(ca) }
}

/** The two calls that a simulation needs. */
class ControlRoom {
  readonly url: string
  readonly trust: Trust
  readonly #token: string
  readonly #dispatcher: Agent

  constructor(url: string, token: string, trust: Trust) {
    this.url = url
    this.trust = trust
    this.#token = token
    this.#dispatcher = new Agent({ connect: tlsClient(trust, url, { role: 'control' }) })
  }

  async enrol(count: number): Promise<ReturnType<typeof simulatedAnswer.parse>['servers']> {
    return simulatedAnswer.parse(await this.#call('POST', { count })).servers
  }

  async remove(): Promise<void> {
    // Who is gone cannot be told: a control room forgets them at its own end, too.
    await this.#call('DELETE').catch((error: unknown) => process.stderr.write(`${messageOf(error)}\n`))
    await this.#dispatcher.close()
  }

  async #call(method: 'POST' | 'DELETE', body?: unknown): Promise<unknown> {
    const address = `${this.url}/api/v1/simulated-servers`
    const { statusCode, body: answer } = await request(address, {
      method,
      dispatcher: this.#dispatcher,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(CALL_MS_MAX),
    }).catch((error: unknown) => {
      throw cliFaults.fault('cli-control-away', `no answer from ${address}: ${messageOf(error)}`)
    })
    const text = await answer.text()
    if (statusCode === 200) return JSON.parse(text)
    throw cliFaults.fault('cli-simulated-refused', `${address}: ${statusCode} ${text.slice(0, 300)}`)
  }
}

function inOneLine({ connected, servers, heartbeats }: SimulatedAgentsStats): string {
  const { p999Ms, medianMs } = heartbeats
  return `${connected} of ${servers} simulated servers, heartbeats taken after ${medianMs.toFixed(1)} ms median, ${p999Ms.toFixed(1)} ms at 999 of 1000`
}

function inWords(stats: SimulatedAgentsStats, cpuS: number): readonly string[] {
  const { servers, connected, heartbeats, writes, samples, writesRefused, tables } = stats
  const times = (one: typeof writes): string =>
    `${one.medianMs.toFixed(1)} ms median, ${one.p99Ms.toFixed(1)} ms p99, ${one.p999Ms.toFixed(1)} ms p99.9, ${one.maxMs.toFixed(1)} ms longest, of ${one.count}`
  const reach =
    tables.maxMs === null || tables.medianMs === null
      ? 'none came'
      : `${tables.tables} reached all, the last server after ${tables.medianMs.toFixed(0)} ms median, ${tables.maxMs.toFixed(0)} ms at most; ${tables.incomplete} did not`
  return [
    `simulated servers    ${connected} of ${servers} connected`,
    `heartbeats taken     ${times(heartbeats)}`,
    `within 500 ms        ${(heartbeats.shareWithin500Ms * 100).toFixed(3)} %`,
    `writes answered      ${times(writes)}; ${samples} samples, ${writesRefused} writes refused`,
    `steering tables      ${reach}`,
    `processor            ${cpuS.toFixed(1)} s, the coming included`,
  ]
}
