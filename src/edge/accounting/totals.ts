// Owns what this edge has served since it began to count: answers by kind, status and class of title, and bytes by class.
// The numbers lie in memory that the kernel keeps when the process is killed; after a boot they begin at zero again, and
// so they never go back. See docs/decisions/0005-counters-that-outlive-a-kill.md
import { type Clock, mapFile } from '#base'
import { type TitleClass, titleClasses } from '#wire'

/** The label `kind` of vitrine_edge_requests_total; `internal` is what our own agents and probes ask for. */
export const requestKinds = [
  'master',
  'playlist',
  'init',
  'segment',
  'play',
  'watch',
  'steer',
  'cmcd',
  'other',
  'internal',
] as const
export type RequestKind = (typeof requestKinds)[number]

const statuses = ['2xx', '3xx', '4xx', '5xx'] as const

/** Another order or number of cells is another version. */
const MAGIC = 'vitrine-totals-1'
const BOOT_AT = 16
const BOOT_CHARACTERS_MAX = 64
/** BOOTTIME at which all was zero, as float64. */
const SINCE_AT = 80
const CELLS_AT = 96
const REQUEST_CELLS = requestKinds.length * statuses.length * titleClasses.length
const CELLS = REQUEST_CELLS + titleClasses.length
const BYTES = CELLS_AT + CELLS * 8

export interface TotalsOptions {
  /** Null: in memory alone, from zero. */
  readonly file: string | null
  /** Changes with each boot. */
  readonly hostId: string
  readonly clock: Clock
}

export class Totals {
  /** False: this machine cannot keep them, and they begin at zero with each start. */
  readonly survives: boolean
  /** BOOTTIME at which all of them were zero. */
  readonly sinceBootMs: number
  readonly #cells: Float64Array

  constructor({ file, hostId, clock }: TotalsOptions) {
    const mapped = file === null ? null : mapFile(file, BYTES)
    this.survives = mapped !== null
    const memory = mapped ?? new ArrayBuffer(BYTES)
    this.#cells = new Float64Array(memory, CELLS_AT, CELLS)
    const head = Buffer.from(memory, 0, CELLS_AT)
    if (!isOurs(head, hostId, this.#cells)) {
      // A kill in the middle leaves no head, so that the next start begins anew as well.
      head.fill(0)
      this.#cells.fill(0)
      head.writeDoubleLE(clock.bootMs(), SINCE_AT)
      head.write(hostId.slice(0, BOOT_CHARACTERS_MAX), BOOT_AT, 'latin1')
      head.write(MAGIC, 0, 'latin1')
    }
    this.sinceBootMs = head.readDoubleLE(SINCE_AT)
  }

  /** One answer, and the bytes of its body that went out. */
  add(kind: RequestKind, status: number, titleClass: TitleClass, bytes: number): void {
    const cells = this.#cells
    const statusAt = Math.min(Math.max(Math.floor(status / 100) - 2, 0), statuses.length - 1)
    const classAt = titleClasses.indexOf(titleClass)
    const at = (requestKinds.indexOf(kind) * statuses.length + statusAt) * titleClasses.length + classAt
    cells[at] = (cells[at] ?? 0) + 1
    // What our own agents and probes fetch is not throughput.
    if (kind !== 'internal') {
      cells[REQUEST_CELLS + classAt] = (cells[REQUEST_CELLS + classAt] ?? 0) + bytes
    }
  }

  /** What has ever been answered. */
  *requests(): Iterable<readonly [labels: { kind: string; status: string; class: string }, value: number]> {
    let at = 0
    for (const kind of requestKinds) {
      for (const status of statuses) {
        for (const titleClass of titleClasses) {
          const value = this.#cells[at] ?? 0
          at += 1
          if (value > 0) yield [{ kind, status, class: titleClass }, value]
        }
      }
    }
  }

  /** Every class, also those of which nothing was sent. */
  bytes(): readonly (readonly [titleClass: TitleClass, value: number])[] {
    return titleClasses.map((titleClass, at) => [titleClass, this.#cells[REQUEST_CELLS + at] ?? 0])
  }
}

function isOurs(head: Buffer, hostId: string, cells: Float64Array): boolean {
  const boot = Buffer.alloc(BOOT_CHARACTERS_MAX)
  boot.write(hostId.slice(0, BOOT_CHARACTERS_MAX), 'latin1')
  return (
    head.toString('latin1', 0, MAGIC.length) === MAGIC &&
    head.subarray(BOOT_AT, BOOT_AT + BOOT_CHARACTERS_MAX).equals(boot) &&
    cells.every(value => Number.isSafeInteger(value) && value >= 0)
  )
}
