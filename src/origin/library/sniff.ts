// Owns saying what a file is that is no MP4, so that the reason helps the person who put it there.

const HEAD_BYTES_MIN = 12

/** How much of a file's start is looked at. */
export const SNIFF_BYTES = 512

/** Words for the start of a file, for example `a Matroska or WebM file`; null when nothing is recognised. */
export function sniff(head: Uint8Array): string | null {
  const ascii = String.fromCharCode(...head.subarray(0, 16))
  if (head[0] === 0x1a && head[1] === 0x45 && head[2] === 0xdf && head[3] === 0xa3) {
    return 'a Matroska or WebM file'
  }
  if (ascii.startsWith('RIFF')) return ascii.slice(8, 12) === 'AVI ' ? 'an AVI file' : 'a RIFF file'
  if (ascii.startsWith('FLV')) return 'a Flash video file'
  if (ascii.startsWith('OggS')) return 'an Ogg file'
  if (ascii.startsWith('ID3')) return 'an MP3 file'
  if (ascii.startsWith('fLaC')) return 'a FLAC file'
  if (ascii.startsWith('PK\u0003\u0004')) return 'a ZIP archive'
  if (ascii.startsWith('%PDF')) return 'a PDF document'
  if (ascii.startsWith('\u0089PNG')) return 'a PNG picture'
  if (head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return 'a JPEG picture'
  if (head[0] === 0x30 && head[1] === 0x26 && head[2] === 0xb2 && head[3] === 0x75) {
    return 'a Windows Media file'
  }
  if (head[0] === 0 && head[1] === 0 && head[2] === 1 && head[3] === 0xba) return 'an MPEG programme stream'
  if (head[0] === 0x47 && (head.length <= 188 || head[188] === 0x47)) return 'an MPEG transport stream'
  if (head.length > 0 && isText(head)) return 'a text file'
  if (head.length >= HEAD_BYTES_MIN && head.every(byte => byte === 0))
    return 'a file that holds only zeros at its start'
  return null
}

function isText(head: Uint8Array): boolean {
  // UTF-8 beyond ASCII is text as well; control characters other than tab and line ends are not.
  return head.every(byte => byte >= 0x80 || (byte >= 0x20 && byte !== 0x7f) || (byte >= 9 && byte <= 13))
}
