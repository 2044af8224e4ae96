// Owns `vitrine control|origin|edge|agent`: one role on a machine of its own, in the foreground.
import { type Command, Option } from 'commander'
import { checkConfig, lockFile } from '#base'
import { enrol, type Identity, readIdentity } from '#trust'
import type { ServerRole } from '#wire'
import { type Config, configSchema, type EdgeConfig } from '../config.ts'
import { cliFaults } from '../faults.ts'
import { runAgentBeside } from '../roles/agent-beside.ts'
import { runSettings } from '../roles/main.ts'
import {
  agentSettings,
  aloneAgentSettings,
  controlSettings,
  edgeSettings,
  identityFolder,
  originSettings,
  runFile,
  type Settings,
} from '../settings.ts'
import { type CommonOptions, callerPath, readConfig, readPort, withData } from './context.ts'

const PID_FILE_MODE = 0o644 // the agent may run as another user

interface RoleOptions extends CommonOptions {
  readonly id?: string
  readonly region?: string
  readonly role?: ServerRole
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
  readonly join?: string
  /** False with --no-agent. */
  readonly agent?: boolean
  readonly allowSimulated?: boolean
}

type Flag = 'identity' | 'join' | 'origin' | 'agent'

export function registerRoles(program: Command): void {
  registerRole(program, 'control', 'run a control room', [], options => {
    const { config, data } = readRoleConfig(options)
    const control = { ...config.control, ...listenFlags(options), ...simulatedFlag(options) }
    const file = configFileOf(options)
    return { ...controlSettings({ ...config, control }, data, false, file), mentionsFile: file }
  })
  registerRole(program, 'origin', 'run an origin', ['identity', 'join'], options => {
    const { config, data } = readRoleConfig(options)
    return originSettings(withOrigin(config, options), data)
  })
  registerRole(program, 'edge', 'run an edge', ['identity', 'join', 'origin'], options => {
    const { config, data } = readRoleConfig(options)
    const edge = { ...chooseEdge(config, options), ...listenFlags(options) }
    return edgeSettings({ ...config, edges: [edge] }, data, edge)
  })
  const beside = ['identity', 'join', 'agent'] as const
  registerRole(program, 'agent', 'run the agent beside a server', beside, options => {
    const { config, data } = readRoleConfig(options)
    const { id, region } = options
    const role = options.role ?? (id === undefined || id === config.origin.id ? 'origin' : 'edge')
    if (role === 'foreign' || role === 'host') {
      const alone = { id: id ?? role, region: region ?? role, role }
      const file = configFileOf(options)
      return { ...aloneAgentSettings(config, data, alone), configFiles: file === null ? [] : [file] }
    }
    const names = { ...(id === undefined ? {} : { id }), ...(region === undefined ? {} : { region }) }
    const server =
      role === 'origin' ? originSettings(withOrigin(config, names), data) : edgeOf(config, data, options)
    const agent = { ...config.agent, ...listenFlags(options) }
    const file = configFileOf(options)
    const settings = agentSettings({ ...config, agent }, data, server, false)
    return { ...settings, configFiles: file === null ? [] : [file] }
  })
}

const examples: Readonly<Record<string, string>> = {
  control:
    'control --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem --public-url https://control.example.org',
  origin:
    'origin --join vitrine-join... --host 0.0.0.0 --port 8090 --public-url https://origin.example.org:8090',
  edge: 'edge --join vitrine-join... --host 0.0.0.0 --port 443 --tls-cert fullchain.pem --tls-key privkey.pem --public-url https://sa-east.example.org',
  agent: 'agent --join vitrine-join... --data /srv/vitrine',
}

