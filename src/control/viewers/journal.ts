// Owns the records that came since the last commit, as lines of files: what was taken survives `kill -9` before its
// session is stored. One file for each commit; the ones that a commit contains are deleted.
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Closable } from '#base'
import type { ViewerRecord } from '#wire'
import { controlFaults } from '../faults.ts'

/** Commits come each few seconds; so much lies here only when the disk refuses them. */
const BYTES_MAX = 512 * 1024 * 1024

export class Journal implements Closable {
  readonly #folder: string
  #number: number
  #file: number | null = null
  #bytes = 0

  /** `number`: the first file that no commit contains. */
  constructor(folder: string, number: number) {
    this.#folder = folder
    this.#number = Math.max(number, ...this.#numbers().map(known => known + 1))
    this.dropBefore(number)
  }

  /** In the hands of the kernel when it returns. Throws where the disk does not take it: then nothing was taken. */
  append(edge: string, records: readonly ViewerRecord[]): void {
    if (this.#bytes > BYTES_MAX) {
      const message = `${this.#folder}: ${this.#bytes} bytes wait to be stored; see sessions-not-stored in the log`
      throw controlFaults.fault('control-state-unreadable', message)
    }
    this.#file ??= openSync(this.#path(this.#number), 'a', 0o600)
    const line = Buffer.from(`${JSON.stringify([edge, records])}\n`)
    for (let at = 0; at < line.length; ) at += writeSync(this.#file, line, at)
    this.#bytes += line.length
  }

  /** What comes from now on is not of the commit that begins; gives the number to store with it. */
  turn(): number {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
    this.#number += 1
    return this.#number
  }

  /** The commit that stored this number stands. */
  dropBefore(number: number): void {
    for (const known of this.#numbers()) if (known < number) rmSync(this.#path(known), { force: true })
    this.#bytes = 0
  }

  /** In the order in which they came. A line that was being written at the end is none: nobody was told of it. */
  replay(take: (edge: string, records: readonly ViewerRecord[]) => void): void {
    for (const number of this.#numbers()) {
      for (const line of readFileSync(this.#path(number), 'utf8').split('\n')) {
        const batch = readLine(line)
        if (batch !== null) take(...batch)
      }
    }
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }

  #numbers(): number[] {
    const names = readdirSync(this.#folder).map(name => /^records-(\d{1,15})\.ndjson$/.exec(name)?.[1])
    return names.flatMap(name => (name === undefined ? [] : [Number(name)])).toSorted((a, b) => a - b)
  }

  #path(number: number): string {
    return join(this.#folder, `records-${number}.ndjson`)
  }
}

function readLine(line: string): [string, ViewerRecord[]] | null {
  try {
    return JSON.parse(line) as [string, ViewerRecord[]]
  } catch {
    return null
  }
}
