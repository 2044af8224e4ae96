// Owns reading and writing a guest's memory through QEMU's debugger port, while the guest stands still: the remote serial
// protocol of gdb, as far as two of its commands.
import { connect, type Socket } from 'node:net'

const ANSWER_MS_MAX = 10_000

/** Connects, which stops the guest; lets it go on at the end, whatever happens. */
export async function whileStopped<Result>(
  path: string,
  work: (memory: Memory) => Promise<Result>,
): Promise<Result> {
  const socket = connect(path)
  const memory = new Memory(socket)
  try {
    // Why it stands still: the answer shows that it does.
    await memory.ask('?')
    return await work(memory)
  } finally {
    await memory.ask('D').catch(() => undefined)
    socket.destroy()
  }
}

export class Memory {
  readonly #socket: Socket
  #text = ''
  #taken: (() => void) | null = null

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', chunk => {
      this.#text += chunk.toString('latin1')
      this.#taken?.()
    })
    socket.on('error', () => this.#taken?.())
  }

  async read(address: bigint, length: number): Promise<Buffer> {
    const answer = await this.ask(`m${address.toString(16)},${length.toString(16)}`)
    if (answer.length !== length * 2) throw new Error(`memory of the guest cannot be read: ${answer}`)
    return Buffer.from(answer, 'hex')
  }

  async write(address: bigint, bytes: Buffer): Promise<void> {
    const words = `M${address.toString(16)},${bytes.length.toString(16)}:${bytes.toString('hex')}`
    const answer = await this.ask(words)
    if (answer !== 'OK') throw new Error(`memory of the guest cannot be written: ${answer}`)
  }

  async ask(words: string): Promise<string> {
    const sum = [...Buffer.from(words)].reduce((total, byte) => (total + byte) & 0xff, 0)
    this.#socket.write(`$${words}#${sum.toString(16).padStart(2, '0')}`)
    const limit = AbortSignal.timeout(ANSWER_MS_MAX)
    for (;;) {
      const match = /\$([^#]*)#[0-9a-f]{2}/.exec(this.#text)
      if (match !== null) {
        this.#text = this.#text.slice(match.index + match[0].length)
        this.#socket.write('+')
        const answer = match[1] ?? ''
        // That the guest stands still is also said unasked.
        if (words !== '?' && /^[ST]\d\d/.test(answer)) continue
        return answer
      }
      if (limit.aborted || this.#socket.destroyed)
        throw new Error('the debugger port of QEMU does not answer')
      await new Promise<void>(resolve => {
        this.#taken = resolve
        limit.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }
}
