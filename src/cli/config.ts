// Owns the one configuration file: its keys, defaults and words. It refuses unknown keys.
import { type ZodType, z } from 'zod'
import { notifyConfig, serverId } from '#wire'

const MIB = 1024 * 1024
const PORT_BASE = 8080

const port = z.int().min(0).max(65_535)

const tls = z
  .strictObject({
    certFile: z.string().describe('PEM file with the certificate chain.'),
    keyFile: z.string().describe('PEM file with the private key.'),
  })
  .describe('Certificate for listening off loopback.')

/** Address and protection of one listener; ports are counted from portBase unless they are given. */
const listenKeys = {
  host: z
    .string()
    .default('127.0.0.1')
    .describe('IP address to listen on. Off loopback only with tls or behindProxy.'),
  port: port.optional().describe('Port; without it, counted from portBase.'),
  tls: tls.optional(),
  behindProxy: z.boolean().default(false).describe('True when a proxy in front ends TLS.'),
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Where others reach it, when that is not the address it listens on.'),
}

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day as 08:00')

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const control = z.strictObject({
  ...listenKeys,
  privateTls: z
    .boolean()
    .optional()
    .describe(
      'True: servers reach it over TLS by its own private authority. Default: off loopback, unless behindProxy.',
    ),
  rulesFolders: z
    .array(z.string())
    .default([])
    .describe('Folders with own Prometheus rule files (*.yaml), read after the ones that come with Vitrine.'),
  runbooksFolders: z
    .array(z.string())
    .default([])
    .describe('Folders with own runbooks (*.yaml); one with the name of a shipped one replaces it.'),
  runbooksByThemselves: z
    .array(z.string().max(64))
    .default([])
    .describe('Runbooks that begin without a person when an incident fits, if they allow it too.'),
  externalLabels: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(256))
    .default({})
    .describe('What templates of rules know as $externalLabels, for example `cluster: prod`.'),
  retentionDays: z.number().min(0.05).max(3650).default(15).describe('Samples older than this are dropped.'),
  auditDays: z
    .number()
    .min(1)
    .max(36_500)
    .default(400)
    .describe('Entries of the audit that are older are dropped.'),
  retentionBytes: z
    .int()
    .min(16 * MIB)
    .optional()
    .describe(
      'The oldest samples are dropped when the stored ones take more bytes; without it, age alone counts.',
    ),
  viewers: z
    .strictObject({
      retentionDays: z
        .number()
        .min(1)
        .max(3650)
        .default(30)
        .describe('Whole days of sessions older than this are dropped.'),
      retentionBytes: z
        .int()
        .min(16 * MIB)
        .default(2048 * MIB)
        .describe('The oldest days of sessions are dropped when all take more bytes.'),
      references: z
        .enum(['hashed', 'plain'])
        .default('hashed')
        .describe('How references of viewers are stored: as a keyed hash, or as players give them.'),
    })
    .prefault({})
    .describe('Sessions of viewers (docs/operate/viewers.md).'),
  probeGbMonth: z
    .number()
    .min(0)
    .max(100_000)
    .default(20)
    .describe('What probes that play from one edge may fetch in a month, in GB; 0: none do.'),
  regionsFile: z
    .string()
    .optional()
    .describe(
      'File that tells viewers’ regions by address: `192.0.2.0/24 eu-west` a line, IPv4 and IPv6, # begins a comment; at most 100,000 lines. Read again when it changes.',
    ),
  wake: z
    .strictObject({
      groupWaitS: z
        .number()
        .min(0)
        .max(300)
        .default(10)
        .describe('Alerts that come within this are told together.'),
      ringSeverities: z
        .array(z.enum(['critical', 'warning', 'info']))
        .default(['critical'])
        .describe('Severities that ring; an incident whose verdict is "get up" rings whatever its severity.'),
      ringViewersMin: z
        .int()
        .min(0)
        .default(1)
        .describe('With fewer viewers hurt, at its worst, nobody is rung.'),
      nightFrom: timeOfDay
        .default('22:00')
        .describe('What does not ring is told in the morning from here ...'),
      morning: timeOfDay.default('08:00').describe('... to here.'),
      zone: z
        .string()
        .max(64)
        .refine(isZone, 'expected a zone as Europe/Berlin')
        .default('UTC')
        .describe('The operators’ time zone.'),
    })
    .prefault({})
    .describe('What rings at night, and what waits until morning.'),
  allowSimulated: z
    .boolean()
    .default(false)
    .describe('True: servers that do not exist may be enrolled, for tests. Never for a real fleet.'),
  notify: notifyConfig
    .prefault({})
    .describe('Who is told of incidents, and how (docs/operate/notifications.md has whole examples).'),
})

const origin = z.strictObject({
  ...listenKeys,
  id: serverId.default('origin').describe('Permanent id of the server.'),
  region: z.string().max(64).default('origin').describe('Where it stands.'),
  mediaFolder: z.string().optional().describe('Own files; default: media in the data folder.'),
})

const accessLog = z
  .strictObject({
    enabled: z.boolean().default(true).describe('False: no access log is written.'),
    bytesMax: z
      .int()
      .min(MIB)
      .default(64 * MIB)
      .describe('A file that has reached this is renamed to access.1.log, and so on.'),
    filesMax: z.int().min(1).max(1000).default(4).describe('Files that are kept; the oldest is dropped.'),
  })
  .describe('One line of JSON for each answer, in accounting/ of the folder of the edge.')

