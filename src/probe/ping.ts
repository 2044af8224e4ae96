// Owns ICMP echo by the host's own `ping`: one bounded child for each, few at a time. Where it is not permitted or not
// installed, that is said and not tried again for a while: it is no failure of the server that was looked at.
import { spawn } from 'node:child_process'
import type { Clock } from '#base'

export type PingResult =
  | { readonly kind: 'answered'; readonly ms: number }
  | { readonly kind: 'lost' }
  | { readonly kind: 'not-permitted'; readonly reason: string }

/** Of `ping -W`, and of the child as a whole with a little more. */
export const PING_MS_MAX = 1000
const CHILD_MS_MAX = 2000
const CHILDREN_MAX = 4
/** Somebody may install it or set net.ipv4.ping_group_range. */
const AGAIN_MS = 600_000
const OUTPUT_CHARACTERS_MAX = 4096
const HOST_CHARACTERS_MAX = 253

export interface PingerOptions {
  readonly clock: Clock
  /** Left out: `ping` of the path. */
  readonly command?: string
}

export class Pinger {
  readonly #clock: Clock
  readonly #command: string
  #running = 0
  #refused: { readonly result: PingResult; readonly atMs: number } | null = null
  readonly #children = new Set<() => void>()

  constructor({ clock, command = 'ping' }: PingerOptions) {
    this.#clock = clock
    this.#command = command
  }

  /** Null: too many are under way; the next turn asks again. Never rejects. */
  async ping(host: string): Promise<PingResult | null> {
    const nowMs = this.#clock.monotonicMs()
    if (this.#refused !== null && nowMs - this.#refused.atMs < AGAIN_MS) return this.#refused.result
    if (this.#running >= CHILDREN_MAX || !isHost(host)) return null
    this.#running += 1
    const result = await this.#run(host)
    this.#running -= 1
    this.#refused = result.kind === 'not-permitted' ? { result, atMs: nowMs } : null
    return result
  }

  close(): void {
    for (const kill of this.#children) kill()
  }

  #run(host: string): Promise<PingResult> {
    return new Promise(resolve => {
      let output = ''
      const args = ['-n', '-c', '1', '-W', String(PING_MS_MAX / 1000), '--', host]
      const child = spawn(this.#command, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, LC_ALL: 'C' },
      })
      // One that could not be started has process 0 for a moment: to kill that would end our own process group.
      const kill = (): void => {
        if (child.pid !== undefined) child.kill('SIGKILL')
      }
      const deadline = setTimeout(kill, CHILD_MS_MAX)
      const done = (result: PingResult): void => {
        clearTimeout(deadline)
        this.#children.delete(kill)
        resolve(result)
      }
      this.#children.add(kill)
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8')
        stream.on('data', (text: string) => {
          if (output.length < OUTPUT_CHARACTERS_MAX) output += text.slice(0, OUTPUT_CHARACTERS_MAX)
        })
      }
      child.once('error', error =>
        done({ kind: 'not-permitted', reason: `${this.#command}: ${error.message}` }),
      )
      child.once('close', () => done(readPing(output)))
    })
  }
}

/** What iputils, BusyBox and BSD print. Pure. */
export function readPing(output: string): PingResult {
  const ms = /\btime[=<]\s?(\d+(?:\.\d+)?)\s?ms/.exec(output)?.[1]
  if (ms !== undefined) return { kind: 'answered', ms: Number(ms) }
  const refused = /[^\n]*(?:not permitted|permission denied|are you root|lacking privilege)[^\n]*/i.exec(
    output,
  )?.[0]
  return refused === undefined
    ? { kind: 'lost' }
    : { kind: 'not-permitted', reason: refused.trim().slice(0, 200) }
}

/** A name or address that no shell and no option parser takes for something else. */
function isHost(host: string): boolean {
  return host.length <= HOST_CHARACTERS_MAX && /^[A-Za-z0-9:][A-Za-z0-9.:_-]*$/.test(host)
}
