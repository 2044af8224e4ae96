// Owns `vitrine control|origin|edge|agent`: one role on a machine of its own, in the foreground.
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { ensureFolder, writeFileAtomic } from '#base'
import { type Config, configSchema, type EdgeConfig } from '../config.ts'
import { cliFaults } from '../faults.ts'
import { runSettings } from '../roles/main.ts'
import {
  agentSettings,
  controlSettings,
  edgeSettings,
  originSettings,
  runFile,
  type Settings,
} from '../settings.ts'
import { type CommonOptions, callerPath, readConfig, readPort, withData, withPortBase } from './context.ts'

interface RoleOptions extends CommonOptions {
  readonly id?: string
  readonly region?: string
  readonly host?: string
  readonly port?: number
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly behindProxy?: boolean
  readonly publicUrl?: string
  readonly controlUrl?: string
  readonly originUrl?: string
  readonly serverUrl?: string
  readonly tokenFile?: string
}

export function registerRoles(program: Command): void {
  registerRole(program, 'control', 'run a control room', options => {
    const { config, data } = readRoleConfig(options)
    return controlSettings(
      { ...config, control: { ...config.control, ...listenFlags(options) } },
      data,
      false,
    )
  })
  registerRole(program, 'origin', 'run an origin', options => {
    const { config, data } = readRoleConfig(options)
    return originSettings(withOrigin(config, options), data)
  })
  registerRole(program, 'edge', 'run an edge', options => {
    const { config, data } = readRoleConfig(options)
    const edge = { ...chooseEdge(config, options), ...listenFlags(options) }
    return edgeSettings({ ...config, edges: [edge] }, data, edge)
  })
  registerRole(program, 'agent', 'run the agent beside a server', options => {
    const { config, data } = readRoleConfig(options)
    const origin = withOrigin(config, {})
    const server =
      options.id === undefined || options.id === origin.origin.id
        ? originSettings(origin, data)
        : edgeOf(config, data, options)
    const settings = agentSettings(
      { ...config, agent: { ...config.agent, ...listenFlags(options) } },
      data,
      server,
      false,
    )
    return settings
  })
}

function registerRole(
  program: Command,
  name: string,
  words: string,
  settings: (options: RoleOptions) => Settings,
): void {
  const command = program
    .command(name)
    .description(words)
    .option('--id <id>', 'permanent id of the server')
    .option('--region <region>', 'where it stands')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <n>', 'port to listen on', readPort)
    .option('--tls-cert <file>', 'PEM certificate; needed off loopback')
    .option('--tls-key <file>', 'PEM key')
    .option('--behind-proxy', 'a proxy in front ends TLS')
    .option('--public-url <url>', 'where others reach it')
    .option('--control-url <url>', 'the control room')
    .option('--origin-url <url>', 'the origin, for an edge')
    .option('--server-url <url>', 'the server to watch, for an agent')
    .option('--token-file <file>', 'the token of this server (vitrine server add prints it)')
    .addHelpText('after', `\nExamples:\n  npx vitrine ${name} --config vitrine.yaml --id eu-west`)
    .action(async (options: RoleOptions) => {
      const chosen = settings(options)
      const release = keepPidFile(chosen, readConfig(options).data)
      process.on('exit', release)
      await runSettings(chosen)
    })
  withPortBase(withData(command))
}

function readRoleConfig(options: RoleOptions): { config: Config; data: string } {
  const { config, data } = readConfig(options)
  const { controlUrl, originUrl, serverUrl, tokenFile } = options
  const join = {
    ...config.join,
    ...(controlUrl === undefined ? {} : { controlUrl }),
    ...(originUrl === undefined ? {} : { originUrl }),
    ...(serverUrl === undefined ? {} : { serverUrl }),
    ...(tokenFile === undefined ? {} : { tokenFile: callerPath(tokenFile) }),
  }
  return { config: { ...config, join }, data }
}

type ListenFlags = Partial<Pick<EdgeConfig, 'host' | 'port' | 'tls' | 'behindProxy' | 'publicUrl'>>

function listenFlags({ host, port, tlsCert, tlsKey, behindProxy, publicUrl }: RoleOptions): ListenFlags {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw cliFaults.fault('cli-usage', 'expected --tls-cert and --tls-key together')
  }
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(tlsCert === undefined || tlsKey === undefined
      ? {}
      : { tls: { certFile: callerPath(tlsCert), keyFile: callerPath(tlsKey) } }),
    ...(behindProxy === undefined ? {} : { behindProxy }),
    ...(publicUrl === undefined ? {} : { publicUrl }),
  }
}

function withOrigin(config: Config, options: RoleOptions): Config {
  const { id, region } = options
  const named = { ...(id === undefined ? {} : { id }), ...(region === undefined ? {} : { region }) }
  return { ...config, origin: { ...config.origin, ...named, ...listenFlags(options) } }
}

/** The configured edge that --id names; an id that is not configured is an edge with the defaults. */
function chooseEdge(config: Config, options: RoleOptions): EdgeConfig {
  const { id, region } = options
  const configured = id === undefined ? config.edges : config.edges.filter(edge => edge.id === id)
  const [first, second] = configured
  if (first !== undefined && second === undefined) return region === undefined ? first : { ...first, region }
  if (id === undefined) {
    const ids = config.edges.map(edge => edge.id).join(', ')
    throw cliFaults.fault('cli-usage', `which edge? give --id; configured are ${ids}`)
  }
  const made = configSchema.parse({ edges: [{ id, ...(region === undefined ? {} : { region }) }] }).edges[0]
  if (made === undefined) throw cliFaults.fault('cli-usage', `${id} is not an id of an edge`)
  return made
}

function edgeOf(config: Config, data: string, options: RoleOptions): ReturnType<typeof edgeSettings> {
  const edge = chooseEdge(config, options)
  const edges = config.edges.includes(edge) ? config.edges : [edge]
  return edgeSettings({ ...config, edges }, data, edge)
}

/** run/{id}.pid, by which the agent beside a server finds it. */
function keepPidFile(settings: Settings, data: string): () => void {
  if (settings.kind === 'agent') return () => {}
  const file = runFile(data, `${settings.id}.pid`)
  ensureFolder(dirname(file))
  writeFileAtomic(file, `${process.pid}\n`, 0o644)
  return () => rmSync(file, { force: true })
}