const edge = z.strictObject({
  ...listenKeys,
  id: serverId.describe('Permanent id of the server; also its name in steering.'),
  region: z.string().max(64).optional().describe('Where it stands; default: its id.'),
  memoryBytesMax: z
    .int()
    .min(8 * MIB)
    .default(128 * MIB)
    .describe('Media kept in memory.'),
  diskBytesMax: z
    .int()
    .min(0)
    .default(2048 * MIB)
    .describe('Media kept on disk; 0 keeps none.'),
  accessLog: accessLog.prefault({}),
  viewerSpoolBytesMax: z
    .int()
    .min(MIB)
    .default(256 * MIB)
    .describe(
      'What viewers went through, kept until the control room has it; beyond it the oldest is dropped.',
    ),
})

const join = z.strictObject({
  controlUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('The control room, as this server reaches it.'),
  originUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('The origin, as an edge reaches it.'),
  serverUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('The server that an agent watches; default: where the configuration has it listen.'),
  tokenFile: z
    .string()
    .optional()
    .describe('File that holds the token of this server (vitrine server add prints it).'),
})

const agent = z.strictObject({
  host: listenKeys.host,
  tls: listenKeys.tls,
  behindProxy: listenKeys.behindProxy,
  enabled: z
    .boolean()
    .default(true)
    .describe('False: the agent does not listen; it measures and pushes all the same.'),
  stepsFile: z
    .string()
    .optional()
    .describe(
      'List of the steps that runbooks may ask of this host (docs/operate/runbooks.md); without it, none.',
    ),
  askTimeServers: z
    .boolean()
    .default(true)
    .describe(
      'Whether the agent asks the time servers that its host is configured to use: a packet each in 64 s.',
    ),
  timeServers: z
    .array(z.string().regex(/^[a-zA-Z0-9.:[\]-]{1,255}$/, 'expected a host name or an address'))
    .max(8)
    .default([])
    .describe('Time servers that the agent asks beside those, as a second opinion; name[:port].'),
})

/** The whole file. */
export const configSchema = z.strictObject({
  data: z
    .string()
    .optional()
    .describe('Folder of all state; deleting it is a factory reset. Default: ./data'),
  portBase: port
    .max(65_000)
    .default(PORT_BASE)
    .describe('Control room here, edges from +1, origin at +10, the agent of each server 100 above it.'),
  log: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error'])
        .default('info')
        .describe('debug, info, warn or error.'),
    })
    .prefault({})
    .describe('Logs: JSON lines, in log/ of the data folder or on standard output.'),
  control: control.prefault({}).describe('The control room.'),
  origin: origin.prefault({}).describe('The origin.'),
  edges: z
    .array(edge)
    .max(100)
    .default(() => ['eu-west', 'us-east', 'ap-southeast'].map(id => edge.parse({ id })))
    .describe(
      'The edges that vitrine start runs; vitrine edge runs the one that --id names, or the only one.',
    ),
  agent: agent.prefault({}).describe('The agents beside the servers.'),
  join: join
    .prefault({})
    .describe('For single roles on machines of their own; vitrine start needs none of it.'),
})

export type Config = z.infer<typeof configSchema>
export type EdgeConfig = Config['edges'][number]

/** config/example.yaml: every key with its words and its default. */
export function renderExampleConfig(): string {
  const lines = [
    '# Every key of the configuration with its default; keys that are commented out have none.',
    '# Use it with --config FILE. VITRINE_CONTROL__PORT=9000 in the environment overrides control.port.',
    '',
    ...describeObject(configSchema, 0),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

interface SchemaNode {
  readonly description?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
}

function describeObject(schema: ZodType, depth: number): string[] {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode
  return describeProperties(root, depth, false)
}

function describeProperties(node: SchemaNode, depth: number, commented: boolean): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
    describeKey(key, child, depth, commented),
  )
}

function describeKey(key: string, node: SchemaNode, depth: number, commented: boolean): string[] {
  const indent = '  '.repeat(depth)
  const words = node.description === undefined ? [] : [`${indent}# ${node.description}`]
  if (node.items?.properties !== undefined) {
    const keys = describeProperties(node.items, depth + 2, true).filter(
      line => !/# id:|# Permanent id/.test(line),
    )
    const items = defaultIds(node).map(id => `${indent}  - id: ${id}`)
    // Without one the key would read as null; its first key shows that it is a list.
    if (items.length === 0) return [...words, `${indent}# ${key}:`, ...listKeys(keys)]
    return [...words, `${indent}${key}:`, ...items.slice(0, 1), ...keys, ...items.slice(1), '']
  }
  if (node.properties !== undefined) {
    const inner = describeProperties(node, depth + 1, commented || node.default === undefined)
    // A key whose every line is a comment would read as null.
    const hidden = inner.every(line => line.trimStart().startsWith('#'))
    return [...words, `${indent}${hidden ? '# ' : ''}${key}:`, ...inner, ...(depth === 0 ? [''] : [])]
  }
  const hidden = commented || node.default === undefined
  const value = node.default === undefined ? '' : ` ${JSON.stringify(node.default)}`
  return [...words, `${indent}${hidden ? '# ' : ''}${key}:${value}`]
}

function listKeys(lines: readonly string[]): string[] {
  const first = lines.findIndex(line => !line.trimStart().startsWith('# ') || /# [A-Za-z]+:/.test(line))
  return lines.map((line, index) => (index === first ? line.replace(/ {2}# /, '# - ') : line))
}

function defaultIds({ default: list }: SchemaNode): string[] {
  return Array.isArray(list) ? list.map((item: { id: string }) => item.id) : []
}
