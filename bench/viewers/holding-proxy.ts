// Owns a way that can be held up: a TCP proxy that passes bytes on at once, or not at all until it is let go, for all who
// take it or for those alone who named themselves. Held up in the midst of an answer, it lets its beginning through.
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class HoldingProxy {
  readonly #server: Server
  readonly #sockets = new Map<Socket, Pair>()
  /** Bytes of answers that still go through, by who is held up; empty: everybody goes. */
  readonly #held = new Map<string, number>()
  #port = 0

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<HoldingProxy> {
    const server = createServer({ noDelay: true })
    const proxy = new HoldingProxy(server)
    server.on('connection', socket => proxy.#join(socket))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Where it leads; known only once that listens. */
  leadTo(port: number): void {
    this.#port = port
  }

  /** `who`: as its first request names it (User-Agent); empty: everybody. `bytes` of answers go through before. */
  hold(who: string, bytes: number): void {
    this.#held.set(who, bytes)
    if (bytes === 0) for (const [socket, pair] of this.#sockets) if (this.#isHeld(pair)) socket.pause()
  }

  letGo(who: string): void {
    this.#held.delete(who)
    for (const [socket, pair] of this.#sockets) if (!this.#isHeld(pair)) socket.resume()
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets.keys()) socket.destroy()
  }

  #join(near: Socket): void {
    const far = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
    const pair: Pair = { who: '' }
    near.once('data', (chunk: Buffer) => {
      pair.who = /^user-agent: (?:vitrine-edge\/)?(\S+)/im.exec(chunk.toString('latin1'))?.[1] ?? ''
    })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.set(from, pair)
      from.on('data', (chunk: Buffer) => this.#pass(chunk, { from, to, pair, isAnswer: from === far }))
      from.on('end', () => to.end())
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      if (this.#held.get('') === 0) from.pause()
    }
  }

  #pass(chunk: Buffer, { from, to, pair, isAnswer }: Passage): void {
    const who = this.#held.has('') ? '' : pair.who
    const left = this.#held.get(who)
    if (left === undefined || (!isAnswer && left > 0)) {
      to.write(chunk)
      return
    }
    const passed = chunk.subarray(0, left)
    if (passed.length > 0) to.write(passed)
    this.#held.set(who, left - passed.length)
    if (passed.length === chunk.length) return
    // Paused first: what is put back would come again at once.
    this.hold(who, 0)
    from.pause()
    from.unshift(chunk.subarray(passed.length))
  }

  #isHeld({ who }: Pair): boolean {
    return this.#held.get('') === 0 || this.#held.get(who) === 0
  }
}

interface Pair {
  who: string
}

interface Passage {
  readonly from: Socket
  readonly to: Socket
  readonly pair: Pair
  readonly isAnswer: boolean
}
