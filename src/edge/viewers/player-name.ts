// Owns the name of a player by its User-Agent: one of a few, so that it can be a label. Pure but for a small memory.

const KNOWN_MAX = 2048
const CHARACTERS_MAX = 256

/** The first that is found decides: browsers name each other. */
const names: readonly (readonly [part: string, name: string])[] = [
  ['vitrine-simulated-viewer', 'simulated'],
  ['VLC', 'vlc'],
  ['AppleCoreMedia', 'apple'],
  ['ExoPlayer', 'exoplayer'],
  ['AndroidXMedia3', 'exoplayer'],
  ['Roku', 'roku'],
  ['Tizen', 'tizen'],
  ['Web0S', 'webos'],
  ['Lavf/', 'ffmpeg'],
  ['mpv', 'mpv'],
  ['Kodi', 'kodi'],
  ['Edg/', 'edge'],
  ['Firefox/', 'firefox'],
  ['Chrome/', 'chrome'],
  ['CriOS/', 'chrome'],
  ['FxiOS/', 'firefox'],
  ['Safari/', 'safari'],
]

const known = new Map<string, string>()

/** Null: it told none. */
export function playerOf(userAgent: string | undefined): string | null {
  if (userAgent === undefined || userAgent === '') return null
  const text = userAgent.slice(0, CHARACTERS_MAX)
  const before = known.get(text)
  if (before !== undefined) return before
  const name = names.find(([part]) => text.includes(part))?.[1] ?? 'other'
  if (known.size >= KNOWN_MAX) known.clear()
  known.set(text, name)
  return name
}
