// Owns the servers of the incidents bench: control rooms of ours, Debian's Prometheus, its Alertmanager.
// It refuses to leave one behind: whoever starts one stops it.
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '#base'
import { openState } from '#control'
import { freePort, pinned, ready, stop, type Target } from '../metrics/targets.ts'
import { probeFile, ruleFile } from './rules.ts'

/** What else runs beside the server that is measured: as the generator of load. */
export const BESIDE_CORE = '1'
export const SERVER_CORE = '0'

export interface Server {
  readonly target: Target
  /** From now on the two hundred rules, beside those of the probes. */
  useRules(this: void): Promise<void>
  stop(this: void): Promise<void>
}

export async function startOurs(
  folder: string,
  how: { readonly receiver: string; readonly groupWaitMs: number; readonly core: string },
): Promise<Server> {
  const stateFolder = join(folder, 'state')
  const rules = join(folder, 'rules')
  for (const each of [stateFolder, rules]) mkdirSync(each, { recursive: true })
  writeFileSync(join(rules, 'probes.yaml'), probeFile())
  const state = await openState(stateFolder, systemClock)
  const { token } = await state.createToken('admin', 'bench')
  await state.close()
  const port = await freePort()
  const script = join(import.meta.dirname, 'control-server.mjs')
  const wanted = [script, stateFolder, String(port), rules, how.receiver, String(how.groupWaitMs)]
  const profile = process.env['VITRINE_BENCH_PROFILE']
  const flags =
    profile === undefined || how.core !== SERVER_CORE ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  const child = pinned(process.execPath, [...flags, ...wanted], how.core)
  const target = await ready(child, 'vitrine', port, { prefix: '/prometheus', token, ready: '/healthz' })
  return {
    target,
    // Looked at every two seconds, as any other change of a file.
    useRules: async () => writeFileSync(join(rules, 'rules.yaml'), ruleFile()),
    stop: () => target.stop(),
  }
}

export interface PrometheusSettings {
  readonly intervalS: number
  readonly groupWaitS: number
  readonly groupIntervalS: number
  readonly core: string
}

export async function startPrometheus(
  [prometheusFolder, alertmanagerFolder]: readonly [string, string],
  folder: string,
  settings: PrometheusSettings,
  urls: { readonly receiver: string; readonly exporter: string },
): Promise<Server> {
  mkdirSync(folder, { recursive: true })
  const manager = await startAlertmanager(alertmanagerFolder, folder, settings, urls.receiver)
  const [config, rules, probes] = ['prometheus.yml', 'rules.yml', 'probes.yml'].map(name =>
    join(folder, name),
  )
  const { intervalS } = settings
  writeFileSync(probes ?? '', probeFile())
  writeFileSync(rules ?? '', 'groups: []\n')
  writeFileSync(
    config ?? '',
    JSON.stringify({
      global: {
        scrape_interval: `${intervalS}s`,
        scrape_timeout: '1s',
        evaluation_interval: `${intervalS}s`,
      },
      rule_files: [rules, probes],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [manager.address] }] }] },
      scrape_configs: [
        {
          job_name: 'probes',
          honor_labels: true,
          static_configs: [{ targets: [urls.exporter] }],
        },
      ],
    }),
  )
  const port = await freePort()
  const child = pinned(
    join(prometheusFolder, 'usr/bin/prometheus'),
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-remote-write-receiver',
      '--web.enable-lifecycle',
      '--log.level=error',
    ],
    settings.core,
  )
  const target = await ready(child, 'prometheus', port, { prefix: '', token: null, ready: '/-/ready' })
  return {
    target,
    useRules: async () => {
      writeFileSync(rules ?? '', ruleFile())
      const answer = await fetch(`http://127.0.0.1:${port}/-/reload`, { method: 'POST' })
      if (!answer.ok) throw new Error(`Prometheus refused the rules: ${await answer.text()}`)
    },
    stop: async () => {
      await target.stop()
      await manager.stop()
    },
  }
}

/** It wants its templates where the package would have put them: in a file system of its own. */
async function startAlertmanager(
  packageFolder: string,
  folder: string,
  { groupWaitS, groupIntervalS }: PrometheusSettings,
  receiver: string,
): Promise<{ readonly address: string; stop(): Promise<void> }> {
  const config = join(folder, 'alertmanager.yml')
  // Of all rules, the probes alone are told: the receiver compares nothing else.
  writeFileSync(
    config,
    JSON.stringify({
      route: {
        receiver: 'nobody',
        group_by: ['alertname'],
        group_wait: `${groupWaitS}s`,
        group_interval: `${groupIntervalS}s`,
        routes: [{ matchers: ['alertname=~"BenchProbe.*"'], receiver: 'hook' }],
      },
      receivers: [{ name: 'nobody' }, { name: 'hook', webhook_configs: [{ url: receiver }] }],
    }),
  )
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  const share = '/usr/share/prometheus/alertmanager'
  const own = `mount -t tmpfs none /usr/share && mkdir -p ${share} && cp -r "$0${share}/." ${share}/ && exec "$0/usr/bin/prometheus-alertmanager" "$@"`
  const child = spawn(
    'taskset',
    [
      '-c',
      BESIDE_CORE,
      'unshare',
      '-rm',
      'sh',
      '-c',
      own,
      packageFolder,
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'alertmanager')}`,
      `--web.listen-address=${address}`,
      '--cluster.listen-address=',
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  await ready(child, 'alertmanager', port, { prefix: '', token: null, ready: '/-/ready' })
  return { address, stop: () => stop(child) }
}
