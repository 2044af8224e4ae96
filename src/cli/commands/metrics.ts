// Owns `vitrine metrics inspect|verify|restore`: what lies in the metrics store, whether it is whole, and a snapshot put back.
// It refuses to restore into a store that a control room has open: that one does it itself.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { silentLog, systemClock } from '#base'
import { inspectStore, type MetricsStore, openStore, verifyStore } from '#metrics'
import { type CommonOptions, callerPath, print, readConfig, withData, withJson } from './context.ts'

export function registerMetrics(program: Command): void {
  const metrics = program.command('metrics').description('look into the metrics store, also while it runs')
  const inspect = metrics
    .command('inspect')
    .description('say how much there is, and from when')
    .addHelpText('after', '\nExamples:\n  npx vitrine metrics inspect\n  npx vitrine metrics verify --json')
    .action((options: CommonOptions) => {
      print(inspectStore(folderOf(options)), options.json, found => [
        `format ${found.format}, ${found.series} series`,
        `${found.seals} seals: ${found.sealedSamples} samples in ${found.sealedBytes} bytes${perSample(found)}`,
        `from ${found.oldestMs ?? '-'} to ${found.newestMs ?? '-'} (ms since 1970)`,
        ...found.log.map(one => `log segment ${one.segment}: ${one.samples} samples in ${one.bytes} bytes`),
      ])
    })
  withJson(withData(inspect))
  const verify = metrics
    .command('verify')
    .description('read every chunk and log record by its checksum; ends with 1 when something is damaged')
    .action((options: CommonOptions) => {
      const found = verifyStore(folderOf(options))
      print(found, options.json, ({ chunks, samples, logRecords, damage }) => [
        ...damage,
        `${chunks} chunks with ${samples} samples, ${logRecords} log records: ${damage.length === 0 ? 'whole' : 'damaged'}`,
      ])
      if (found.damage.length > 0) process.exitCode = 1
    })
  withJson(withData(verify))
  const restore = metrics
    .command('restore <snapshot>')
    .description(
      'put back what the store lacks of a snapshot (a name below snapshots, or a folder), with the control room stopped',
    )
    .addHelpText(
      'after',
      '\nWhile the control room runs: curl -H "Authorization: Bearer TOKEN" -d name=NAME URL/prometheus/api/v1/admin/tsdb/restore',
    )
    .action(async (snapshot: string, options: CommonOptions) => {
      const { config, data } = readConfig(options)
      const folder = join(data, 'control', 'metrics')
      const retentionMs = config.control.retentionDays * DAY_MS
      const store = openStore({ folder, retentionMs, clock: systemClock, log: silentLog })
      const timer = setInterval(() => showProgress(store, options), SECOND_MS)
      try {
        const isFolder = snapshot.includes('/') && existsSync(callerPath(snapshot))
        const found = await store.restore(snapshot, isFolder ? callerPath(snapshot) : null)
        print(found, options.json, ({ series, samples, seriesRefused }) => [
          `${samples} samples of ${series} series are back${seriesRefused === 0 ? '' : `; ${seriesRefused} series had no place`}`,
        ])
      } finally {
        clearInterval(timer)
        await store.close()
      }
    })
  withJson(withData(restore))
}

const SECOND_MS = 1000
const DAY_MS = 86_400_000

function showProgress(store: MetricsStore, { json }: CommonOptions): void {
  const now = store.restoreProgress()
  if (now !== null && json !== true) console.error(`${now.phase}: ${now.seriesDone} of ${now.series} series`)
}

function folderOf(options: CommonOptions): string {
  return join(readConfig(options).data, 'control', 'metrics')
}

function perSample({ sealedSamples, sealedBytes }: { sealedSamples: number; sealedBytes: number }): string {
  return sealedSamples === 0 ? '' : ` (${(sealedBytes / sealedSamples).toFixed(2)} a sample)`
}
