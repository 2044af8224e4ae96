// Owns finding out, before anything is started, whether every port can be listened on.
import { createServer } from 'node:net'
import { type Fault, type ListenOptions, listenFault } from '#base'
import { cliFaults } from '../faults.ts'

export interface PortUse {
  readonly who: string
  readonly listen: ListenOptions
}

/** Throws one fault with one line: the ports that are taken and who wanted them, or the first other problem. */
export async function checkPorts(uses: readonly PortUse[]): Promise<void> {
  const probed = await Promise.all(uses.map(async use => ({ use, fault: await probe(use) })))
  const other = probed.find(({ fault }) => fault !== null && fault.code !== 'base-listen-port-taken')
  if (other?.fault) throw cliFaults.fault('cli-ports-taken', `${other.use.who}: ${other.fault.message}`)
  const taken = probed.filter(({ fault }) => fault !== null).map(({ use }) => use)
  if (taken.length === 0) return
  const ports = taken.map(({ who, listen }) => `${listen.port} (${who})`).join(', ')
  const what = taken.length === 1 ? `port ${ports} is` : `ports ${ports} are`
  const message = `${what} taken by another program; stop it, or move all ports with --port-base N`
  throw cliFaults.fault('cli-ports-taken', message)
}

async function probe({ listen }: PortUse): Promise<Fault | null> {
  return await new Promise(resolve => {
    const server = createServer()
    server.once('error', error => resolve(listenFault(listen, error)))
    server.listen({ host: listen.host, port: listen.port, exclusive: true }, () => {
      server.close(() => resolve(null))
    })
  })
}
