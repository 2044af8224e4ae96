// Owns what others say of these faults themselves: documented, not measured by us.

const peers: readonly { readonly system: string; readonly says: string; readonly source: string }[] = [
  {
    system: 'node_exporter (collectors timex, ntp, time)',
    says: 'has offset, maxerror, status and TAI of adjtimex; nothing that sees early timers, so the state of 2012 shows only as CPU',
    source: 'https://github.com/prometheus/node_exporter#collectors',
  },
  {
    system: 'Prometheus with node-mixin',
    says: 'NodeClockSkewDetected and NodeClockNotSynchronising, both `for: 10m`: 600 s at best from a skew to an alert; no rule for a pending leap second, a step or early timers',
    source: 'https://github.com/prometheus/node_exporter/blob/master/docs/node-mixin/alerts/alerts.libsonnet',
  },
]

export function printClockPeers(): void {
  console.log('\nOthers (documented, not measured here):')
  for (const { system, says, source } of peers) console.log(`  ${system}: ${says}\n    ${source}`)
  console.log('')
}
