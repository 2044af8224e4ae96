// Owns what one role is started with, as plain values that fit into an environment variable: no tokens, only the
// file that holds them. It checks nothing: the configuration was checked before.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isLoopback, isTls, type ListenOptions, type LogLevel } from '#base'
import type { ControlOptions } from '#control'
import type { NotifyConfig, ServerRole } from '#wire'
import type { Config, EdgeConfig } from './config.ts'

interface RoleSettings {
  readonly id: string
  readonly region: string
  readonly listen: ListenOptions
  readonly publicUrl: string | null
  readonly stateFolder: string
  readonly logLevel: LogLevel
}

/** Of servers, not of the control room. */
interface MemberSettings {
  readonly controlUrl: string
  /** Holds the token; ignored where there is an identity. */
  readonly tokenFile: string
  /** Of a server that joined by a join string: its id, credential, key and certificate. Null: it did not. */
  readonly identityFolder: string | null
}

export interface ControlSettings extends RoleSettings {
  readonly kind: 'control'
  readonly privateTls: boolean
  readonly webFolder: string
  readonly wake: WakeSettings
  readonly rulesFolders: readonly string[]
  readonly shippedRules: string
  readonly runbooksFolders: readonly string[]
  readonly runbooksByThemselves: readonly string[]
  readonly externalLabels: Readonly<Record<string, string>>
  readonly retentionDays: number
  readonly auditDays: number
  readonly retentionBytes: number | null
  readonly viewers: NonNullable<ControlOptions['viewers']>
  readonly probeBytesMonth: number
  readonly regionsFile: string | null
  readonly allowSimulated: boolean
  /** Itself, or the file of the whole configuration that has it: secrets do not go through the environment. */
  readonly notify: NotifyConfig | { readonly file: string }
  /** The operator's file that it comes from, followed while it runs; null: there is none. */
  readonly notifySource: string | null
  /** Its servers are enrolled from this file; null: from the state alone. */
  readonly fleetFile: string | null
  readonly mediaFolder: string | null
  /** Asked where it names a person; null: there is no file. */
  readonly mentionsFile: string | null
}

export interface OriginSettings extends RoleSettings, MemberSettings {
  readonly kind: 'origin'
  readonly mediaFolder: string
  readonly builtinFolders: readonly string[]
}

export interface EdgeSettings extends RoleSettings, MemberSettings {
  readonly kind: 'edge'
  readonly originUrl: string
  readonly webFolder: string
  readonly memoryBytesMax: number
  readonly diskBytesMax: number
  readonly viewerSpoolBytesMax: number
  readonly accessLog: { readonly bytesMax: number; readonly filesMax: number } | null
}

export interface AgentSettings extends Omit<RoleSettings, 'listen'>, MemberSettings {
  readonly kind: 'agent'
  readonly listen: ListenOptions | null
  readonly role: ServerRole
  readonly serverUrl: string | null
  /** Changes of these are told as marks. */
  readonly configFiles: readonly string[]
  readonly certificateFiles: readonly string[]
  /** Time servers to ask beside those of the host; null: none is asked. */
  readonly timeServers: readonly string[] | null
  /** Holds the pid of the watched process; null under a supervisor, which says it. */
  readonly pidFile: string | null
  /** What runbooks may ask of this host; null: nothing. */
  readonly stepsFile: string | null
}

export type Settings = ControlSettings | OriginSettings | EdgeSettings | AgentSettings

/** Where the parts of this installation are. */
const packageFolder = fileURLToPath(new URL('../..', import.meta.url))
const webFolder = resolve(packageFolder, 'dist/web')
/** Titles and rules that come with Vitrine. */
const builtinMedia = resolve(packageFolder, 'assets/sample')
const builtinRules = resolve(packageFolder, 'config/rules')
const builtinRunbooks = resolve(packageFolder, 'runbooks')

const ORIGIN_PORT_STEP = 10
const AGENT_PORT_STEP = 100

interface ListenKeys {
  readonly host: string
  readonly port?: number | undefined
  readonly tls?: ListenOptions['tls']
  readonly behindProxy: boolean
  readonly publicUrl?: string | undefined
}

