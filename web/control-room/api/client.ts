// Owns the requests of the pages to the control room: deadlines, the CSRF header, checked answers, and since when
// nothing has come. It refuses answers of another shape with words that name the place.
import type { z } from 'zod'
import { FleetClock } from './fleet-clock.ts'

const DEADLINE_MS = 5_000

/** What went wrong, in words for people. */
export class ApiProblem extends Error {
  readonly status: number
  readonly code: string | null

  constructor(message: string, status: number, code: string | null) {
    super(message)
    this.status = status
    this.code = code
  }
}

export class ControlRoomClient {
  readonly clock: FleetClock = new FleetClock()
  #csrf = ''
  /** Of a screen that nobody signs in on: goes instead of a cookie. */
  readonly #bearer: string | null
  #lastAnswerMs: number | null = null
  #unreachable = false
  readonly #signedOut: () => void

  constructor(signedOut: () => void, bearer: string | null = null) {
    this.#signedOut = signedOut
    this.#bearer = bearer
  }

  /** Set by whoever reads /api/v1/me. */
  set csrf(value: string) {
    this.#csrf = value
  }

  /** Monotonic ms of the last answer of any kind; null before the first. */
  get lastAnswerMs(): number | null {
    return this.#lastAnswerMs
  }

  /** True when the last request got no answer. */
  get unreachable(): boolean {
    return this.#unreachable
  }

  async get<Answer>(
    path: string,
    schema: z.ZodType<Answer>,
    signal?: AbortSignal,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    return this.#ask(path, { method: 'GET', headers }, schema, signal)
  }

  async post<Answer>(path: string, body: unknown, schema: z.ZodType<Answer>): Promise<Answer> {
    const headers = { 'content-type': 'application/json', 'x-vitrine-csrf': this.#csrf }
    return this.#ask(path, { method: 'POST', headers, body: JSON.stringify(body) }, schema)
  }

  async put<Answer>(path: string, body: unknown, schema: z.ZodType<Answer>): Promise<Answer> {
    const headers = { 'content-type': 'application/json', 'x-vitrine-csrf': this.#csrf }
    return this.#ask(path, { method: 'PUT', headers, body: JSON.stringify(body) }, schema)
  }

  async delete<Answer>(path: string, schema: z.ZodType<Answer>): Promise<Answer> {
    return this.#ask(path, { method: 'DELETE', headers: { 'x-vitrine-csrf': this.#csrf } }, schema)
  }

  async #ask<Answer>(
    path: string,
    init: RequestInit,
    schema: z.ZodType<Answer>,
    signal?: AbortSignal,
  ): Promise<Answer> {
    const deadline = AbortSignal.timeout(DEADLINE_MS)
    const limit = signal === undefined ? deadline : AbortSignal.any([signal, deadline])
    let answer: Response
    let text: string
    try {
      const headers = new Headers(init.headers)
      if (this.#bearer !== null) headers.set('authorization', `Bearer ${this.#bearer}`)
      const how = { signal: limit, headers, credentials: 'same-origin', cache: 'no-store' } as const
      answer = await fetch(path, { ...init, ...how })
      text = await answer.text()
    } catch (thrown) {
      if (signal?.aborted !== true) this.#unreachable = true
      throw new ApiProblem(
        'The control room did not answer.',
        0,
        thrown instanceof Error ? thrown.name : null,
      )
    }
    this.#unreachable = false
    this.#lastAnswerMs = performance.now()
    const value = parse(text)
    if (!answer.ok) throw this.#problem(answer.status, value)
    const checked = schema.safeParse(value)
    if (checked.success) {
      this.#hearTime(value)
      return checked.data
    }
    const [issue] = checked.error.issues
    throw new ApiProblem(
      `${path}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'not understood'}`,
      answer.status,
      null,
    )
  }

  #problem(status: number, value: unknown): ApiProblem {
    // A screen has nobody who could sign in: its page says so.
    if (status === 401 && this.#bearer === null) this.#signedOut()
    const { text, code } = words(value)
    return new ApiProblem(text ?? `The control room answered ${status}.`, status, code)
  }

  #hearTime(value: unknown): void {
    if (typeof value === 'object' && value !== null && 'now' in value && typeof value.now === 'number') {
      this.clock.told(value.now, performance.now())
    }
  }
}

function parse(text: string): unknown {
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The message of a fault body, or of a Prometheus error, whichever shape came. */
function words(value: unknown): { text: string | null; code: string | null } {
  if (typeof value !== 'object' || value === null) return { text: null, code: null }
  const outer = value as Record<string, unknown>
  const inner = typeof outer['error'] === 'object' && outer['error'] !== null ? outer['error'] : outer
  const body = inner as Record<string, unknown>
  const text = [body['message'], body['error']].find(part => typeof part === 'string')
  const code = [body['code'], body['errorType']].find(part => typeof part === 'string')
  return { text: text ?? null, code: code ?? null }
}
