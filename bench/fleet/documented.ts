// Owns what other monitoring systems say about themselves: documented defaults, not measured by us.

export interface Documented {
  readonly system: string
  readonly what: string
  /** From a server that stops answering to an alert, at best and at worst, in seconds. */
  readonly fromS: number
  readonly toS: number
  readonly how: string
  readonly source: string
  readonly label: 'documented, not measured'
}

const label = 'documented, not measured'

export const documented: readonly Documented[] = [
  {
    system: 'Zabbix, passive agent',
    what: 'host or its agent does not answer',
    fromS: 180,
    toS: 240,
    how: 'trigger "Zabbix agent is not available": no availability for {$AGENT.TIMEOUT} = 3m; an item is asked each minute',
    source: 'https://github.com/zabbix/zabbix/blob/master/templates/os/linux/README.md',
    label,
  },
  {
    system: 'Zabbix, active agent',
    what: 'active checks stop; then no data at all',
    fromS: 300,
    toS: 1800,
    how: 'active checks not available for {$AGENT.TIMEOUT} = 5m; nodata for {$AGENT.NODATA_TIMEOUT} = 30m',
    source: 'https://github.com/zabbix/zabbix/blob/master/templates/app/zabbix_agent/README.md',
    label,
  },
  {
    system: 'Prometheus with node_exporter',
    what: 'target does not answer',
    fromS: 300,
    toS: 430,
    how: 'InstanceDown of the documentation: up == 0 for 5m, after scrape_interval 1m, scrape_timeout 10s and evaluation_interval 1m; a server process that is frozen beside a living exporter is not seen by it at all',
    source:
      'https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/ and https://prometheus.io/docs/prometheus/latest/configuration/configuration/',
    label,
  },
]

export function printDocumented(): void {
  console.log('\nFrom a server that stops answering to an alert (documented defaults, not measured here):')
  for (const { system, fromS, toS, how, source } of documented) {
    console.log(`  ${system}: ${fromS} to ${toS} s\n    ${how}\n    ${source}`)
  }
  console.log('Ours is measured by: npm run bench -- freeze\n')
}
