// Owns the guest's machine: QEMU, with a memory limit, killed at the end whatever happens, and a line for commands.
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Programs } from './packages.ts'

const MEMORY_MB = 900
/** A kernel under emulation takes three seconds, and ten times that on a busy machine. */
const BOOT_MS_MAX = 90_000
/** A machine with /dev/kvm on which guests hang anyway is not waited for as long. */
const KVM_MS_MAX = 8_000
const CONSOLE_CHARACTERS_MAX = 200_000

export interface MachineOptions {
  readonly programs: Programs
  readonly image: string
  /** For sockets. */
  readonly folder: string
  /** What the guest's clock begins with: `2012-06-30T23:58:00`. */
  readonly clock: string
}

export interface Answer {
  readonly code: number
  readonly output: string
}

type Accelerator = 'kvm' | 'tcg'

/** Tries the processor's own virtualisation first, where there is some, and emulates it else. */
export async function boot(options: MachineOptions, say: (text: string) => void): Promise<Machine> {
  if (mayUseKvm()) {
    const machine = new Machine(options, 'kvm')
    try {
      await machine.ready(KVM_MS_MAX)
      return machine
    } catch {
      say('the guest does not run with /dev/kvm here: emulated instead')
      await machine.close()
    }
  }
  const machine = new Machine(options, 'tcg')
  try {
    await machine.ready(BOOT_MS_MAX)
    return machine
  } catch (error) {
    await machine.close()
    throw error
  }
}

function mayUseKvm(): boolean {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Without firmware of its own, from which nothing is booted. */
function cardWords(card: number): string {
  return `-device virtio-net-pci,netdev=net${card},romfile=`
}

export class Machine {
  readonly accelerator: Accelerator
  /** Where a debugger may connect: it stops the machine, reads and writes its memory. */
  readonly debugSocket: string
  readonly #process: ChildProcess
  readonly #ended: Promise<void>
  readonly #lineSocket: string
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #console = ''
  #problem = ''
  #line: Socket | null = null
  #rest = ''
  #number = 0

  constructor({ programs, image, folder, clock }: MachineOptions, accelerator: Accelerator) {
    this.accelerator = accelerator
    this.debugSocket = join(folder, `debug-${accelerator}`)
    this.#lineSocket = join(folder, `line-${accelerator}`)
    const [loader = '', ...words] = programs.command('usr/bin/qemu-system-x86_64')
    const share = (part: string): string => join(programs.folder, 'usr/share', part)
    const serial = (id: string, path: string): string => `socket,id=${id},path=${path},server=on,wait=off`
    const cpu = accelerator === 'kvm' ? 'host' : 'Nehalem'
    // The kernel's own list of timers then names addresses.
    const kernelWords = 'console=ttyS0 quiet panic=-1 nokaslr no_hash_pointers mitigations=off tsc=reliable'
    const machineWords =
      `-accel ${accelerator} -cpu ${cpu} -smp 2 -m ${MEMORY_MB} -nodefaults -no-reboot -display none ` +
      `-rtc base=${clock},clock=vm -serial stdio -serial chardev:line -gdb chardev:debug ` +
      [0, 1].map(card => `-netdev user,id=net${card},net=10.0.${card + 2}.0/24 ${cardWords(card)}`).join(' ')
    this.#process = spawn(
      'setpriv',
      [
        // It ends with this process, also when that is killed.
        '--pdeathsig',
        'KILL',
        '--',
        loader,
        ...words,
        '-chardev',
        serial('line', this.#lineSocket),
        '-chardev',
        serial('debug', this.debugSocket),
        ...machineWords.split(' '),
        '-L',
        share('qemu'),
        '-L',
        share('seabios'),
        '-kernel',
        programs.kernel,
        '-initrd',
        image,
        '-append',
        kernelWords,
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env['PATH'],
          QEMU_MODULE_DIR: join(programs.folder, 'usr/lib/x86_64-linux-gnu/qemu'),
        },
      },
    )
    const keep = (chunk: Buffer): void => {
      this.#console = (this.#console + chunk.toString('latin1')).slice(-CONSOLE_CHARACTERS_MAX)
    }
    this.#process.stdout?.on('data', keep)
    this.#process.stderr?.on('data', keep)
    this.#ended = new Promise(resolve => {
      const end = (problem: string): void => {
        this.#problem = problem
        resolve()
      }
      this.#process.once('error', error => end(error.message))
      this.#process.once('exit', (code, signal) => end(`QEMU ended (${signal ?? code})`))
    })
  }

  get pid(): number {
    return this.#process.pid ?? -1
  }

  /** What the kernel and QEMU have printed. */
  get console(): string {
    return this.#console
  }

  async ready(limitMs: number): Promise<void> {
    const limit = AbortSignal.timeout(limitMs)
    while (!existsSync(this.#lineSocket)) {
      if (limit.aborted || this.#problem !== '') throw this.#failure('does not begin')
      await pause(20)
    }
    const line = connect(this.#lineSocket)
    this.#line = line
    line.on('error', () => line.destroy())
    const ready = new Promise<void>(resolve => this.#waiting.set(0, () => resolve()))
    line.on('data', chunk => this.#take(chunk.toString('latin1')))
    const late = new Promise<'late'>(resolve => limit.addEventListener('abort', () => resolve('late')))
    const first = await Promise.race([ready, late, this.#ended.then(() => 'ended')])
    if (first !== undefined) throw this.#failure(`does not boot within ${limitMs / 1000} s`)
  }

  /** One command of the guest's shell. Throws when the guest does not answer in time. */
  async run(command: string, limitMs = 30_000): Promise<Answer> {
    this.#number += 1
    const number = this.#number
    const answer = new Promise<Answer>(resolve => this.#waiting.set(number, resolve))
    this.#line?.write(`${number} ${command}\n`)
    let limit: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<null>(resolve => {
      limit = setTimeout(resolve, limitMs, null)
    })
    const first = await Promise.race([answer, late, this.#ended.then(() => null)])
    clearTimeout(limit)
    this.#waiting.delete(number)
    if (first === null) throw this.#failure(`does not answer to: ${command}`)
    return first
  }

  /** As `run`; throws unless the code is 0. */
  async must(command: string, limitMs?: number): Promise<string> {
    const { code, output } = await this.run(command, limitMs)
    if (code !== 0) throw new Error(`guest: ${command}: code ${code}: ${output}`)
    return output
  }

  async close(): Promise<void> {
    this.#line?.destroy()
    this.#process.kill('SIGKILL')
    await this.#ended
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const match = /(ready|\d+) (\d+) ?(\S*)\s*$/.exec(line)
      if (match === null) continue
      const [, which = '', code = '', encoded = ''] = match
      const output = Buffer.from(encoded, 'base64').toString('utf8')
      this.#waiting.get(which === 'ready' ? 0 : Number(which))?.({ code: Number(code), output })
    }
  }

  #failure(what: string): Error {
    const last = this.#console.trimEnd().split('\n').slice(-12).join('\n')
    return new Error(`the guest ${what}. ${this.#problem}\n${last}`)
  }
}
