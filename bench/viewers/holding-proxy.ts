// Owns a way that can be held up: a TCP proxy that passes bytes on at once, or not at all until it is let go.
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class HoldingProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #held = false
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

  hold(): void {
    this.#held = true
    for (const socket of this.#sockets) socket.pause()
  }

  letGo(): void {
    this.#held = false
    for (const socket of this.#sockets) socket.resume()
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #join(near: Socket): void {
    const far = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from)
      from.on('data', chunk => to.write(chunk))
      from.on('end', () => to.end())
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      if (this.#held) from.pause()
    }
  }
}
