// Owns which orders were begun and what came of them, on disk before anything is done: an agent that was killed knows
// that a command may have run. It keeps a bounded number of the newest.
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { ensureFolder, unreachable, writeFileAtomic } from '#base'
import { stepReport } from '#wire'
import { type CommandProcess, commandProcess } from './left-running.ts'

const KEPT_MAX = 500
const LINES_MAX = 2000

const line = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('start'), id: z.string(), step: z.string() }),
  z.object({ kind: z.literal('process'), id: z.string(), process: commandProcess }),
  z.object({ kind: z.literal('end'), id: z.string(), report: stepReport }),
])
type Line = z.infer<typeof line>
type Report = z.infer<typeof stepReport>

/** `begun`: a start without an end, from before this process; `process`: what it started, as far as it came. */
export type JournalEntry =
  | { readonly kind: 'begun'; readonly process: CommandProcess | null }
  | { readonly kind: 'over'; readonly report: Report }

export class StepJournal {
  readonly #file: string
  readonly #entries = new Map<string, JournalEntry>()
  #lines = 0

  constructor(folder: string) {
    this.#file = join(ensureFolder(folder), 'steps.jsonl')
    for (const text of readLines(this.#file)) {
      this.#lines += 1
      this.#take(text)
    }
    this.#compact()
  }

  get(id: string): JournalEntry | null {
    return this.#entries.get(id) ?? null
  }

  /** On disk when it returns; throws what the system says, and then nothing may be done. */
  start(id: string, step: string): void {
    this.#append({ kind: 'start', id, step })
  }

  /** What carries the order out. */
  runs(id: string, process: CommandProcess): void {
    this.#append({ kind: 'process', id, process })
  }

  end(report: Report): void {
    this.#append({ kind: 'end', id: report.id, report })
  }

  #append(entry: Line): void {
    const fd = openSync(this.#file, 'a', 0o600)
    try {
      // A torn line of an earlier crash ends here: it must not take this one with it.
      writeSync(fd, `\n${JSON.stringify(entry)}\n`)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    this.#lines += 1
    this.#take(entry)
    if (this.#lines > LINES_MAX) this.#compact()
  }

  #take(entry: Line): void {
    this.#entries.delete(entry.id)
    this.#entries.set(entry.id, entryOf(entry))
    for (const id of this.#entries.keys()) {
      if (this.#entries.size <= KEPT_MAX) return
      this.#entries.delete(id)
    }
  }

  #compact(): void {
    if (this.#lines <= LINES_MAX) return
    const lines = [...this.#entries].map(([id, entry]): Line => {
      if (entry.kind === 'over') return { kind: 'end', id, report: entry.report }
      if (entry.process !== null) return { kind: 'process', id, process: entry.process }
      return { kind: 'start', id, step: '' }
    })
    writeFileAtomic(this.#file, `${lines.map(one => JSON.stringify(one)).join('\n')}\n`)
    this.#lines = lines.length
  }
}

function entryOf(line: Line): JournalEntry {
  switch (line.kind) {
    case 'start':
      return { kind: 'begun', process: null }
    case 'process':
      return { kind: 'begun', process: line.process }
    case 'end':
      return { kind: 'over', report: line.report }
    default:
      return unreachable(line)
  }
}

function readLines(file: string): Line[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return [] // nothing was ordered yet
  }
  return text.split('\n').flatMap(one => {
    try {
      const parsed = line.safeParse(JSON.parse(one))
      return parsed.success ? [parsed.data] : []
    } catch {
      return []
    }
  })
}
