// Owns box headers and the walk over a box's children (ISO 14496-12 section 4.2). It refuses sizes that contradict
// their surroundings, too many children, and nesting that no real file has.
import { Cursor, printable } from './cursor.ts'

/** Children of one box: `moov` of a file with 100 tracks has about 110. */
export const CHILDREN_MAX = 4096
/** Deepest path that is read is moov/trak/mdia/minf/stbl/stsd/mp4a/wave/esds. */
export const DEPTH_MAX = 16

export interface BoxHeader {
  readonly type: string
  /** Header and payload; null: to the end of the file (size 0). */
  readonly bytes: number | null
  readonly headerBytes: number
}

/** Bytes of the longest header: 64-bit size and extended type. */
export const BOX_HEADER_BYTES_MAX = 32

/** Reads a header at the cursor, which is left behind it. Null when fewer bytes are left than a header has. */
export function readBoxHeader(cursor: Cursor): BoxHeader | null {
  const start = cursor.at
  if (cursor.left < 8) return null
  const size = cursor.u32()
  const type = cursor.fourcc()
  let bytes: number | null = size
  if (size === 0) bytes = null
  else if (size === 1) {
    if (cursor.left < 8) return null
    bytes = cursor.u64()
  }
  if (type === 'uuid') {
    if (cursor.left < 16) return null
    cursor.skip(16)
  }
  const headerBytes = cursor.at - start
  if (bytes !== null && bytes < headerBytes) {
    const message = `box ${printable(type)} announces ${bytes} bytes, its header alone has ${headerBytes}`
    throw cursor.fault('media-mp4-invalid', message, start)
  }
  return { type, bytes, headerBytes }
}

export interface Box {
  readonly type: string
  /** Over the payload. */
  readonly cursor: Cursor
  /** Position of the header in the view. */
  readonly start: number
  readonly end: number
}

/** Walks the boxes from the cursor to its end. Fewer than 8 bytes at the end are padding (QuickTime writes 4). */
export function* children(parent: Cursor): Generator<Box> {
  if (parent.path.split('/').length > DEPTH_MAX) {
    throw parent.fault('media-mp4-limit', `boxes nested deeper than ${DEPTH_MAX}`)
  }
  for (let count = 0; parent.left >= 8; count += 1) {
    if (count >= CHILDREN_MAX) throw parent.fault('media-mp4-limit', `more than ${CHILDREN_MAX} boxes in one`)
    const start = parent.at
    const header = readBoxHeader(parent)
    // Size 0 inside a box is QuickTime's terminator of a list.
    if (header === null || header.bytes === null) return
    const end = start + header.bytes
    if (end > parent.end) {
      const message = `box ${printable(header.type)} announces ${header.bytes} bytes, its parent has ${parent.end - start} left`
      throw parent.fault('media-mp4-truncated', message, start)
    }
    const path = `${parent.path}/${printable(header.type)}`
    yield {
      type: header.type,
      start,
      end,
      cursor: new Cursor(parent.view, path, parent.base, start + header.headerBytes, end),
    }
    parent.at = end
  }
}

/** The first child of each type, by type; for boxes that occur once. */
export function childMap(parent: Cursor): Map<string, Box> {
  const map = new Map<string, Box>()
  for (const box of children(parent)) if (!map.has(box.type)) map.set(box.type, box)
  return map
}

/** A child that must be there. */
export function required(boxes: ReadonlyMap<string, Box>, type: string, parent: Cursor): Cursor {
  const box = boxes.get(type)
  if (box === undefined) throw parent.fault('media-mp4-invalid', `${type} is missing`)
  return box.cursor
}

/** True for what ISO 14496-12, QuickTime or a fragmented file may begin with. */
export function isTopLevelType(type: string): boolean {
  return topLevelTypes.has(type)
}

const topLevelTypes: ReadonlySet<string> = new Set(
  'ftyp moov moof mdat free skip wide styp sidx ssix mfra meta pnot uuid prft emsg udta pdin junk'.split(' '),
)
