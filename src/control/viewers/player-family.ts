// Owns the closed set of players that metrics tell apart.
export const playerFamilies = [
  'vitrine',
  'hls.js',
  'shaka',
  'dash.js',
  'video.js',
  'exoplayer',
  'safari',
  'vlc',
  'ffmpeg',
  'simulated',
  'other',
  'unknown',
] as const
export type PlayerFamily = (typeof playerFamilies)[number]

const SIGNS: readonly [RegExp, PlayerFamily][] = [
  [/vitrine/i, 'vitrine'],
  [/simulated/i, 'simulated'],
  [/hls\.?js/i, 'hls.js'],
  [/shaka/i, 'shaka'],
  [/dash\.?js/i, 'dash.js'],
  [/video\.?js|vhs/i, 'video.js'],
  [/exoplayer|media3/i, 'exoplayer'],
  [/vlc/i, 'vlc'],
  [/ffmpeg|lavf|mpv/i, 'ffmpeg'],
  [/safari|applecoremedia|avplayer/i, 'safari'],
]

/** Whatever a player calls itself; null: it did not say. */
export function playerFamily(name: string | null): PlayerFamily | null {
  if (name === null || name === '') return null
  return SIGNS.find(([sign]) => sign.test(name))?.[1] ?? 'other'
}
