// Owns what of a recording's top processes and kernel messages the control room never took. Pure.
import { notesAckedByBoot, type ProcessShare, type RecorderRecord } from './frame.ts'

/** One second in which there was something to tell. */
export interface PendingNote {
  /** BOOTTIME of this boot; null: of an earlier one, which `stampMs` places. */
  readonly bootMs: number | null
  /** Fleet time; null: not known then. */
  readonly stampMs: number | null
  readonly top?: readonly ProcessShare[] | undefined
  readonly kernel?: readonly string[] | undefined
  readonly kernelRead: boolean
}

/** `files` in the order in which they were written. Seconds that nothing can place in time are left out. */
export function recallNotes(files: readonly (readonly RecorderRecord[])[], boot: string): PendingNote[] {
  const acked = notesAckedByBoot(files.flat())
  let kernelRead = false
  return files.flat().flatMap(record => {
    kernelRead = record.kernelRead ?? (kernelRead || record.kernel !== undefined)
    const { top, kernel, bootMs, fleetMs } = record
    const isThisBoot = record.boot === boot
    if (top === undefined && kernel === undefined) return []
    if (bootMs <= (acked.get(record.boot) ?? Number.NEGATIVE_INFINITY)) return []
    if (!isThisBoot && fleetMs === null) return []
    return [{ bootMs: isThisBoot ? bootMs : null, stampMs: fleetMs, top, kernel, kernelRead }]
  })
}
