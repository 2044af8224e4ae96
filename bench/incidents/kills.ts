// Owns the part of the incidents bench that kills a real control room again and again under alerts that fire, while a
// receiver records what it is told. It compares that with what fired, and changes nothing itself.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { encodeRemoteWrite, REMOTE_WRITE_HEADERS } from '#metrics'
import type { AlertView } from '#wire'
import { randomOf } from '../../test/fleet/schedule.ts'
import { RecordingReceiver } from '../../test/notify/receivers.ts'
import { freePort, mainFile } from '../fleet/processes.ts'
import { againstGoal, type BenchResult } from '../result.ts'

const KILLS = 100
/** From when it answers; a fifth of them do not live until then. */
const LIFE_MS = 1500
const STARTING_SHARE = 0.2
const STARTING_MS = 700
/** Lives for which an alert fires. */
const FIRES_FOR = { least: 2, more: 8 }
const WRITE_MS = 250
const START_MS_MAX = 60_000
const SETTLE_MS_MAX = 180_000
const ASK_MS_MAX = 5000

export interface KillCount {
  readonly kills: number
  readonly alerts: number
  /** Told of none of its incidents that it began, or that it ended. */
  readonly lost: readonly string[]
  /** Told twice with two keys, or by two incidents. */
  readonly doubled: readonly string[]
  /** Sent again with the same key: it was killed between sending and writing down. */
  readonly repeated: number
  /** Alerts whose start changed. */
  readonly moved: readonly string[]
  readonly requests: number
}

export async function benchKills({ seed }: { readonly seed: number }): Promise<BenchResult[]> {
  const startedMs = performance.now()
  const found = await killControl(KILLS, seed)
  const seconds = Math.round((performance.now() - startedMs) / 1000)
  const { kills, alerts, lost, doubled, repeated, moved, requests } = found
  console.log(
    `kills: seed ${seed}, ${kills} kills in ${seconds} s, ${alerts} alerts, ${requests} requests at the receiver: ` +
      `${lost.length} lost, ${doubled.length} doubled, ${repeated} sent again with the same key, ${moved.length} starts changed`,
  )
  for (const text of [...lost, ...doubled, ...moved]) console.log(`  ${text}`)
  const wrong = lost.length + doubled.length + moved.length
  return [
    againstGoal(
      `notifications neither lost nor doubled over ${kills} kills`,
      '',
      { ours: 2 * alerts - wrong, goal: 2 * alerts },
      'higher',
    ),
  ]
}

/** One life after the other; each begins an alert of its own, which fires for some lives. */
export async function killControl(kills: number, seed: number): Promise<KillCount> {
  const random = randomOf(seed)
  const receiver = await new RecordingReceiver().start()
  const room = await Room.make(receiver.url, kills)
  try {
    for (let life = 0; life < kills; life += 1) {
      room.begin(life, life + FIRES_FOR.least + Math.floor(random() * FIRES_FOR.more))
      // Every third life meets a receiver that has the message and does not say so.
      receiver.behaviour = life % 3 === 0 ? 'hangs' : 'takes'
      room.start()
      if (random() < STARTING_SHARE) await pause(random() * STARTING_MS)
      else {
        await room.answers()
        await room.talk(random() * LIFE_MS)
      }
      await room.kill()
    }
    receiver.behaviour = 'takes'
    room.life = Number.POSITIVE_INFINITY
    room.start()
    await room.answers()
    await room.until(
      () => told(receiver, 'resolved').size >= kills,
      () => `${told(receiver, 'resolved').size} of ${kills} were told as resolved`,
    )
    return { kills, alerts: kills, moved: room.moved, ...compare(receiver, kills) }
  } finally {
    await room.close()
    await receiver.close()
  }
}

interface Body {
  readonly incident: string
  readonly reason: string
  readonly alert: string | null
}

function bodies({ received }: RecordingReceiver): (Body & { readonly key: string })[] {
  return received.map(({ headers, body }) => {
    const { incident, reason } = JSON.parse(body) as { incident: { id: string } | string; reason: string }
    const alert = /Machine (\d+) is ill/.exec(body)?.[1] ?? null
    const id = typeof incident === 'string' ? incident : incident.id
    return { incident: id, reason, alert, key: String(headers['idempotency-key']) }
  })
}

function told(receiver: RecordingReceiver, reason: string): Map<string, Set<string>> {
  const keys = new Map<string, Set<string>>()
  for (const { alert, reason: own, key } of bodies(receiver)) {
    if (alert === null || own !== reason) continue
    keys.set(alert, (keys.get(alert) ?? new Set()).add(key))
  }
  return keys
}

function compare(
  receiver: RecordingReceiver,
  alerts: number,
): Pick<KillCount, 'lost' | 'doubled' | 'repeated' | 'requests'> {
  const lost: string[] = []
  const doubled: string[] = []
  for (const reason of ['opened', 'resolved']) {
    const keys = told(receiver, reason)
    for (let at = 0; at < alerts; at += 1) {
      const own = keys.get(String(at))?.size ?? 0
      if (own === 0) lost.push(`alert ${at}: ${reason} was told to nobody`)
      if (own > 1)
        doubled.push(`alert ${at}: ${reason} was told as ${[...(keys.get(String(at)) ?? [])].join(', ')}`)
    }
  }
  const all = bodies(receiver)
  const repeated = all.length - new Set(all.map(({ key }) => key)).size
  return { lost, doubled, repeated, requests: all.length }
}

interface Sending {
  readonly method?: 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array<ArrayBuffer>
}

