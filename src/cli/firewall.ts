// Owns the table of ports that each role needs, for people who write firewall rules. Pure.
import { unreachable } from '#base'
import type { Config } from './config.ts'

export const firewallRoles = ['control', 'origin', 'edge', 'agent'] as const
export type FirewallRole = (typeof firewallRoles)[number]

export interface FirewallRow {
  readonly direction: 'in' | 'out'
  readonly protocol: 'tcp'
  readonly port: string
  readonly peer: string
  readonly purpose: string
}

const ORIGIN_PORT_STEP = 10
const AGENT_PORT_STEP = 100

/** Inbound first. Answers to connections that were let in or out are not listed: firewalls follow them. */
export function firewallTable(role: FirewallRole, config: Config): readonly FirewallRow[] {
  const control = String(config.control.port ?? config.portBase)
  const origin = String(config.origin.port ?? config.portBase + ORIGIN_PORT_STEP)
  const edgePort = config.edges[0]?.port ?? config.portBase + 1
  const edge = String(edgePort)
  const row = (direction: 'in' | 'out', port: string, peer: string, purpose: string): FirewallRow => ({
    direction,
    protocol: 'tcp',
    port,
    peer,
    purpose,
  })
  const channel = row('out', control, 'control room', 'channel, samples, joining')
  switch (role) {
    case 'control':
      return [
        row('in', control, 'people, origin, edges, agents', 'pages, API, channel, samples'),
        row('out', edge, 'edges', 'probes'),
        row('out', origin, 'origin', 'probes'),
      ]
    case 'origin':
      return [row('in', origin, 'edges, control room', 'media, probes'), channel]
    case 'edge':
      return [
        row('in', edge, 'viewers, edges, control room', 'media, steering, probes'),
        row('out', origin, 'origin', 'media'),
        row('out', edge, 'edges', 'probes'),
        channel,
      ]
    case 'agent': {
      const own = String(edgePort + AGENT_PORT_STEP)
      return [
        row('in', own, 'Prometheus, where one is used', 'metrics; agent.enabled: false closes it'),
        channel,
      ]
    }
    default:
      return unreachable(role)
  }
}
