// Owns reading the kernel's messages as they come, where the agent may (/dev/kmsg). It refuses a flood: so many a pass.
import { closeSync, constants, openSync, readSync } from 'node:fs'
import type { Closable } from '#base'
import { redactKernelText } from './redact.ts'

const RECORD_BYTES = 8192 // the kernel gives whole records; longer ones are cut by itself
const A_PASS_MAX = 50
/** What was said before the agent began is read past, this much of it at most. */
const OLD_MAX = 50_000
const TEXT_MAX = 270

export class KernelMessages implements Closable {
  readonly #buffer = Buffer.alloc(RECORD_BYTES)
  #fd: number | null

  constructor(device = '/dev/kmsg') {
    this.#fd = open(device)
    for (let count = 0; count < OLD_MAX && this.#read() !== null; count += 1);
  }

  get permitted(): boolean {
    return this.#fd !== null
  }

  /** Null: not permitted here. */
  take(): string[] | null {
    if (this.#fd === null) return null
    const messages: string[] = []
    for (let count = 0; count < A_PASS_MAX; count += 1) {
      const text = this.#read()
      if (text === null) break
      if (text !== '') messages.push(text)
    }
    return messages
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
  }

  /** One record; '' for one that was lost; null when there is none. */
  #read(): string | null {
    if (this.#fd === null) return null
    try {
      const bytes = readSync(this.#fd, this.#buffer, 0, RECORD_BYTES, null)
      return bytes === 0 ? null : readKernelRecord(this.#buffer.toString('utf8', 0, bytes))
    } catch (error) {
      // EPIPE: it was overwritten before it was read; the next one can be read.
      return error instanceof Error && 'code' in error && error.code === 'EPIPE' ? '' : null
    }
  }
}

/**
 * `6,1234,5678901,-;text`: level, sequence, microseconds since boot (kernel's ABI/testing/dev-kmsg). What programs wrote
 * there (a facility other than 0) is left out: nobody knows what it holds.
 */
export function readKernelRecord(text: string): string {
  const match = /^(\d+),\d+,(\d+),[^;]*;([^\n]*)/.exec(text)
  if (match === null) return ''
  const level = Number(match[1]) & 7
  if (Number(match[1]) >> 3 !== 0) return ''
  const seconds = (Number(match[2]) / 1e6).toFixed(3)
  return `<${level}> [${seconds}] ${redactKernelText(match[3] ?? '').slice(0, TEXT_MAX)}`
}

function open(device: string): number | null {
  try {
    return openSync(device, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return null
  }
}
