// Owns receivers for tests: a real HTTP server that records and misbehaves on demand, and a real SMTP server on a socket.
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net'

export interface Received {
  readonly path: string
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly atMs: number
}

export type Behaviour = 'takes' | 'hangs' | 'fails' | 'redirects' | 'refuses' | 'drips' | 'busy'

export class RecordingReceiver {
  readonly received: Received[] = []
  behaviour: Behaviour = 'takes'
  readonly #server: Server
  readonly #held = new Set<ServerResponse>()

  constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const body = Buffer.concat(parts).toString('utf8')
        const { url = '', method = '', headers } = request
        this.received.push({ path: url, method, headers, body, atMs: performance.now() })
        this.#answer(response)
      })
    })
  }

  async start(): Promise<this> {
    await new Promise<void>(resolve => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>(resolve => {
      this.#server.close(() => resolve())
    })
  }

  #answer(response: ServerResponse): void {
    switch (this.behaviour) {
      case 'takes':
        response.writeHead(202, { 'content-type': 'application/json' })
        response.end('{"status":"success","message":"Event processed"}')
        break
      case 'hangs':
        this.#held.add(response)
        break
      case 'drips':
        response.writeHead(200)
        setInterval(() => response.write('.'), 50).unref()
        break
      case 'fails':
        response.writeHead(500)
        response.end('out of order')
        break
      case 'busy':
        response.writeHead(429, { 'retry-after': '3600' })
        response.end()
        break
      case 'refuses':
        response.writeHead(400)
        response.end('{"errors":["routing_key is not valid"]}')
        break
      case 'redirects':
        response.writeHead(302, { location: 'https://elsewhere.example.org/' })
        response.end()
        break
      default:
        this.behaviour satisfies never
    }
  }
}

export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  readonly headers: string
  readonly text: string
}

/** As much of RFC 5321 as a sender needs. */
export class SmtpServer {
  readonly mails: Mail[] = []
  /** Instead of 250 after the message. */
  answer = '250 2.0.0 queued'
  readonly #server: TcpServer
  readonly #sockets = new Set<Socket>()

  constructor() {
    this.#server = createTcpServer(socket => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => undefined)
      this.#talk(socket)
    })
  }

  async start(): Promise<this> {
    await new Promise<void>(resolve => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    return this
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>(resolve => {
      this.#server.close(() => resolve())
    })
  }

  #talk(socket: Socket): void {
    const say = (line: string): void => {
      socket.write(`${line}\r\n`)
    }
    let rest = ''
    let from = ''
    let to: string[] = []
    let data: string[] | null = null
    const take = (line: string): void => {
      if (data !== null) {
        if (line !== '.') {
          data.push(line.startsWith('.') ? line.slice(1) : line)
          return
        }
        const end = data.indexOf('')
        const mail = {
          from,
          to,
          headers: data.slice(0, end).join('\n'),
          text: data.slice(end + 1).join('\n'),
        }
        data = null
        if (this.answer.startsWith('250')) this.mails.push(mail)
        say(this.answer)
        return
      }
      const [verb = ''] = line.toUpperCase().split(/[ :]/)
      if (verb === 'MAIL') [from, to] = [addressIn(line), []]
      if (verb === 'RCPT') to = [...to, addressIn(line)]
      if (verb === 'DATA') data = []
      say(verb === 'DATA' ? '354 go on' : verb === 'QUIT' ? '221 bye' : '250 ok')
      if (verb === 'QUIT') socket.end()
    }
    say('220 test ESMTP')
    socket.on('data', chunk => {
      const lines = `${rest}${chunk.toString('utf8')}`.split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) take(line)
    })
  }
}

function addressIn(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? ''
}
