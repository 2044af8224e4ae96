// Owns walking a folder for files that may be titles. It follows links but no loops, and stops at its limits.
import type { Dirent, Stats } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** As many as one message to the control room may name. */
export const FILES_MAX = 20_000
const DEPTH_MAX = 16
/** Folders that one scan opens. */
const FOLDERS_MAX = 5000

/** Read as MP4. */
const readable = new Set(['mp4', 'm4v', 'mov', 'qt', 'm4a', '3gp', '3g2'])
/** Listed with a reason, so that nobody waits for them. */
const foreign = new Set('mkv webm avi ts m2ts mts flv wmv asf mpg mpeg vob ogv rm rmvb divx'.split(' '))

export interface FoundFile {
  readonly path: string
  /** Below the scanned folder, with `/`. */
  readonly relativePath: string
  readonly bytes: number
  readonly mtimeMs: number
  readonly inode: number
}

export interface Scan {
  /** Ascending by relative path. */
  readonly files: readonly FoundFile[]
  readonly folders: readonly string[]
  /** Set when a limit was reached and files were left out. */
  readonly limit: string | null
}

/** True for names that are looked at: no hidden files, no unfinished copies, extensions of video. */
export function isCandidate(name: string): boolean {
  if (name.startsWith('.') || name.endsWith('.part')) return false
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase()
  return readable.has(extension) || foreign.has(extension)
}

/** Walks `root`; what cannot be read is as if it were not there. */
export async function scanFolder(root: string): Promise<Scan> {
  const walk = {
    files: [] as FoundFile[],
    folders: [] as string[],
    seen: new Set<string>(),
    limit: null as string | null,
  }
  await walkFolder(root, '', 0, walk)
  walk.files.sort((a, b) => (a.relativePath < b.relativePath ? -1 : 1))
  return walk
}

interface Walk {
  files: FoundFile[]
  folders: string[]
  /** Device and inode of each folder: a link to one that was walked leads nowhere. */
  seen: Set<string>
  limit: string | null
}

async function walkFolder(folder: string, prefix: string, depth: number, walk: Walk): Promise<void> {
  const entries = await enter(folder, depth, walk)
  for (const entry of entries) {
    if (walk.limit !== null) return
    if (entry.name.startsWith('.')) continue
    const path = join(folder, entry.name)
    const relativePath = `${prefix}${entry.name}`
    const mayBeFolder = entry.isDirectory() || entry.isSymbolicLink()
    if (!mayBeFolder && !(entry.isFile() && isCandidate(entry.name))) continue
    if (entry.isDirectory()) {
      await walkFolder(path, `${relativePath}/`, depth + 1, walk)
      continue
    }
    const found = (await statOrNull(path)) ?? unnamable(entry)
    if (found === null) continue
    if (found === 'unnamable') {
      walk.files.push({ path, relativePath, bytes: 0, mtimeMs: 0, inode: 0 })
      continue
    }
    if (found.isDirectory()) await walkFolder(path, `${relativePath}/`, depth + 1, walk)
    else if (found.isFile() && isCandidate(entry.name)) {
      if (walk.files.length >= FILES_MAX) {
        walk.limit = `more than ${FILES_MAX} files`
        return
      }
      const { size, mtimeMs, ino } = found
      walk.files.push({ path, relativePath, bytes: size, mtimeMs, inode: ino })
    }
  }
}

/** Names that are not UTF-8 (old disks have Latin-1) come with U+FFFD in them, and lead nowhere: they are listed. */
function unnamable(entry: Dirent): 'unnamable' | null {
  return entry.isFile() && isCandidate(entry.name) && entry.name.includes('\uFFFD') ? 'unnamable' : null
}

async function enter(folder: string, depth: number, walk: Walk): Promise<Dirent[]> {
  if (depth > DEPTH_MAX) return []
  const self = await statOrNull(folder)
  if (self === null || !self.isDirectory()) return []
  const key = `${self.dev}:${self.ino}`
  if (walk.seen.has(key)) return []
  if (walk.seen.size >= FOLDERS_MAX) {
    walk.limit = `more than ${FOLDERS_MAX} folders`
    return []
  }
  walk.seen.add(key)
  walk.folders.push(folder)
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    // In a fixed order, so that limits cut the same files each time.
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch {
    return []
  }
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await stat(path)
  } catch {
    return null
  }
}
