// Owns asking for a password: hidden on a terminal, or one line of standard input. It refuses an empty one.
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { cliFaults } from '../faults.ts'

const PASSWORD_BYTES_MAX = 1024

export async function readPassword(name: string, fromStdin: boolean): Promise<string> {
  if (fromStdin) return checked((await readStdin()).replace(/\r?\n$/, ''))
  if (!process.stdin.isTTY) {
    throw cliFaults.fault('cli-usage', 'no terminal to ask on; give the password with --password-stdin')
  }
  const first = checked(await ask(`Password for ${name}: `))
  if ((await ask('Once more: ')) !== first) throw cliFaults.fault('cli-usage', 'the two passwords differ')
  return first
}

function checked(password: string): string {
  if (password === '') throw cliFaults.fault('cli-usage', 'expected a password, got an empty line')
  if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX) {
    throw cliFaults.fault('cli-usage', `expected at most ${PASSWORD_BYTES_MAX} bytes of password`)
  }
  return password
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > PASSWORD_BYTES_MAX + 2) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Asks on standard error, so that standard output stays clean; what is typed is not shown. */
async function ask(question: string): Promise<string> {
  process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.question('', resolve)
      lines.once('SIGINT', () => reject(cliFaults.fault('cli-usage', 'interrupted')))
    })
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
