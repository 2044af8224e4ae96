// Owns `vitrine doctor`: looks at what Vitrine needs on this machine and says what to do. It changes nothing but
// making the data folder.
import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { type Command, Option } from 'commander'
import { type ListenOptions, lockHolder, messageOf } from '#base'
import { type FirewallRole, firewallRoles, firewallTable } from '../firewall.ts'
import { localUrl, supervisorLock } from '../settings.ts'
import { planFleet } from '../supervisor/fleet-plan.ts'
import { checkPorts } from '../supervisor/ports.ts'
import { type CommonOptions, print, readFleetConfig, table, withData, withJson } from './context.ts'

const FREE_BYTES_WARN = 2 * 1024 ** 3 // an edge's cache of the default size, and room for metrics
const FREE_BYTES_MIN = 200 * 1024 ** 2
const ANSWER_MS_MAX = 1500
const NODE_MIN = [20, 19] as const

type Verdict = 'ok' | 'warn' | 'fail'

interface Finding {
  readonly check: string
  readonly verdict: Verdict
  /** What was seen, and what to do when it is not well. */
  readonly text: string
}

export function registerDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description('check what Vitrine needs on this machine, and whether its roles answer')
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine doctor\n  npx vitrine doctor --data /srv/vitrine --json',
    )
    .addOption(
      new Option('--firewall <role>', 'print the ports that a role needs, and check nothing').choices(
        firewallRoles,
      ),
    )
    .action(async (options: CommonOptions & { readonly firewall?: FirewallRole }) => {
      if (options.firewall !== undefined) return printFirewall(options.firewall, options)
      const findings = await examine(options)
      print(findings, options.json, all =>
        table(
          ['', 'check', 'finding'],
          all.map(({ verdict, check, text }) => [verdict, check, text]),
          '',
        ),
      )
      if (findings.some(({ verdict }) => verdict === 'fail')) process.exitCode = 1
    })
  withJson(withData(command))
}

function printFirewall(role: FirewallRole, options: CommonOptions): void {
  const rows = firewallTable(role, readFleetConfig(options).config)
  const heads = ['direction', 'protocol', 'port', 'other side', 'what for']
  print(rows, options.json, all =>
    table(
      heads,
      all.map(({ direction, protocol, port, peer, purpose }) => [direction, protocol, port, peer, purpose]),
      '',
    ),
  )
}

async function examine(options: CommonOptions): Promise<Finding[]> {
  const { config, data } = readFleetConfig(options)
  const plan = planFleet(config, data)
  const running = lockHolder(supervisorLock(data)) !== null
  const listens = [plan.control.settings, ...plan.servers.map(({ settings }) => settings)]
  return [
    node(),
    dataFolder(data),
    disk(data),
    await ffmpeg(),
    await ports(running, plan.ports),
    ...(running
      ? await Promise.all(listens.map(({ id, listen }) => answers(id, listen)))
      : [
          {
            check: 'roles',
            verdict: 'warn' as const,
            text: 'not running on this data folder; start with: npm start',
          },
        ]),
  ]
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const enough = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
  const wanted = NODE_MIN.join('.')
  return {
    check: 'node',
    verdict: enough ? 'ok' : 'fail',
    text: enough ? process.version : `${process.version}; install ${wanted} or newer from nodejs.org`,
  }
}

function dataFolder(data: string): Finding {
  const check = 'data folder'
  const folder = nearestExisting(data)
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    return { check, verdict: 'ok', text: folder === data ? data : `${data} (made at the first start)` }
  } catch (error) {
    return {
      check,
      verdict: 'fail',
      text: `${messageOf(error)}; change its owner, or choose another with --data`,
    }
  }
}

function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path))
}

function disk(data: string): Finding {
  const { bavail, bsize } = statfsSync(nearestExisting(data))
  const bytes = bavail * bsize
  const text = `${(bytes / 1024 ** 3).toFixed(1)} GiB free`
  if (bytes < FREE_BYTES_MIN)
    return { check: 'disk', verdict: 'fail', text: `${text}; metrics cannot be kept: make room` }
  if (bytes >= FREE_BYTES_WARN) return { check: 'disk', verdict: 'ok', text }
  return { check: 'disk', verdict: 'warn', text: `${text}; make room, or lower edges[].diskBytesMax` }
}

async function ffmpeg(): Promise<Finding> {
  try {
    const { stdout } = await promisify(execFile)('ffmpeg', ['-version'], { timeout: ANSWER_MS_MAX })
    return { check: 'ffmpeg', verdict: 'ok', text: stdout.split(' Copyright')[0] ?? 'found' }
  } catch {
    return {
      check: 'ffmpeg',
      verdict: 'warn',
      text: 'not found; playback does without, making samples needs it: apt-get install ffmpeg',
    }
  }
}

async function ports(running: boolean, uses: Parameters<typeof checkPorts>[0]): Promise<Finding> {
  const check = 'ports'
  if (running) return { check, verdict: 'ok', text: 'in use by the running fleet' }
  try {
    await checkPorts(uses)
    const numbers = uses.map(({ listen }) => listen.port)
    return { check, verdict: 'ok', text: `free: ${Math.min(...numbers)} to ${Math.max(...numbers)}` }
  } catch (error) {
    return { check, verdict: 'fail', text: messageOf(error).split('\n').join('; ') }
  }
}

async function answers(id: string, listen: ListenOptions): Promise<Finding> {
  const url = `${localUrl(listen)}/healthz`
  const startedMs = performance.now()
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) })
    const text = `${url} answered ${answer.status} in ${Math.round(performance.now() - startedMs)} ms`
    return { check: id, verdict: answer.ok ? 'ok' : 'warn', text }
  } catch {
    return {
      check: id,
      verdict: 'fail',
      text: `${url}: no answer within ${ANSWER_MS_MAX} ms; its log is in log/${id}.log`,
    }
  }
}
