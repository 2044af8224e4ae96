// Owns the bytes of the flight recorder: frames that carry their length and checksum, so that what a power cut tore
// is seen and left out. Pure.
import { crc32 } from 'node:zlib'
import { z } from 'zod'
import type { Labels } from '#base'

const HEAD_BYTES = 8
export const METRIC_NAME_LABEL = '__name__'
/** A pass of a busy server has some kilobytes. */
export const FRAME_BYTES_MAX: number = 1024 * 1024

export interface ProcessShare {
  readonly pid: number
  readonly name: string
  /** Of one core, over the time since the look before. */
  readonly cpu: number
  readonly residentBytes: number
}

/** One second. */
export interface RecorderRecord {
  /** The kernel's boot id: BOOTTIME counts from it. */
  readonly boot: string
  readonly bootMs: number
  /** Fleet time of the same moment; null: not known then. */
  readonly fleetMs: number | null
  /** The host's own opinion of the time, to see it step. */
  readonly wallMs: number
  /** Everything up to this BOOTTIME of this boot was taken by the control room. */
  readonly ackedMs: number | null
  /** Label sets that come for the first time in this file, with their numbers. */
  readonly labels: readonly (readonly [number, Labels])[]
  /** Numbers of label sets, and float64 values, little-endian, base64. */
  readonly series: string
  readonly values: string
  readonly top?: readonly ProcessShare[] | undefined
  readonly kernel?: readonly string[] | undefined
  /** Everything up to this BOOTTIME of this boot was taken of `top` and `kernel`. */
  readonly notesAckedMs?: number | null | undefined
  /** Of a second with `top`: whether the kernel's messages may be read here. */
  readonly kernelRead?: boolean | undefined
}

const record: z.ZodType<RecorderRecord> = z.object({
  boot: z.string(),
  bootMs: z.number(),
  fleetMs: z.number().nullable(),
  wallMs: z.number(),
  ackedMs: z.number().nullable(),
  labels: z.array(z.tuple([z.int(), z.record(z.string(), z.string())])),
  series: z.string(),
  values: z.string(),
  top: z
    .array(z.object({ pid: z.int(), name: z.string(), cpu: z.number(), residentBytes: z.number() }))
    .optional(),
  kernel: z.array(z.string()).optional(),
  notesAckedMs: z.number().nullable().optional(),
  kernelRead: z.boolean().optional(),
})

/** Length and CRC-32 of the JSON, then the JSON. */
export function writeFrame(value: RecorderRecord): Buffer {
  const body = Buffer.from(JSON.stringify(value))
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUInt32LE(body.length, 0)
  head.writeUInt32LE(crc32(body), 4)
  return Buffer.concat([head, body])
}

/** The whole frames of a file, in order; reading ends at the first that is torn or damaged. */
export function readFrames(bytes: Uint8Array): RecorderRecord[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records: RecorderRecord[] = []
  let at = 0
  while (at + HEAD_BYTES <= view.length) {
    const length = view.readUInt32LE(at)
    const end = at + HEAD_BYTES + length
    if (length === 0 || length > FRAME_BYTES_MAX || end > view.length) break
    const body = view.subarray(at + HEAD_BYTES, end)
    if (crc32(body) !== view.readUInt32LE(at + 4)) break
    const parsed = record.safeParse(parseJson(body))
    if (!parsed.success) break
    records.push(parsed.data)
    at = end
  }
  return records
}

/** By boot: up to which BOOTTIME the control room has taken everything. */
export function ackedByBoot(
  records: readonly Pick<RecorderRecord, 'boot' | 'ackedMs'>[],
): ReadonlyMap<string, number> {
  const acked = new Map<string, number>()
  for (const { boot, ackedMs } of records) {
    if (ackedMs !== null) acked.set(boot, Math.max(ackedMs, acked.get(boot) ?? 0))
  }
  return acked
}

/** The same of top processes and kernel messages. */
export function notesAckedByBoot(records: readonly RecorderRecord[]): ReadonlyMap<string, number> {
  return ackedByBoot(records.map(({ boot, notesAckedMs }) => ({ boot, ackedMs: notesAckedMs ?? null })))
}

export function packNumbers(numbers: readonly number[]): string {
  return Buffer.from(Uint32Array.from(numbers).buffer).toString('base64')
}

export function unpackNumbers(text: string): Uint32Array {
  const bytes = Buffer.from(text, 'base64')
  return new Uint32Array(aligned(bytes, 4))
}

export function packValues(values: Float64Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64')
}

export function unpackValues(text: string): Float64Array {
  const bytes = Buffer.from(text, 'base64')
  return new Float64Array(aligned(bytes, 8))
}

/** A copy at its own beginning, without the bytes that make no whole number. */
function aligned(bytes: Buffer, size: number): ArrayBuffer {
  const whole = bytes.length - (bytes.length % size)
  return Uint8Array.from(bytes.subarray(0, whole)).buffer
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return null
  }
}
