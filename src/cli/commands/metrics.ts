// Owns `vitrine metrics inspect|verify`: what lies in the metrics store, and whether it is whole. It changes nothing.
import { join } from 'node:path'
import type { Command } from 'commander'
import { inspectStore, verifyStore } from '#metrics'
import { type CommonOptions, print, readConfig, withData, withJson } from './context.ts'

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
}

function folderOf(options: CommonOptions): string {
  return join(readConfig(options).data, 'control', 'metrics')
}

function perSample({ sealedSamples, sealedBytes }: { sealedSamples: number; sealedBytes: number }): string {
  return sealedSamples === 0 ? '' : ` (${(sealedBytes / sealedSamples).toFixed(2)} a sample)`
}