function listenOptions(keys: ListenKeys, portByDefault: number): ListenOptions {
  const { host, tls, behindProxy } = keys
  return { host, port: keys.port ?? portByDefault, behindProxy, ...(tls === undefined ? {} : { tls }) }
}

/** How processes of the same host reach a listener. */
export function localUrl(listen: ListenOptions): string {
  const any = listen.host === '0.0.0.0' || listen.host === '::'
  const host = any ? '127.0.0.1' : listen.host.includes(':') ? `[${listen.host}]` : listen.host
  return `${isTls(listen) ? 'https' : 'http'}://${host}:${listen.port}`
}

export function runFile(data: string, name: string): string {
  return resolve(data, 'run', name)
}

/** What the local fleet was started with last. */
export function keptConfigFile(data: string): string {
  return runFile(data, 'config.json')
}

/** Held by the supervisor of a local fleet for as long as it runs. */
export function supervisorLock(data: string): string {
  return runFile(data, 'supervisor.lock')
}

/** Tokens of the local fleet; see fleet-file. */
export function fleetFile(data: string): string {
  return runFile(data, 'fleet.json')
}

export function controlFolder(data: string): string {
  return resolve(data, 'control')
}

/** Own files. */
export function mediaFolder(config: Config, data: string): string {
  return config.origin.mediaFolder === undefined ? resolve(data, 'media') : resolve(config.origin.mediaFolder)
}

export function controlSettings(
  config: Config,
  data: string,
  local: boolean,
  file: string | null = null,
): ControlSettings {
  const { control, portBase, log } = config
  const listen = listenOptions(control, portBase)
  return {
    kind: 'control',
    // Behind a proxy nobody sees our certificate; on loopback nobody needs it, unless it is asked for.
    privateTls: control.privateTls ?? (!isLoopback(control.host) && !control.behindProxy),
    id: 'control',
    region: 'control',
    listen,
    publicUrl: control.publicUrl ?? null,
    stateFolder: controlFolder(data),
    logLevel: log.level,
    webFolder,
    retentionDays: control.retentionDays,
    auditDays: control.auditDays,
    retentionBytes: control.retentionBytes ?? null,
    viewers: control.viewers,
    probeBytesMonth: control.probeGbMonth * 1e9,
    regionsFile: control.regionsFile === undefined ? null : resolve(control.regionsFile),
    allowSimulated: control.allowSimulated,
    notify: local ? { file: keptConfigFile(data) } : control.notify,
    notifySource: file,
    wake: wakeOf(control.wake),
    externalLabels: control.externalLabels,
    shippedRules: builtinRules,
    rulesFolders: [builtinRules, ...control.rulesFolders.map(folder => resolve(folder))],
    runbooksFolders: [builtinRunbooks, ...control.runbooksFolders.map(folder => resolve(folder))],
    runbooksByThemselves: control.runbooksByThemselves,
    fleetFile: local ? fleetFile(data) : null,
    // Of a fleet over several machines the origin's folder is elsewhere.
    mediaFolder: local ? mediaFolder(config, data) : null,
    mentionsFile: local ? keptConfigFile(data) : null,
  }
}

/** Holds where the control room of this data folder is reached, as it told when it started last. */
export function controlUrlFile(stateFolder: string): string {
  return resolve(stateFolder, 'url')
}

/** Holds what join strings carry, as the control room told when it started last. */
export function joinFile(stateFolder: string): string {
  return resolve(stateFolder, 'join.json')
}

/** Where people reach the control room of a data folder: as it told itself, else as it is configured. */
export function controlAddress(config: Config, data: string): string {
  const settings = controlSettings(config, data, false)
  try {
    const told = readFileSync(controlUrlFile(settings.stateFolder), 'utf8').trim()
    if (URL.canParse(told)) return told
  } catch {
    // It has never run.
  }
  return settings.publicUrl ?? localUrl(settings.listen)
}

function memberSettings(config: Config, data: string): MemberSettings {
  const { tokenFile } = config.join
  return {
    controlUrl: controlUrl(config),
    tokenFile: tokenFile === undefined ? fleetFile(data) : resolve(tokenFile),
    identityFolder: null,
  }
}

