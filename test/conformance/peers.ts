// Owns fetching peers (other people's programs) from Debian for comparison: downloaded and unpacked, never installed.
// It refuses to fail a test run: a peer that cannot be had is named with the reason, and its suite is skipped.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const PEERS_FOLDER = resolve(import.meta.dirname, '../../.cache/peers')
const DOWNLOAD_MS_MAX = 120_000 // the largest peer has 60 MB
const UNPACK_MS_MAX = 60_000

export type Peer = { readonly folder: string } | { readonly missing: string }

/**
 * Unpacks a Debian package and gives the folder that holds its files (`usr/bin/...`). Packages that it depends on
 * can be unpacked into the same folder by naming them in `more`; nothing is configured and no script is run.
 */
export async function fetchPeer(
  name: string,
  more: readonly string[] = [],
  folder = join(PEERS_FOLDER, [name, ...more].join('+')),
): Promise<Peer> {
  if (existsSync(folder)) return { folder }
  mkdirSync(PEERS_FOLDER, { recursive: true })
  const scratch = mkdtempSync(join(PEERS_FOLDER, '.fetch-'))
  try {
    await run('apt-get', ['download', name, ...more], { cwd: scratch, timeout: DOWNLOAD_MS_MAX })
    const unpacked = join(scratch, 'unpacked')
    for (const file of readdirSync(scratch).filter(entry => entry.endsWith('.deb'))) {
      await run('dpkg', ['-x', join(scratch, file), unpacked], { timeout: UNPACK_MS_MAX })
    }
    // Another run may have been quicker; its folder is as good as ours.
    if (!existsSync(folder)) renameSync(unpacked, folder)
    return { folder }
  } catch (error) {
    return { missing: `${name} cannot be fetched from Debian: ${reason(error)}` }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function reason(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
  const line = text.split('\n').find(part => part.startsWith('E:'))
  return line ?? (error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))
}
