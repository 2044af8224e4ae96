// Owns one real Prometheus for comparisons: started on a free loopback port, filled by our own remote write.
// It refuses to outlive its test.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { encodeRemoteWrite, REMOTE_WRITE_HEADERS, type WriteSeries } from '#metrics'

const READY_MS_MAX = 20_000

export interface PrometheusAnswer {
  readonly status: 'success' | 'error'
  readonly data?: unknown
  readonly errorType?: string
  readonly error?: string
}

export class PrometheusServer {
  readonly #process: ChildProcess
  readonly #folder: string
  readonly #url: string

  private constructor(process: ChildProcess, folder: string, url: string) {
    this.#process = process
    this.#folder = folder
    this.#url = url
  }

  /** `rules`: the text of a rule file; the external label `cluster` is `prod`; `alerting`: more of its configuration. */
  static async start(packageFolder: string, rules?: string, alerting = ''): Promise<PrometheusServer> {
    const folder = mkdtempSync(join(tmpdir(), 'vitrine-prometheus-'))
    const config = join(folder, 'prometheus.yml')
    // As ours: samples that come late are taken.
    // Its evaluation interval stays as it is: subqueries without a step take it for theirs.
    const global = 'global: {external_labels: {cluster: prod}}\n'
    const ruleFile = join(folder, 'rules.yml')
    if (rules !== undefined) writeFileSync(ruleFile, rules)
    const ruleFiles = rules === undefined ? '' : `rule_files: [${ruleFile}]\n`
    writeFileSync(
      config,
      `${global}${ruleFiles}${alerting}storage:\n  tsdb:\n    out_of_order_time_window: 10m\n`,
    )
    const url = `http://127.0.0.1:${await freePort()}`
    const child = spawn(
      join(packageFolder, 'usr/bin/prometheus'),
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        '--storage.tsdb.retention.time=100y',
        `--web.listen-address=${url.slice('http://'.length)}`,
        '--web.enable-remote-write-receiver',
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    )
    const server = new PrometheusServer(child, folder, url)
    await server.#ready()
    return server
  }

  async write(series: readonly WriteSeries[]): Promise<void> {
    const response = await fetch(`${this.#url}/api/v1/write`, {
      method: 'POST',
      headers: REMOTE_WRITE_HEADERS,
      body: Buffer.from(encodeRemoteWrite(series)),
      signal: AbortSignal.timeout(READY_MS_MAX),
    })
    if (!response.ok)
      throw new Error(`Prometheus refused the data: ${response.status} ${await response.text()}`)
  }

  async ask(
    path: 'query' | 'query_range' | 'format_query' | 'rules' | 'alerts',
    parameters: Record<string, string>,
  ): Promise<PrometheusAnswer> {
    const reads = path === 'rules' || path === 'alerts'
    const response = await fetch(`${this.#url}/api/v1/${path}`, {
      ...(reads ? {} : { method: 'POST', body: new URLSearchParams(parameters) }),
      signal: AbortSignal.timeout(READY_MS_MAX),
    })
    return (await response.json()) as PrometheusAnswer
  }

  async close(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.kill('SIGKILL')) await once(this.#process, 'exit')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #ready(): Promise<void> {
    for (const deadlineMs = performance.now() + READY_MS_MAX; performance.now() < deadlineMs; ) {
      try {
        const response = await fetch(`${this.#url}/-/ready`, { signal: AbortSignal.timeout(1000) })
        if (response.ok) return
      } catch {
        // Not listening yet.
      }
      await delay(50)
    }
    await this.close()
    throw new Error(`Prometheus was not ready within ${READY_MS_MAX} ms`)
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
