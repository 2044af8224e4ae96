// Owns finding out, before anything is started, whether every port can be listened on.
import { createServer } from 'node:net'
import { type ListenOptions, listenFault } from '#base'
import { cliFaults } from '../faults.ts'

export interface PortUse {
  readonly who: string
  readonly listen: ListenOptions
}

/** Throws one fault whose message has a line for each port that is not free. */
export async function checkPorts(uses: readonly PortUse[]): Promise<void> {
  const problems = (await Promise.all(uses.map(probe))).filter(problem => problem !== null)
  if (problems.length > 0) throw cliFaults.fault('cli-ports-taken', problems.join('\n'))
}

async function probe({ who, listen }: PortUse): Promise<string | null> {
  return await new Promise(resolve => {
    const server = createServer()
    server.once('error', error => resolve(`${who}: ${listenFault(listen, error).message}`))
    server.listen({ host: listen.host, port: listen.port, exclusive: true }, () => {
      server.close(() => resolve(null))
    })
  })
}
