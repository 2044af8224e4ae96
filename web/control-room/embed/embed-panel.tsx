// Owns the panel with a title's embed code: for which player, the code, and a button that copies it.
import { type ReactNode, useState } from 'react'
import { useServers } from '../api/use-control-room.tsx'
import { type EmbedKind, embedCode, entryHosts } from './embed-code.ts'
import './embed.css'

const KINDS: readonly { readonly id: EmbedKind; readonly text: string }[] = [
  { id: 'hls.js', text: 'hls.js' },
  { id: 'video', text: 'Plain <video>' },
]

export function EmbedPanel({ title, name }: { readonly title: string; readonly name: string }): ReactNode {
  const servers = useServers()
  const [kind, setKind] = useState<EmbedKind>('hls.js')
  const [done, setDone] = useState('')
  const hosts = entryHosts(servers.data ?? [])
  if (hosts.length === 0) {
    return <p className="quiet">There is no edge yet whose address the code could name.</p>
  }
  const code = embedCode({ kind, title, hosts })
  const copy = (): void => {
    // Off loopback and without TLS browsers have no clipboard.
    const { clipboard } = navigator as { readonly clipboard?: Clipboard }
    const writing = clipboard?.writeText(code) ?? Promise.reject(new Error('no clipboard'))
    writing.then(() => setDone('Copied')).catch(() => setDone('Select and copy it by hand'))
  }
  return (
    <section className="embed" aria-label={`Embed ${name}`}>
      <header>
        <div className="segments" role="group" aria-label="Player">
          {KINDS.map(({ id, text }) => (
            <button key={id} type="button" aria-pressed={kind === id} onClick={() => setKind(id)}>
              {text}
            </button>
          ))}
        </div>
        <button type="button" className="solid" onClick={copy}>
          Copy the code
        </button>
        <span role="status">{done}</span>
      </header>
      <pre tabIndex={0} aria-label="Code to paste into a page">
        {code}
      </pre>
      <p className="quiet">
        {hosts.length === 1
          ? 'It names one entry host, the only edge there is: while that one is away, nobody begins to watch.'
          : `It begins at the first of ${hosts.length} entry hosts and tries the next after 3 s.`}
        {kind === 'video' ? ' For browsers that play HLS themselves: Safari, iOS, most televisions.' : ''}
      </p>
    </section>
  )
}
