// Owns how long a simulation runs and what a terminal shows meanwhile. Off a terminal it prints nothing before the end.

const REPORT_MS = 1000

/** One line on stderr that is written anew each second. */
export class Progress {
  readonly #timer: NodeJS.Timeout | null

  constructor(line: () => string) {
    const show = (): void => void process.stderr.write(`\r\u001b[2K${line()}`)
    this.#timer = process.stderr.isTTY ? setInterval(show, REPORT_MS) : null
  }

  end(): void {
    if (this.#timer === null) return
    clearInterval(this.#timer)
    process.stderr.write('\n')
  }
}

/** Resolves after so many seconds, or at Ctrl-C. */
export async function stopAfter(seconds: number | null): Promise<void> {
  await new Promise<void>(resolve => {
    const timer = seconds === null ? null : setTimeout(() => resolve(), seconds * 1000)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        if (timer !== null) clearTimeout(timer)
        resolve()
      })
    }
  })
}
