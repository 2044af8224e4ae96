// Owns the code that an operator puts into a page of his own to play a title: for plain <video> and for hls.js. Pure.
// It refuses to hang on one host: whichever entry host does not answer within three seconds is left for the next.

export const EMBED_HOSTS_MAX = 3
const ENTRY_MS = 3000

export type EmbedKind = 'hls.js' | 'video'

export interface EmbedOptions {
  readonly kind: EmbedKind
  readonly title: string
  /** Addresses of edges without a slash at the end, best first. */
  readonly hosts: readonly string[]
}

export function embedCode({ kind, title, hosts }: EmbedOptions): string {
  const id = `vitrine-${title}`
  const script = [
    `<video id="${attribute(id)}" controls playsinline></video>`,
    ...(kind === 'hls.js'
      ? ['<script src="/hls.min.js"></script> <!-- hls.js 1.5 or later, from your own site -->']
      : []),
    '<script>',
    '(() => {',
    `  const hosts = ${literal(hosts.slice(0, EMBED_HOSTS_MAX))}`,
    `  const video = document.getElementById(${literal(id)})`,
    `  const path = ${literal(`/play/${title}.m3u8`)}`,
    '  const sid = [0, 0].map(() => Math.random().toString(36).slice(2)).join("")',
    '  let next = 0',
    '  // The first host whose playlist comes within 3 s; after the last one it begins again.',
    '  async function entry() {',
    '    for (;;) {',
    '      const url = hosts[next++ % hosts.length] + path + "?sid=" + sid',
    '      try {',
    `        const answer = await fetch(url, { signal: AbortSignal.timeout(${ENTRY_MS}), cache: "no-store" })`,
    '        if (answer.ok && (await answer.text()).startsWith("#EXTM3U")) return answer.url',
    '      } catch {}',
    '      if (next % hosts.length === 0) await new Promise(done => setTimeout(done, 1000))',
    '    }',
    '  }',
    ...(kind === 'hls.js' ? hlsLines : videoLines),
    '  play()',
    '})()',
    '</script>',
  ]
  return script.join('\n')
}

/** Media elements that play HLS themselves tell of a lost network by `error`; a standstill by `waiting`. */
const videoLines: readonly string[] = [
  '  async function play() {',
  '    const at = video.currentTime',
  '    video.src = await entry()',
  '    if (at > 0) video.currentTime = at',
  '  }',
  '  video.addEventListener("error", () => setTimeout(play, 1000))',
]

/** While it plays, content steering chooses among edges; here only what hls.js itself gives up. */
const hlsLines: readonly string[] = [
  '  async function play() {',
  '    const url = await entry()',
  '    if (!window.Hls || !Hls.isSupported()) { video.src = url; return }',
  '    const hls = new Hls({ startPosition: video.currentTime || -1, cmcd: { sessionId: sid } })',
  '    hls.on(Hls.Events.ERROR, (_, error) => {',
  '      if (!error.fatal) return',
  '      if (error.type === Hls.ErrorTypes.MEDIA_ERROR) { hls.recoverMediaError(); return }',
  '      hls.destroy()',
  '      setTimeout(play, 1000)',
  '    })',
  '    hls.loadSource(url)',
  '    hls.attachMedia(video)',
  '  }',
]

/** A value inside a script of a page: nothing in it can end the script. */
function literal(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}

function attribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}

/** Edges for entry: those that take viewers, without a limited share first. At least two outlive one. */
export function entryHosts(
  servers: readonly {
    readonly role: string
    readonly url: string
    readonly weight: number | null
    readonly sharePercent: number | null
  }[],
): string[] {
  const edges = servers.filter(({ role, url }) => role === 'edge' && url !== '')
  const place = ({ weight, sharePercent }: (typeof edges)[number]): number =>
    (weight ?? 0) <= 0 ? 2 : (sharePercent ?? 100) < 100 ? 1 : 0
  return edges
    .toSorted((a, b) => place(a) - place(b))
    .map(({ url }) => url)
    .slice(0, EMBED_HOSTS_MAX)
}
