// Owns the control room outside the guest: a real one, over private TLS, in the guest's time by libfaketime (the machine's
// clock is not touched). What it is asked is asked as an admin's program would.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ensureFolder } from '#base'
import { until } from '../e2e/fleet.ts'

const run = promisify(execFile)
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const LIBRARY = 'usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1'
const START_MS_MAX = 90_000
const ASK_MS_MAX = 20_000

/** An operator's own: the step that the shipped runbook keeps for where its gentle one does not help. */
const DATE_SET = `runbook: date-set
title: Stop the time daemon, set the date, start it
steps:
  - run: reset-clock-full
    timeout: 4m
  - wait-until: absent(vitrine_clock_realtime_timer_early_seconds{instance="$server"} > 0)
    timeout: 2m
`

export interface OutsideOptions {
  /** For its data. */
  readonly folder: string
  readonly faketime: string
  readonly port: number
  /** How the guest names this machine. */
  readonly host: string
  /** From the machine's clock to its own. */
  readonly fromHereMs: number
}

export class OutsideControl {
  readonly #options: OutsideOptions
  readonly #environment: NodeJS.ProcessEnv
  #process: ChildProcess | null = null
  #token = ''
  #output = ''

  constructor(options: OutsideOptions) {
    this.#options = options
    const seconds = (options.fromHereMs / 1000).toFixed(6)
    this.#environment = {
      ...process.env,
      LD_PRELOAD: join(options.faketime, LIBRARY),
      FAKETIME: seconds.startsWith('-') ? seconds : `+${seconds}`,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
  }

  async start(): Promise<void> {
    const { folder, port, host } = this.#options
    const config = join(folder, 'control.yaml')
    const runbooks = ensureFolder(join(folder, 'runbooks'))
    writeFileSync(join(runbooks, 'date-set.yaml'), DATE_SET)
    writeFileSync(config, `control:\n  privateTls: true\n  runbooksFolders: [${runbooks}]\n`)
    const words = ['--config', config, '--port', String(port), '--public-url', `https://${host}:${port}`]
    const command = [process.execPath, main, 'control', ...words, '--data', this.#data]
    // It ends with this process, also when that is killed.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: this.#environment,
    })
    this.#process = child
    const take = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString('utf8')).slice(-20_000)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    await until(
      () => existsSync(join(this.#data, 'control', 'join.json')) || child.exitCode !== null,
      START_MS_MAX,
      () => this.#output,
    )
    if (child.exitCode !== null) throw new Error(`the control room ended:\n${this.#output}`)
    this.#token = (await this.#vitrine('token', 'create', '--role', 'admin')).split('\n').at(-1) ?? ''
  }

  get output(): string {
    return this.#output
  }

  async invite(id: string): Promise<string> {
    const printed = await this.#vitrine('server', 'invite', '--role', 'agent', '--id', id, '--region', 'lab')
    return /vitrine-join\S+/.exec(printed)?.[0] ?? ''
  }

  get<Answer>(path: string): Promise<Answer> {
    return this.#ask<Answer>('GET', path)
  }

  post<Answer>(path: string, body: unknown): Promise<Answer> {
    return this.#ask<Answer>('POST', path, JSON.stringify(body))
  }

  /** Value of the only series of a query; null: there is none. */
  async value(expr: string): Promise<number | null> {
    const path = `/prometheus/api/v1/query?query=${encodeURIComponent(expr)}`
    const answer = await this.get<{ data: { result: { value: [number, string] }[] } }>(path)
    const text = answer.data.result[0]?.value[1]
    return text === undefined ? null : Number(text)
  }

  /** Names of the alerts that fire. */
  async firing(): Promise<string[]> {
    const path = `/prometheus/api/v1/query?query=${encodeURIComponent('ALERTS{alertstate="firing"}')}`
    const answer = await this.get<{ data: { result: { metric: Record<string, string> }[] } }>(path)
    return [...new Set(answer.data.result.map(({ metric }) => metric['alertname'] ?? ''))]
  }

  async close(): Promise<void> {
    const child = this.#process
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  get #data(): string {
    return join(this.#options.folder, 'control-data')
  }

  async #vitrine(...words: string[]): Promise<string> {
    const options = { env: this.#environment, timeout: START_MS_MAX }
    return (await run(process.execPath, [main, ...words, '--data', this.#data], options)).stdout.trim()
  }

  /** Its certificate is of its own authority, and of another year. */
  #ask<Answer>(method: string, path: string, body?: string): Promise<Answer> {
    const headers = {
      authorization: `Bearer ${this.#token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    }
    const to = { host: '127.0.0.1', port: this.#options.port, path, method, headers }
    return new Promise((resolve, reject) => {
      const asked = request({ ...to, rejectUnauthorized: false, timeout: ASK_MS_MAX }, answer => {
        let text = ''
        answer.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
        answer.on('error', reject)
        answer.on('end', () => {
          if (answer.statusCode !== undefined && answer.statusCode < 300)
            resolve(JSON.parse(text || 'null') as Answer)
          else reject(new Error(`${method} ${path}: ${answer.statusCode ?? 0} ${text.slice(0, 500)}`))
        })
      })
      asked.on('timeout', () => asked.destroy(new Error(`${method} ${path}: no answer in time`)))
      asked.on('error', reject)
      asked.end(body)
    })
  }
}
