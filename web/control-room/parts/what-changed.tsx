// Owns what changed on a server, its host and the fleet: told by agents, scripts and people; operators can tell more.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { type MarkView, markView } from '#wire'
import { useClient, useMarks } from '../api/use-control-room.tsx'
import { Loading, Problem } from './answers.tsx'
import { Link } from './link.tsx'
import { Moment, ZoneSwitch } from './moment.tsx'

const SHOWN = 12
const TEXT_MAX = 512

const KINDS: Readonly<Record<MarkView['kind'], string>> = {
  deployment: 'deployment',
  note: 'note',
  version: 'version',
  package: 'package',
  kernel: 'kernel',
  parameter: 'kernel parameter',
  hardware: 'hardware',
  boot: 'boot',
  process: 'restart',
  configuration: 'configuration',
  certificate: 'certificate',
  'time-source': 'time source',
  recovered: 'recovered',
}

export function WhatChanged({
  server,
  mayTell,
}: {
  readonly server: string
  readonly mayTell: boolean
}): ReactNode {
  const marks = useMarks(server)
  const [all, setAll] = useState(false)
  const [telling, setTelling] = useState(false)
  const list = marks.data ?? []
  return (
    <section className="panel what-changed" aria-label="What changed">
      <header>
        <h2>What changed</h2>
        <ZoneSwitch />
        {mayTell && !telling ? (
          <button type="button" className="plain" onClick={() => setTelling(true)}>
            Note
          </button>
        ) : null}
      </header>
      {telling ? <NoteForm server={server} done={() => setTelling(false)} /> : null}
      {marks.data === undefined && marks.error !== null ? (
        <Problem error={marks.error} what="What changed" />
      ) : marks.data === undefined ? (
        <Loading what="what changed" />
      ) : list.length === 0 ? (
        <p className="quiet">Nothing has changed in the last week.</p>
      ) : (
        <ol className="changes">
          {list.slice(0, all ? list.length : SHOWN).map(mark => (
            <Change key={mark.id} mark={mark} />
          ))}
        </ol>
      )}
      <p className="what-differs">
        <Link href={`/diff?a=${encodeURIComponent(server)}`}>What differs from another server</Link>
      </p>
      {list.length > SHOWN ? (
        <button type="button" className="plain" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show all ${list.length}`}
        </button>
      ) : null}
    </section>
  )
}

function Change({ mark }: { readonly mark: MarkView }): ReactNode {
  const { at, kind, text, by, url, server } = mark
  return (
    <li>
      <Moment at={at} />
      <svg className="state-icon change-icon" viewBox="0 0 16 16" aria-hidden="true">
        <path d="M8 1.500 14.500 8 8 14.500 1.500 8z" />
      </svg>
      <p>
        <b>{KINDS[kind]}</b>
        {server === null ? ' of the whole fleet' : ''}
        <span>
          {url === null ? text : <a href={url}>{text}</a>}
          {by === 'agent' ? '' : ` (${by})`}
        </span>
      </p>
    </li>
  )
}

function NoteForm({ server, done }: { readonly server: string; readonly done: () => void }): ReactNode {
  const client = useClient()
  const cache = useQueryClient()
  const [text, setText] = useState('')
  const save = useMutation({
    mutationFn: () => client.post('/api/v1/marks', { kind: 'note', text: text.trim(), server }, markView),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['marks'] })
      done()
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (text.trim() !== '') save.mutate()
  }
  return (
    <form className="order-form about-form" onSubmit={submit}>
      <label>
        Note on {server}, now
        <input
          type="text"
          value={text}
          maxLength={TEXT_MAX}
          // The form opens by a click on its button: the next key belongs here.
          ref={input => input?.focus()}
          onChange={event => setText(event.target.value)}
          onKeyDown={event => (event.key === 'Escape' ? done() : undefined)}
        />
      </label>
      <div className="order-buttons">
        <button type="submit" className="solid" disabled={text.trim() === '' || save.isPending}>
          Save
        </button>
        <button type="button" className="plain" onClick={done}>
          Cancel
        </button>
      </div>
      {save.error === null ? null : (
        <p className="form-problem" role="alert">
          {save.error.message}
        </p>
      )}
    </form>
  )
}
