// Owns the faults of media: input that is not what its specification says, and values that cannot be written.
import { defineFaults, type FaultTable } from '#base'

type MediaFault =
  | 'media-hls-unreadable'
  | 'media-hls-unwritable'
  | 'media-mp4-truncated'
  | 'media-mp4-invalid'
  | 'media-mp4-limit'
  | 'media-mp4-unsupported'
  | 'media-cmaf-unwritable'
  | 'media-ts-invalid'

export const mediaFaults: FaultTable<MediaFault> = defineFaults('media', {
  'media-hls-unreadable': {
    status: 502,
    where: 'upstream',
    retry: false,
    help: 'A playlist does not follow RFC 8216bis: look at the line that is named, on the server that wrote it.',
  },
  'media-hls-unwritable': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'A value cannot stand in a playlist, for example a quotation mark in a name: report it as a bug.',
  },
  'media-mp4-truncated': {
    status: 422,
    where: 'upstream',
    retry: false,
    help: 'The file ends before a box that it announces: copy it again from where it came.',
  },
  'media-mp4-invalid': {
    status: 422,
    where: 'upstream',
    retry: false,
    help: 'The file contradicts ISO 14496-12 at the box that is named: write it again, for example with ffmpeg -i IN -c copy OUT.mp4.',
  },
  'media-mp4-limit': {
    status: 422,
    where: 'upstream',
    retry: false,
    help: 'The file is larger or deeper than the reader accepts: split it, or report it with the figure that is named.',
  },
  'media-mp4-unsupported': {
    status: 422,
    where: 'upstream',
    retry: false,
    help: 'The file is sound, but holds something that cannot be played over HLS: convert it, for example with ffmpeg -i IN -c:v libx264 -c:a aac OUT.mp4.',
  },
  'media-ts-invalid': {
    status: 502,
    where: 'upstream',
    retry: false,
    help: 'A segment is not an MPEG-2 transport stream: look at what the server answers at its URL.',
  },
  'media-cmaf-unwritable': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'A sample cannot be described in a CMAF fragment, for example a duration beyond 32 bits: report it as a bug.',
  },
})
