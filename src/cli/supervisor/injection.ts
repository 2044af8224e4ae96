// Owns the faults that are injected into one server: frozen, slowed, both or none, in any order.
// It refuses to outlive the process: a new leader starts healthy.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * Stopped and running parts of a slowed server's time: an answer takes some hundred milliseconds, but comes. The
 * stops differ in length, or probes of a fixed period would meet the same part each time.
 */
const SLOW_STOPPED_MS_MIN = 450
const SLOW_STOPPED_MS_MAX = 650
const SLOW_RUNNING_MS = 60

const burnerEntry = fileURLToPath(
  new URL(`./burner${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
)

type Send = (pid: number, signal: 'SIGSTOP' | 'SIGCONT') => void

const sendSignal: Send = (pid, signal) => {
  try {
    process.kill(pid, signal)
  } catch {
    // It has just ended; its end is told by the supervisor.
  }
}

export class Injection {
  readonly #leader: number
  readonly #send: Send
  #frozen = false
  #cycle: NodeJS.Timeout | null = null
  #burner: ChildProcess | null = null

  /** For one leader's life; `send` is the machine's kill unless a test looks on. */
  constructor(leader: number, send: Send = sendSignal) {
    this.#leader = leader
    this.#send = send
  }

  freeze(): void {
    this.#frozen = true
    this.#send(this.#leader, 'SIGSTOP')
  }

  thaw(): void {
    this.#frozen = false
    this.#send(this.#leader, 'SIGCONT')
  }

  slow(): void {
    if (this.#cycle !== null) return
    this.#startBurner()
    this.#turn(false)
  }

  unslow(): void {
    this.forget()
    if (!this.#frozen) this.#send(this.#leader, 'SIGCONT')
  }

  /** The leader has ended: ends the load and the cycle without touching its pid, which may be another's by now. */
  forget(): void {
    if (this.#cycle !== null) clearTimeout(this.#cycle)
    this.#cycle = null
    this.#burner?.kill('SIGKILL')
    this.#burner = null
  }

  /** Undoes all; after it nothing of this injection is left. */
  end(): void {
    this.#frozen = false
    this.unslow()
  }

  /** A frozen server stays stopped through both parts of the cycle. */
  #turn(running: boolean): void {
    if (!this.#frozen) this.#send(this.#leader, running ? 'SIGCONT' : 'SIGSTOP')
    const stoppedMs = SLOW_STOPPED_MS_MIN + Math.random() * (SLOW_STOPPED_MS_MAX - SLOW_STOPPED_MS_MIN)
    this.#cycle = setTimeout(() => this.#turn(!running), running ? SLOW_RUNNING_MS : stoppedMs)
  }

  #startBurner(): void {
    const burner = spawn(process.execPath, [burnerEntry, String(this.#leader), String(process.pid)], {
      stdio: 'ignore',
    })
    // Without a burner the duty cycle alone slows the server.
    burner.once('error', () => {})
    this.#burner = burner
  }
}
