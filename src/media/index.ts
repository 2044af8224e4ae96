// The door of media: MP4 in, CMAF and HLS out. Pure: bytes in, values out; no files, sockets, timers or clocks.
export { mediaFaults } from './faults.ts'
export type {
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
