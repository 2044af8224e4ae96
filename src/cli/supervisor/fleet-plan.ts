// Owns what the local fleet consists of: every process with its settings, names, ports and files. Pure.
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from '../config.ts'
import { SETTINGS_VARIABLE } from '../roles/main.ts'
import { SUPERVISOR_VARIABLE } from '../roles/role-process.ts'
import {
  type AgentSettings,
  agentSettings,
  type ControlSettings,
  controlSettings,
  type EdgeSettings,
  edgeSettings,
  localUrl,
  type OriginSettings,
  originSettings,
  runFile,
} from '../settings.ts'
import type { ProcessPlan } from './managed-process.ts'
import type { PortUse } from './ports.ts'

const folder = fileURLToPath(new URL('..', import.meta.url))

/** A server and the agent beside it. */
export interface PlannedServer {
  readonly settings: EdgeSettings | OriginSettings
  readonly server: ProcessPlan
  readonly agentSettings: AgentSettings
  readonly agent: ProcessPlan
}

export interface FleetPlan {
  readonly control: { readonly settings: ControlSettings; readonly process: ProcessPlan }
  readonly servers: readonly PlannedServer[]
  readonly viewers: ProcessPlan
  readonly ports: readonly PortUse[]
  /** Of edges, where players enter. */
  readonly entries: readonly string[]
}

/** Plans the fleet of `vitrine start`; `file` is the operator's configuration, where there is one. */
export function planFleet(config: Config, data: string, file: string | null = null): FleetPlan {
  const control = controlSettings(config, data, true, file)
  const edges = config.edges.map(edge => edgeSettings(config, data, edge))
  const servers = [...edges, originSettings(config, data)].map((settings, index) =>
    planServer(config, data, settings, index === 0),
  )
  const entries = edges.map(edge => edge.publicUrl ?? localUrl(edge.listen))
  const viewers = { kind: 'viewers', entries, title: 'sample' }
  return {
    control: {
      settings: control,
      process: plan(data, 'control', control, leads(data, 'control', ['control'])),
    },
    servers,
    viewers: plan(data, 'viewers', viewers, { file: 'viewers-child.js', parameters: [], pidFile: null }),
    ports: [
      { who: 'control room', listen: control.listen },
      ...servers.flatMap(({ settings, agentSettings }) => [
        { who: settings.id, listen: settings.listen },
        ...(agentSettings.listen === null
          ? []
          : [{ who: `agent of ${settings.id}`, listen: agentSettings.listen }]),
      ]),
    ],
    entries,
  }
}

/** All of them share one host, of which one agent asks the time servers. */
function planServer(
  config: Config,
  data: string,
  settings: EdgeSettings | OriginSettings,
  asksTime: boolean,
): PlannedServer {
  const agent = agentSettings(asksTime ? config : withoutTimeServers(config), data, settings, true)
  return {
    settings,
    server: plan(data, settings.id, settings, leads(data, settings.id, [settings.kind, settings.id])),
    agentSettings: agent,
    agent: planAgent(data, agent),
  }
}

function withoutTimeServers(config: Config): Config {
  return { ...config, agent: { ...config.agent, askTimeServers: false } }
}

/**
 * An agent makes a little garbage each second, for which Node would keep up to 48 MB of young objects: with 3 MB it
 * collects more often, some tens of microseconds each time. `--optimize-for-size` on top of it spares no memory (91 MB
 * either way; 102 MB with twice the young space) and takes a third more processor (1.65 % of a core against 1.23 %).
 */
const SMALL: readonly string[] = ['--max-semi-space-size=1']

/** The process of an agent. */
export function planAgent(data: string, settings: AgentSettings): ProcessPlan {
  const entry: Entry = { file: 'child.js', parameters: ['agent', settings.id], pidFile: null }
  return { ...plan(data, `${settings.id}-agent`, settings, entry), nodeFlags: SMALL }
}

interface Entry {
  readonly file: 'child.js' | 'viewers-child.js'
  /** For people who look at `ps`. */
  readonly parameters: readonly string[]
  readonly pidFile: string | null
}

function plan(
  data: string,
  name: string,
  settings: object,
  { file, parameters, pidFile }: Entry,
): ProcessPlan {
  return {
    name,
    entry: resolve(folder, 'roles', file),
    parameters,
    environment: {
      [SETTINGS_VARIABLE]: JSON.stringify(settings),
      [SUPERVISOR_VARIABLE]: String(process.pid),
    },
    logFile: resolve(data, 'log', `${name}.log`),
    pidFile,
  }
}

/** A process whose pid others may ask for. */
function leads(data: string, id: string, parameters: readonly string[]): Entry {
  return { file: 'child.js', parameters, pidFile: runFile(data, `${id}.pid`) }
}