function registerRole(
  program: Command,
  name: string,
  words: string,
  flags: readonly Flag[],
  settings: (options: RoleOptions) => Settings,
): void {
  const command = program.command(name).description(words)
  if (flags.includes('identity')) {
    command.option('--id <id>', 'permanent id of the server').option('--region <region>', 'where it stands')
  }
  command
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <n>', 'port to listen on', readPort)
    .option('--tls-cert <file>', 'PEM certificate; needed off loopback')
    .option('--tls-key <file>', 'PEM key')
    .option('--behind-proxy', 'a proxy in front ends TLS')
  if (!flags.includes('agent')) command.option('--public-url <url>', 'where others reach it')
  if (flags.includes('join')) {
    command
      .option('--control-url <url>', 'the control room')
      .option('--token-file <file>', 'the token of this server (vitrine server add prints it)')
    command.option(
      '--join <string>',
      'join a control room (vitrine server invite prints the string); needed once',
    )
    if (!flags.includes('agent')) command.option('--no-agent', 'do not run the agent beside the server')
  }
  if (name === 'control') {
    command.option(
      '--allow-simulated',
      'let simulated servers be enrolled, for tests; never for a real fleet',
    )
  }
  if (flags.includes('origin')) command.option('--origin-url <url>', 'the origin')
  if (flags.includes('agent')) {
    command
      .option('--server-url <url>', 'the server to watch (default: where its configuration has it listen)')
      .addOption(new Option('--role <role>', 'what the server does').choices(['edge', 'origin']))
  }
  command
    .addHelpText(
      'after',
      `\nExamples:\n  npx vitrine ${examples[name]}\n  npx vitrine ${name} --config vitrine.yaml`,
    )
    .action(async (options: RoleOptions) => {
      const { data } = readConfig(options)
      const identity = await identityOf(name, options, data)
      const known = identity === null ? options : withIdentity(options, identity)
      const chosen = asJoined(settings(known), identity, data)
      keepPidFile(chosen, data)
      if (identity !== null && options.agent !== false)
        runAgentBeside(chosen, readRoleConfig(known).config, data, configFileOf(options))
      await runSettings(chosen)
    })
  withData(command)
}

function configFileOf({ config }: RoleOptions): string | null {
  return config === undefined ? null : callerPath(config)
}

/** Joins where it is asked for; else who this data folder belongs to, null for nobody. */
async function identityOf(role: string, options: RoleOptions, data: string): Promise<Identity | null> {
  if (role === 'control') return null
  const folder = identityFolder(data)
  const { join, id = null, region = null } = options
  if (join === undefined || (role !== 'edge' && role !== 'origin' && role !== 'agent')) {
    // A token that is named goes before an identity that lies there.
    return options.tokenFile === undefined ? readIdentity(folder) : null
  }
  const identity = await enrol(folder, join, { role, id, region })
  process.stderr.write(`vitrine: joined ${identity.controlUrl} as ${identity.role} ${identity.id}\n`)
  return identity
}

/** Who it is and whom it talks to come from the identity; where it listens is said by flags and configuration. */
function withIdentity(options: RoleOptions, identity: Identity): RoleOptions {
  const { id, region, controlUrl, originUrl } = identity
  const role = identity.role === 'agent' ? (identity.watches ?? 'host') : identity.role
  const origin = options.originUrl ?? originUrl
  if (role === 'edge' && origin === null) {
    const message = 'the fleet has no origin yet: start one first, or give --origin-url'
    throw cliFaults.fault('cli-usage', message)
  }
  const url = origin === null ? {} : { originUrl: origin }
  return { ...options, id, region, role, controlUrl: options.controlUrl ?? controlUrl, ...url }
}

function asJoined<Chosen extends Settings>(chosen: Chosen, identity: Identity | null, data: string): Chosen {
  if (identity === null) return chosen
  const isAny = chosen.listen !== null && /^(0\.0\.0\.0|::)$/.test(chosen.listen.host)
  if (isAny && chosen.kind !== 'agent' && chosen.publicUrl === null) {
    const message = `listening on ${chosen.listen?.host ?? ''}, give --public-url: where others reach this server`
    throw cliFaults.fault('cli-usage', message)
  }
  return { ...chosen, identityFolder: identityFolder(data) }
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

function simulatedFlag({ allowSimulated }: RoleOptions): { readonly allowSimulated?: true } {
  return allowSimulated === true ? { allowSimulated } : {}
}

function withOrigin(config: Config, options: RoleOptions): Config {
  const { id, region } = options
  const named = { ...(id === undefined ? {} : { id }), ...(region === undefined ? {} : { region }) }
  const origin = { ...config.origin, ...named, ...listenFlags(options) }
  return checkConfig(configSchema, { ...config, origin }, 'command line')
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
  const edge = { id, ...(region === undefined ? {} : { region }) }
  const [made] = checkConfig(configSchema, { edges: [edge] }, 'command line').edges
  if (made === undefined) throw cliFaults.fault('cli-usage', `${id} is not an id of an edge`)
  return made
}

function edgeOf(config: Config, data: string, options: RoleOptions): ReturnType<typeof edgeSettings> {
  const edge = chooseEdge(config, options)
  const edges = config.edges.includes(edge) ? config.edges : [edge]
  return edgeSettings({ ...config, edges }, data, edge)
}

/** run/{id}.pid, by which the agent beside a server finds it; locked, so that one server runs on a folder. */
function keepPidFile(settings: Settings, data: string): void {
  if (settings.kind === 'agent') return
  const file = lockFile(runFile(data, `${settings.id}.pid`), PID_FILE_MODE)
  process.on('exit', () => void file.close())
}
