// Owns the one error type that crosses rooms. It refuses codes that no room's table declares.

/** Which side of us the cause lies on, seen from the code that threw. */
export type FaultWhere = 'upstream' | 'downstream' | 'internal'

/** Values that may stand beside a fault in a log line or an HTTP answer. */
export type FaultFacts = Readonly<Record<string, string | number | boolean | null>>

export interface FaultKind {
  /** HTTP status with which the fault is answered when it reaches a client. */
  readonly status: number
  readonly where: FaultWhere
  /** True when the same request may succeed later without anybody changing anything. */
  readonly retry: boolean
  /** One sentence for the reference page: what to do when this is seen. */
  readonly help: string
}

export interface FaultOptions {
  readonly cause?: unknown
  readonly facts?: FaultFacts
}

/** A typed failure: what went wrong, where, and what was expected. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: string
  readonly status: number
  readonly where: FaultWhere
  readonly retry: boolean
  readonly facts: FaultFacts

  constructor(code: string, kind: FaultKind, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = kind.status
    this.where = kind.where
    this.retry = kind.retry
    this.facts = options.facts ?? {}
  }
}

/** One room's faults; `fault` makes one, `table` is what the reference page is generated from. */
export interface FaultTable<Code extends string> {
  readonly room: string
  readonly table: Readonly<Record<Code, FaultKind>>
  fault(this: void, code: Code, message: string, options?: FaultOptions): Fault
}

/** Declares a room's fault codes. Every code starts with the room's name, so that codes are unique. */
export function defineFaults<const Table extends Readonly<Record<string, FaultKind>>>(
  room: string,
  table: Table,
): FaultTable<keyof Table & string> {
  for (const code of Object.keys(table)) {
    if (!code.startsWith(`${room}-`)) throw new TypeError(`fault code ${code} must start with ${room}-`)
  }
  return {
    room,
    table,
    fault: (code, message, options) => {
      const kind = (table as Readonly<Record<string, FaultKind>>)[code]
      if (kind === undefined) throw new TypeError(`fault code ${code} is not declared by room ${room}`)
      return new Fault(code, kind, message, options)
    },
  }
}

/** The body with which every role answers a fault: `{ error: { code, message, retry, facts } }`. */
export interface FaultBody {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly retry: boolean
    readonly facts: FaultFacts
  }
}

/** Gives the public form of any thrown value; what is not a Fault is not shown to clients. */
export function faultBody(thrown: unknown): { readonly status: number; readonly body: FaultBody } {
  if (thrown instanceof Fault) {
    const { code, message, retry, facts } = thrown
    return { status: thrown.status, body: { error: { code, message, retry, facts } } }
  }
  const message = 'an unexpected failure; the log of this server has the details'
  return { status: 500, body: { error: { code: 'internal', message, retry: false, facts: {} } } }
}

/** Ends a switch over a closed union: reaching it is a bug. */
export function unreachable(value: never): never {
  throw new TypeError(`unreachable case: ${JSON.stringify(value)}`)
}

/** A message for any thrown value, without a stack. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
