// The door of media: MP4 in, CMAF and HLS out. Pure: bytes in, values out; no files, sockets, timers or clocks.

export { type FragmentSamples, fragmentHeadBytes, writeFragmentHead } from './cmaf/write-fragment.ts'
export { type InitTrack, writeInit } from './cmaf/write-init.ts'
export { mediaFaults } from './faults.ts'
export type {
  ByteRange,
  ContentSteering,
  MediaPlaylist,
  MediaSegment,
  MultivariantPlaylist,
  Rendition,
  RenditionType,
  Variant,
  VideoRange,
} from './hls/playlist.ts'
export { readMedia } from './hls/read-media.ts'
export { readMultivariant } from './hls/read-multivariant.ts'
export { targetDurationS, writeMedia } from './hls/write-media.ts'
export { writeMultivariant } from './hls/write-multivariant.ts'
export {
  BOX_HEADER_BYTES_MAX,
  type BoxHeader,
  isTopLevelType,
  readBoxHeader,
} from './mp4/box.ts'
export { Cursor, printable } from './mp4/cursor.ts'
export type { Edit, Movie, SkippedTrack, Track, TrackKind } from './mp4/movie.ts'
export { FragmentReader, MOOF_BYTES_MAX } from './mp4/read-fragment.ts'
export { MOOV_BYTES_MAX, readMovie } from './mp4/read-movie.ts'
export {
  compositionTicksOf,
  decodeTicksOf,
  expandRange,
  presentationTicksOf,
  repeatedSample,
  type SampleRange,
  type SampleTable,
  sampleAtDecode,
  syncAtOrAfter,
  tableBytes,
} from './mp4/sample-table.ts'
export { readSegmentSpans, readTrackTimes, type SegmentSpan, type TrackTime } from './mp4/segment-span.ts'
export { readTsSpan, type TsReading, type TsSpan } from './ts/read-ts-span.ts'