/** A control room of processes that follow each other in one folder. */
class Room {
  readonly #folder: string
  readonly #port: number
  readonly #alerts: number
  readonly #log: number
  #token = ''
  #child: ChildProcess | null = null
  /** By alert: the last life in which it fires. */
  readonly #until = new Map<number, number>()
  life = 0
  /** When each began and fired: of each there is one. */
  readonly #starts = new Map<string, Set<string>>()
  readonly moved: string[] = []

  private constructor(folder: string, port: number, alerts: number) {
    this.#folder = folder
    this.#port = port
    this.#alerts = alerts
    this.#log = openSync(join(folder, 'control.log'), 'a')
  }

  static async make(receiverUrl: string, alerts: number): Promise<Room> {
    const folder = mkdtempSync(join(tmpdir(), 'vitrine-kills-'))
    mkdirSync(join(folder, 'rules'))
    writeFileSync(join(folder, 'rules', 'machines.yaml'), rulesText(alerts))
    const notify = {
      receivers: [{ name: 'hook', webhook: { url: receiverUrl, secret: 'shared' } }],
      routes: [{ receivers: ['hook'] }],
    }
    const control = { rulesFolders: [join(folder, 'rules')], wake: { groupWaitS: 0 }, notify }
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ control }))
    const room = new Room(folder, await freePort(), alerts)
    room.start()
    await room.answers()
    const words = ['token', 'create', '--role', 'admin', '--data', join(folder, 'data')]
    const { stdout } = await promisify(execFile)(process.execPath, [mainFile, ...words])
    room.#token = stdout.trimEnd().split('\n').at(-1) ?? ''
    await room.kill()
    return room
  }

  /** The next life: from now on its alert fires, until that life and until it was seen to. */
  begin(alert: number, untilLife: number): void {
    this.life = alert
    this.#until.set(alert, untilLife)
  }

  #isIll(alert: number): boolean {
    const untilLife = this.#until.get(alert)
    return untilLife !== undefined && (untilLife >= this.life || !this.#starts.has(String(alert)))
  }

  start(): void {
    const words = ['control', '--port', String(this.#port), '--data', join(this.#folder, 'data')]
    const config = ['--config', join(this.#folder, 'config.json')]
    this.#child = spawn(process.execPath, [mainFile, ...words, ...config], {
      stdio: ['ignore', this.#log, this.#log],
    })
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  async answers(): Promise<void> {
    const endMs = performance.now() + START_MS_MAX
    while ((await this.#ask('/healthz')) === null) {
      if (performance.now() > endMs) throw new Error(`no control room within ${START_MS_MAX} ms`)
      await pause(20)
    }
  }

  /** Samples in, alerts out, for so long. */
  async talk(forMs: number): Promise<void> {
    const endMs = performance.now() + forMs
    while (performance.now() < endMs) {
      await this.#turn()
      await pause(Math.max(0, Math.min(WRITE_MS, endMs - performance.now())))
    }
  }

  async until(condition: () => boolean, what: () => string): Promise<void> {
    const endMs = performance.now() + SETTLE_MS_MAX
    while (!condition()) {
      if (performance.now() > endMs) throw new Error(`not within ${SETTLE_MS_MAX} ms: ${what()}`)
      await this.#turn()
      await pause(WRITE_MS)
    }
  }

  async close(): Promise<void> {
    await this.kill()
    closeSync(this.#log)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #turn(): Promise<void> {
    const series = Array.from({ length: this.#alerts }, (_, at) => ({
      labels: { __name__: 'machine_ill', machine: String(at) },
      samples: [{ timestampMs: Date.now(), value: this.#isIll(at) ? 1 : 0 }],
    }))
    const body = new Uint8Array(encodeRemoteWrite(series))
    await this.#ask('/prometheus/api/v1/write', { method: 'POST', headers: REMOTE_WRITE_HEADERS, body })
    const answer = (await this.#ask('/api/v1/alerts')) as { readonly alerts: AlertView[] } | null
    for (const { rule, activeAt, firedAt, state } of answer?.alerts ?? []) {
      const alert = /^Machine(\d+)$/.exec(rule)?.[1]
      if (alert === undefined || state === 'pending') continue
      const start = `${activeAt} ${firedAt}`
      const known = this.#starts.get(alert) ?? new Set()
      this.#starts.set(alert, known)
      if (known.size > 0 && !known.has(start))
        this.moved.push(`alert ${alert}: began at ${[...known].join(', ')}, and at ${start}`)
      known.add(start)
    }
  }

  /** Null: it did not answer, or not well. */
  async #ask(path: string, request: Sending = {}): Promise<unknown> {
    try {
      const headers = { ...request.headers, authorization: `Bearer ${this.#token}` }
      const signal = AbortSignal.timeout(ASK_MS_MAX)
      const answer = await fetch(`http://127.0.0.1:${this.#port}${path}`, { ...request, headers, signal })
      const text = await answer.text()
      return answer.ok ? (text.startsWith('{') ? JSON.parse(text) : text) : null
    } catch {
      return null
    }
  }
}

/** A rule each, so that each alert has an incident of its own. */
function rulesText(alerts: number): string {
  const rules = Array.from({ length: alerts }, (_, at) => [
    `      - alert: Machine${at}`,
    `        expr: machine_ill{machine="${at}"} == 1`,
    '        for: 1s',
    '        labels: { severity: critical }',
    `        annotations: { summary: "Machine ${at} is ill" }`,
  ])
  const head = ['groups:', '  - name: machines', '    interval: 1s', '    rules:']
  return [...head, ...rules.flat(), ''].join('\n')
}
