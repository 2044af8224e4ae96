// Owns what this edge says of one answer and its connection (CTA-5006, CMSD-Dynamic): only what the kernel and this process
// know. It keeps a word for each connection, for a second; behind a proxy it says nothing of the way to the viewer.
import type { Socket } from 'node:net'
import type { CmsdDynamic } from '@svta/common-media-library/cmsd/CmsdDynamic'
import { encodeCmsdDynamic } from '@svta/common-media-library/cmsd/encodeCmsdDynamic'
import { tcpInfo } from '#base'
import { cmsdBytes } from '../cache/stored.ts'

/** The kernel is asked, and the text made, so often for one connection: 15 us. */
const KEPT_MS = 1000
/** A round trip that was measured on fewer segments is the handshake's. */
const MSS_MIN = 1
const KBPS_MAX = 1e9

export interface Path {
  readonly rttMs: number
  readonly kbps: number
}

/** CTA-5006, `etp`: what its congestion window lets through in a round trip. Null: the kernel does not say. */
export function pathOf(info: Buffer): Path | null {
  // struct tcp_info of linux/tcp.h: tcpi_snd_mss, tcpi_rtt (us), tcpi_snd_cwnd.
  const [mss, rttUs, window] = [info.readUInt32LE(16), info.readUInt32LE(68), info.readUInt32LE(80)]
  if (mss < MSS_MIN || rttUs === 0 || window === 0) return null
  const kbps = Math.min(KBPS_MAX, Math.round((8000 * window * mss) / rttUs))
  return { rttMs: Math.round(rttUs / 1000), kbps }
}

export interface SpeakerOptions {
  readonly edgeId: string
  /** What is seen of the connection is the proxy's. */
  readonly behindProxy: boolean
  /** Whether this edge should rather be left alone. */
  readonly underDuress: () => boolean
}

interface Said {
  readonly atMs: number
  readonly text: string
  /** The same, for heads of hits. */
  readonly bytes: Buffer
}

export class CmsdSpeaker {
  readonly #options: SpeakerOptions
  readonly #said = new WeakMap<Socket, Said>()

  constructor(options: SpeakerOptions) {
    this.#options = options
  }

  /** The field's value; `delayMs`: from the request to the first byte, where it had to be fetched. */
  say(socket: Socket, nowMs: number, delayMs: number | null = null): string {
    if (delayMs !== null) return this.#make(socket, { rd: Math.round(delayMs) })
    return this.#saidOf(socket, nowMs).text
  }

  /** The field's value of a hit, as it is stamped into a head. */
  sayBytes(socket: Socket, nowMs: number): Buffer {
    return this.#saidOf(socket, nowMs).bytes
  }

  #saidOf(socket: Socket, nowMs: number): Said {
    const known = this.#said.get(socket)
    if (known !== undefined && nowMs - known.atMs < KEPT_MS) return known
    const text = this.#make(socket, {})
    const said = { atMs: nowMs, text, bytes: cmsdBytes(text) }
    this.#said.set(socket, said)
    return said
  }

  #make(socket: Socket, own: { readonly rd?: number }): string {
    const { edgeId, behindProxy, underDuress } = this.#options
    const path = behindProxy ? null : pathOfSocket(socket)
    const params = {
      ...(path === null ? {} : { etp: path.kbps, rtt: path.rttMs }),
      ...own,
      ...(underDuress() ? { du: true } : {}),
    }
    // Its types want an item where its code wants the parameters (1.1).
    return encodeCmsdDynamic(edgeId, params as unknown as CmsdDynamic)
  }
}

function pathOfSocket(socket: Socket): Path | null {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null }
  const fd = handle?.fd ?? -1
  const info = fd < 0 ? null : tcpInfo(fd)
  return info === null ? null : pathOf(info)
}
