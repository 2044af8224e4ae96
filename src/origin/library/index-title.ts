// Owns turning a file into a title: open, read the index, plan, and say what it is or why it cannot play.
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { Fault, messageOf } from '#base'
import type { Movie } from '#media'
import type { TitleReport } from '#wire'
import { originFaults } from '../faults.ts'
import { planTitle, type RenditionPlan, type TitlePlan } from '../packager/plan.ts'
import { bitRates, isVideo, shownSize } from '../packager/playlists.ts'
import { readTitleFile } from './read-title-file.ts'

/** Part of every revision: a change of how segments are made gives them new addresses. */
const PACKAGING = 'vitrine-2'

/** What tells one state of a file from another. */
export interface FileFacts {
  readonly bytes: number
  readonly mtimeMs: number
  readonly inode: number
}

export type IndexedTitle =
  | {
      readonly kind: 'ready'
      readonly facts: FileFacts
      readonly revision: string
      readonly plan: TitlePlan
      /** What of the file does not play, in words; null: all of it does. */
      readonly note: string | null
    }
  | { readonly kind: 'broken'; readonly facts: FileFacts; readonly reason: string; readonly code: string }

/** Opens and indexes a file. It throws only what is a fault of ours; a bad file is a value. */
export async function indexTitle(path: string, facts: FileFacts): Promise<IndexedTitle> {
  try {
    const handle = await openTitle(path, facts)
    try {
      const { movie, indexHash } = await readTitleFile(handle, facts.bytes)
      refuseUnplayable(movie)
      const plan = await planTitle(movie, () => setImmediate())
      const revision = createHash('sha256')
        .update(`${PACKAGING}\n${facts.bytes}\n${facts.mtimeMs}\n${indexHash}`)
        .digest('hex')
        .slice(0, 16)
      const note = noteOf(movie, plan)
      return { kind: 'ready', facts, revision, plan, note }
    } finally {
      await handle.close()
    }
  } catch (thrown) {
    return { kind: 'broken', facts, ...reasonOf(thrown) }
  }
}

/** Opens a file and makes sure that it is still the one that was indexed. */
export async function openTitle(path: string, facts: FileFacts): Promise<FileHandle> {
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    if (code === 'ENOENT' && path.includes('\uFFFD')) {
      throw originFaults.fault('origin-file-unplayable', 'the name of the file is not UTF-8: rename it')
    }
    if (code === 'ENOENT' || code === 'ENOTDIR') throw gone(error)
    const message = `the file cannot be read: ${messageOf(error)}`
    throw originFaults.fault('origin-file-unreadable', message, { cause: error })
  }
  try {
    await checkUnchanged(handle, facts)
    return handle
  } catch (thrown) {
    await handle.close()
    throw thrown
  }
}

/** Throws `origin-revision-gone` when the open file is no longer what was indexed. */
export async function checkUnchanged(handle: FileHandle, facts: FileFacts): Promise<void> {
  const { size, mtimeMs, ino } = await handle.stat()
  if (size !== facts.bytes || mtimeMs !== facts.mtimeMs || ino !== facts.inode) throw gone()
}

/** The title as it is told to the control room. */
export function reportOf(
  named: Pick<TitleReport, 'id' | 'name' | 'class'>,
  title: IndexedTitle,
): TitleReport {
  if (title.kind === 'broken') {
    const reason = title.reason.slice(0, 1024)
    return { ...named, state: 'broken', reason, durationMs: null, revision: null, renditions: [] }
  }
  return {
    ...named,
    state: 'ready',
    reason: title.note === null ? null : `plays in part: ${title.note}`.slice(0, 1024),
    durationMs: title.plan.durationS * 1000,
    revision: title.revision,
    renditions: title.plan.renditions.map(renditionReport),
  }
}

function renditionReport(plan: RenditionPlan): TitleReport['renditions'][number] {
  const size = isVideo(plan) ? shownSize(plan) : null
  return {
    id: plan.id,
    kind: plan.placed.track.kind,
    codecs: plan.placed.track.entry.codec.slice(0, 128),
    width: size?.width ?? null,
    height: size?.height ?? null,
    bitrateBps: bitRates(plan).average,
  }
}

/** Sound that no browser but Safari plays. */
const RARE_SOUND: Readonly<Record<string, string>> = {
  'ac-3': 'AC-3',
  'ec-3': 'E-AC-3',
  alac: 'ALAC',
  'mp4a.6b': 'MP3',
  'mp4a.69': 'MP3',
}

/** What somebody may miss, in words; null: nothing. */
function noteOf(movie: Movie, { renditions }: TitlePlan): string | null {
  const skipped = movie.skipped.find(track => !track.still)
  if (skipped !== undefined) return skipped.reason
  const sounds = renditions.filter(plan => !isVideo(plan)).map(({ placed }) => placed.track.entry.codec)
  const rare = sounds.map(codec => RARE_SOUND[codec])
  const [first] = rare
  if (first !== undefined && !rare.includes(undefined)) {
    return `its sound is ${first}, which Chromium and Firefox do not play here; convert it with -c:v copy -c:a aac`
  }
  const leftOut = Math.max(0, ...renditions.map(({ placed }) => placed.leftOut))
  if (leftOut === 0) return null
  return `it has open GOPs, so ${leftOut} pictures at key frames are left out, for browsers to seek; encode it with -flags +cgop`
}

function refuseUnplayable(movie: Movie): void {
  const wanted = movie.skipped.filter(track => !track.still)
  const reasons = [...new Set(wanted.map(track => track.reason))].join('; ')
  const lostVideo =
    wanted.some(({ kind }) => kind === 'video') && !movie.tracks.some(({ kind }) => kind === 'video')
  if (movie.tracks.some(({ table }) => table.count > 0) && !lostVideo) return
  const message = reasons === '' ? 'the file holds neither video nor sound' : reasons
  throw originFaults.fault('origin-file-unplayable', message)
}

function reasonOf(thrown: unknown): { reason: string; code: string } {
  if (!(thrown instanceof Fault))
    return { reason: `the file cannot be read: ${messageOf(thrown)}`, code: 'unexpected' }
  const damaged = thrown.code === 'media-mp4-invalid' || thrown.code === 'media-mp4-truncated'
  return { reason: damaged ? `the file is damaged: ${thrown.message}` : thrown.message, code: thrown.code }
}

function gone(cause?: unknown): Error {
  const message = 'the file was changed or removed since it was indexed'
  return originFaults.fault('origin-revision-gone', message, { cause })
}
