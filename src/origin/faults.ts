// Owns the faults of the origin: who may ask, what is there, and why a file cannot play.
import { defineFaults, type FaultTable } from '#base'

type OriginFault =
  | 'origin-credential-missing'
  | 'origin-method-refused'
  | 'origin-path-unknown'
  | 'origin-starting'
  | 'origin-title-unknown'
  | 'origin-title-broken'
  | 'origin-revision-gone'
  | 'origin-rendition-unknown'
  | 'origin-segment-unknown'
  | 'origin-file-unreadable'
  | 'origin-file-foreign'
  | 'origin-file-truncated'
  | 'origin-file-unplayable'
  | 'origin-publish-failed'
  | 'origin-busy'

export const originFaults: FaultTable<OriginFault> = defineFaults('origin', {
  'origin-credential-missing': {
    status: 401,
    where: 'downstream',
    retry: false,
    help: 'The origin serves media only to edges of its fleet: ask an edge, or check the edge token and that the control room has sent it to the origin.',
  },
  'origin-method-refused': {
    status: 405,
    where: 'downstream',
    retry: false,
    help: 'The origin answers GET and HEAD only.',
  },
  'origin-path-unknown': {
    status: 404,
    where: 'downstream',
    retry: false,
    help: 'The origin serves /vod/{title}/master.m3u8 and what that playlist names.',
  },
  'origin-starting': {
    status: 503,
    where: 'internal',
    retry: true,
    help: 'The origin has just started and is still reading its library: ask again in a second.',
  },
  'origin-title-unknown': {
    status: 404,
    where: 'downstream',
    retry: false,
    help: 'No file of the library has this id: look at the list of titles; ids follow from relative paths.',
  },
  'origin-title-broken': {
    status: 404,
    where: 'upstream',
    retry: false,
    help: 'The file behind this title cannot be played for the reason that is named: replace the file.',
  },
  'origin-revision-gone': {
    status: 404,
    where: 'downstream',
    retry: false,
    help: 'The file was replaced since this playlist was written: load the multivariant playlist again.',
  },
  'origin-rendition-unknown': {
    status: 404,
    where: 'downstream',
    retry: false,
    help: 'The title has no such rendition: load the multivariant playlist again.',
  },
  'origin-segment-unknown': {
    status: 404,
    where: 'downstream',
    retry: false,
    help: 'The rendition has no such segment: load the media playlist again.',
  },
  'origin-file-unreadable': {
    status: 503,
    where: 'upstream',
    retry: true,
    help: 'The operating system cannot read the file: check its permissions and the disk.',
  },
  'origin-file-foreign': {
    status: 422,
    where: 'upstream',
    retry: false,
    help: 'The file is no MP4, whatever its name says: convert it, for example with ffmpeg -i IN OUT.mp4.',
  },
  'origin-file-truncated': {
    status: 422,
    where: 'upstream',
    retry: false,
    help: 'The file ends too early, as after an interrupted copy: copy it again.',
  },
  'origin-file-unplayable': {
    status: 422,
    where: 'upstream',
    retry: false,
    help: 'The file holds nothing that can be played over HLS: convert it, for example with ffmpeg -i IN -c:v libx264 -c:a aac OUT.mp4.',
  },
  'origin-busy': {
    status: 503,
    where: 'internal',
    retry: true,
    help: 'More segments are asked for than the origin can send at a time: it passes by itself; if not, add cache to the edges or a faster disk.',
  },
  'origin-publish-failed': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'The file or folder cannot be published: check that it exists and that there is room in the data folder.',
  },
})