/** Where a server that joined keeps who it is. */
export function identityFolder(data: string): string {
  return resolve(data, 'identity')
}

function controlUrl(config: Config): string {
  return config.join.controlUrl ?? localUrl(listenOptions(config.control, config.portBase))
}

function originListen(config: Config): ListenOptions {
  return listenOptions(config.origin, config.portBase + ORIGIN_PORT_STEP)
}

export function originSettings(config: Config, data: string): OriginSettings {
  const { origin, log } = config
  return {
    kind: 'origin',
    id: origin.id,
    region: origin.region,
    listen: originListen(config),
    publicUrl: origin.publicUrl ?? null,
    stateFolder: resolve(data, 'origin'),
    logLevel: log.level,
    ...memberSettings(config, data),
    mediaFolder: mediaFolder(config, data),
    builtinFolders: [builtinMedia],
  }
}

export function edgeSettings(config: Config, data: string, edge: EdgeConfig): EdgeSettings {
  const { join, log, portBase } = config
  const { accessLog } = edge
  return {
    kind: 'edge',
    id: edge.id,
    region: edge.region ?? edge.id,
    listen: listenOptions(edge, portBase + 1 + config.edges.indexOf(edge)),
    publicUrl: edge.publicUrl ?? null,
    stateFolder: resolve(data, 'edges', edge.id),
    logLevel: log.level,
    ...memberSettings(config, data),
    originUrl: join.originUrl ?? localUrl(originListen(config)),
    webFolder,
    memoryBytesMax: edge.memoryBytesMax,
    diskBytesMax: edge.diskBytesMax,
    viewerSpoolBytesMax: edge.viewerSpoolBytesMax,
    accessLog: accessLog.enabled ? accessLog : null,
  }
}

/** An agent alone on a host: that of a foreign server, or one without any server of ours. It listens nowhere. */
export function aloneAgentSettings(
  config: Config,
  data: string,
  { id, region, role }: { readonly id: string; readonly region: string; readonly role: 'foreign' | 'host' },
): AgentSettings {
  return {
    kind: 'agent',
    id,
    role,
    region,
    listen: null,
    publicUrl: null,
    stateFolder: resolve(data, 'agents', id),
    logLevel: config.log.level,
    ...memberSettings(config, data),
    configFiles: [],
    certificateFiles: [],
    timeServers: timeServers(config),
    serverUrl: null,
    pidFile: null,
    stepsFile: stepsFile(config),
  }
}

/** The agent beside a server. */
export function agentSettings(
  config: Config,
  data: string,
  server: OriginSettings | EdgeSettings,
  local: boolean,
): AgentSettings {
  const { agent } = config
  return {
    kind: 'agent',
    id: server.id,
    role: server.kind,
    region: server.region,
    listen: agent.enabled ? listenOptions(agent, server.listen.port + AGENT_PORT_STEP) : null,
    publicUrl: null,
    stateFolder: resolve(data, 'agents', server.id),
    logLevel: server.logLevel,
    controlUrl: server.controlUrl,
    tokenFile: server.tokenFile,
    identityFolder: server.identityFolder,
    configFiles: local ? [keptConfigFile(data)] : [],
    certificateFiles: server.listen.tls === undefined ? [] : [server.listen.tls.certFile],
    timeServers: timeServers(config),
    serverUrl: config.join.serverUrl ?? localUrl(server.listen),
    pidFile: local ? null : runFile(data, `${server.id}.pid`),
    stepsFile: stepsFile(config),
  }
}

function stepsFile({ agent }: Config): string | null {
  return agent.stepsFile === undefined ? null : resolve(agent.stepsFile)
}

function timeServers({ agent }: Config): readonly string[] | null {
  return agent.askTimeServers ? agent.timeServers : null
}

export type WakeSettings = NonNullable<ControlOptions['wake']>

function wakeOf({ groupWaitS, nightFrom, morning, ...same }: Config['control']['wake']): WakeSettings {
  const minute = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3))
  return {
    ...same,
    groupWaitMs: groupWaitS * 1000,
    nightFromMinute: minute(nightFrom),
    morningMinute: minute(morning),
  }
}
