// Owns starting and stopping: what was started is closed in reverse order, once, within a deadline.

export interface Closable {
  close(): Promise<void> | void
}

/** Collects what a role started; `close` closes it in reverse order, and goes on when one of them fails. */
export class Closers implements Closable {
  readonly #items: Closable[] = []
  #closing: Promise<void> | null = null

  /** Gives back what it was given, so that starting reads as one expression. */
  add<Item extends Closable>(item: Item): Item {
    this.#items.push(item)
    return item
  }

  defer(close: () => Promise<void> | void): void {
    this.#items.push({ close })
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  async #closeAll(): Promise<void> {
    const failures: unknown[] = []
    for (const item of this.#items.toReversed()) {
      try {
        await item.close()
      } catch (failure) {
        failures.push(failure)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'closing failed')
  }
}

/** Calls `run` every `periodMs` after the previous run has ended; a run that throws is given to `onError`. */
export function every(
  periodMs: number,
  run: () => Promise<void> | void,
  onError: (error: unknown) => void,
): Closable {
  let timer: NodeJS.Timeout | null = null
  let current: Promise<void> = Promise.resolve()
  let closed = false
  const turn = async (): Promise<void> => {
    const startedMs = performance.now()
    try {
      await run()
    } catch (error) {
      onError(error)
    }
    const restMs = Math.max(0, periodMs - (performance.now() - startedMs))
    if (!closed) timer = setTimeout(start, restMs)
  }
  const start = (): void => {
    current = turn()
  }
  timer = setTimeout(start, periodMs)
  return {
    close: async () => {
      closed = true
      if (timer !== null) clearTimeout(timer)
      await current
    },
  }
}
