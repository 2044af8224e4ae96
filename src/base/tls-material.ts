// Owns the certificates that a listener shows: files that are read again when they change, and a second certificate
// for those who ask by a private name. It refuses a key that does not fit: the one before stays in use.
import { readFileSync, type Stats, unwatchFile, watchFile } from 'node:fs'
import type { Server as TlsServer } from 'node:https'
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls'
import { messageOf } from './fault.ts'
import { baseFaults } from './faults.ts'
import type { Closable } from './lifecycle.ts'

export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

/** For clients of our own fleet. Shown to everybody when there are no other files. */
export interface PrivateTls {
  /** One PEM file with key and certificates, so that both change in one moment. */
  readonly file: string
  /** Names that end so are asked for by our own clients (SNI). */
  readonly suffix: string
}

/** Renewals come every few weeks, by rename, symlink or rewriting: looking at the files works for all of them. */
const LOOK_EVERY_MS = 5000

export interface TlsMaterial extends Closable {
  readonly options: TlsOptions
  /** From now on changed files are taken over by this server. */
  serve(this: void, server: TlsServer, onChange: (file: string, problem: string | null) => void): void
}

export function readTlsMaterial(files: TlsFiles | undefined, own: PrivateTls | undefined): TlsMaterial {
  const shown = files ?? (own === undefined ? undefined : { certFile: own.file, keyFile: own.file })
  if (shown === undefined) throw new TypeError('TLS without a certificate')
  const pair = readPair(shown)
  let ownContext: SecureContext | null = own === undefined ? null : createSecureContext(readOwn(own))
  const closing: (() => void)[] = []
  const watch = (file: string, reload: () => void): void => {
    const look = (now: Stats, before: Stats): void => {
      if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino) reload()
    }
    watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, look)
    closing.push(() => unwatchFile(file, look))
  }
  return {
    options: {
      ...pair,
      SNICallback: (servername, callback) => {
        const isOwn = own !== undefined && servername.endsWith(own.suffix)
        // Without a context the server's own one is taken, which follows the files.
        callback(null, isOwn && ownContext !== null ? ownContext : undefined)
      },
    },
    serve: (server, onChange) => {
      const reload = (): void => {
        try {
          server.setSecureContext(readPair(shown))
          if (own !== undefined) ownContext = createSecureContext(readOwn(own))
          onChange(shown.certFile, null)
        } catch (error) {
          onChange(shown.certFile, messageOf(error))
        }
      }
      for (const file of new Set([shown.certFile, shown.keyFile, own?.file ?? shown.keyFile]))
        watch(file, reload)
    },
    close: () => {
      for (const stop of closing) stop()
    },
  }
}

function readPair({ certFile, keyFile }: TlsFiles): { cert: Buffer; key: Buffer } {
  try {
    const pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) }
    createSecureContext(pair) // throws when the two do not belong together
    return pair
  } catch (error) {
    const message = `cannot listen over TLS with ${certFile} and ${keyFile}: ${messageOf(error)}`
    throw baseFaults.fault('base-listen-failed', message, { cause: error })
  }
}

function readOwn({ file }: PrivateTls): { cert: Buffer; key: Buffer } {
  return readPair({ certFile: file, keyFile: file })
}
