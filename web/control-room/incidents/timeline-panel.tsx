// Owns the timeline of an incident with people's notes, and what is passed on: its address, and all of it as a file.
import { type FormEvent, type ReactNode, useState } from 'react'
import { type IncidentAnswer, mayAct } from '#wire'
import { useFleetNow, useMe } from '../api/use-control-room.tsx'
import type { useAct } from '../api/use-incidents.ts'
import { Moment } from '../parts/moment.tsx'
import { NOTE_FIELD, typedNote } from './first-screen.ts'

const TEXT_MAX = 4000

export function Timeline({
  answer: { timeline, incident },
  act,
}: {
  readonly answer: IncidentAnswer
  readonly act: ReturnType<typeof useAct>
}): ReactNode {
  const { data: me } = useMe()
  const now = useFleetNow()
  const [text, setText] = useState(typedNote)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (text.trim() === '') return
    act.mutate({ verb: 'comment', body: { text: text.trim() } }, { onSuccess: () => setText('') })
  }
  return (
    <section className="panel incident-timeline" aria-label="Timeline">
      <header>
        <h2>Timeline</h2>
        <Share id={incident.id} />
      </header>
      {me === undefined || !mayAct(me.role, 'operator') ? null : (
        <form onSubmit={submit}>
          <label>
            <span className="visually-hidden">Note</span>
            <textarea
              id={NOTE_FIELD}
              rows={2}
              placeholder="A note for those who read this later"
              value={text}
              maxLength={TEXT_MAX}
              onChange={event => setText(event.target.value)}
            />
          </label>
          <button type="submit" className="plain" disabled={text.trim() === '' || act.isPending}>
            Note
          </button>
        </form>
      )}
      <ol>
        {timeline.toReversed().map(({ id, at, kind, by, text: what }, place) => (
          <li
            key={id === 0 ? `${kind} ${at} ${place}` : id}
            data-kind={kind}
            data-fresh={now !== null && now - at < 5000 ? '' : undefined}
          >
            <Moment at={at} />
            <span>
              <b>{kind.replaceAll('-', ' ')}</b> {what}
              {by === 'vitrine' || what.includes(by) ? null : <i> {by}</i>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}

function Share({ id }: { readonly id: string }): ReactNode {
  const [copied, setCopied] = useState<'no' | 'yes' | 'failed'>('no')
  const copy = (): void => {
    navigator.clipboard
      .writeText(location.href)
      .then(() => setCopied('yes'))
      .catch(() => setCopied('failed'))
  }
  return (
    <span className="incident-share">
      <button type="button" className="plain" onClick={copy}>
        {copied === 'yes' ? 'Copied' : copied === 'failed' ? 'Copy the address above' : 'Copy link'}
      </button>
      <a
        className="plain"
        href={`/api/v1/incidents/${encodeURIComponent(id)}/export.html`}
        download={`incident-${id}.html`}
      >
        Save as a file
      </a>
    </span>
  )
}
