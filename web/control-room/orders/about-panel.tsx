// Owns what people say of a server (its tags), and taking it out of service for good.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { z } from 'zod'
import type { ServerTags, ServerView } from '#wire'
import { useClient } from '../api/use-control-room.tsx'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { capacityText, readCapacity } from './capacity.ts'

const FIELDS = [
  { key: 'name', label: 'Name', placeholder: 'shown instead of the id' },
  { key: 'provider', label: 'Provider', placeholder: 'ec2' },
  { key: 'instanceType', label: 'Instance type', placeholder: 'c7g.large' },
] as const

export interface AboutPanelProps {
  readonly server: ServerView
  readonly mayTag: boolean
  readonly mayRetire: boolean
}

export function AboutPanel({ server, mayTag, mayRetire }: AboutPanelProps): ReactNode {
  // A link that asks for a tag opens the form at once.
  const [chosen, setEditing] = useState<boolean | null>(null)
  const editing = chosen ?? (mayTag && location.hash === '#tags')
  const place = useRef<HTMLElement>(null)
  useEffect(() => {
    if (location.hash === '#tags') place.current?.scrollIntoView({ block: 'center' })
  }, [])
  const { tags } = server
  const told = [
    ...FIELDS.map(({ key, label }) => ({ label, text: tags[key] })),
    { label: 'Capacity', text: tags.capacityBps === undefined ? undefined : capacityText(tags.capacityBps) },
  ]
  return (
    <section className="panel about" aria-label="Tags" id="tags" ref={place}>
      <header>
        <h2>Tags</h2>
        {mayTag && !editing ? (
          <button
            type="button"
            className="plain"
            aria-label={`Edit the tags of ${server.id}`}
            onClick={() => setEditing(true)}
          >
            Edit
          </button>
        ) : null}
      </header>
      {editing ? (
        <TagsForm server={server} done={() => setEditing(false)} />
      ) : (
        <dl className="about-tags">
          {told.map(({ label, text }) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{text ?? <span className="quiet">not said</span>}</dd>
            </div>
          ))}
        </dl>
      )}
      {mayRetire ? <Retire server={server} /> : null}
    </section>
  )
}

function TagsForm({ server, done }: { readonly server: ServerView; readonly done: () => void }): ReactNode {
  const client = useClient()
  const cache = useQueryClient()
  const { tags } = server
  const [fields, setFields] = useState<Record<string, string>>({
    name: tags.name ?? '',
    provider: tags.provider ?? '',
    instanceType: tags.instanceType ?? '',
    capacity: tags.capacityBps === undefined ? '' : capacityText(tags.capacityBps),
  })
  const capacity = (fields['capacity'] ?? '').trim()
  const wrong = capacity !== '' && readCapacity(capacity) === null
  const save = useMutation({
    mutationFn: (next: ServerTags) =>
      client.put(`/api/v1/servers/${encodeURIComponent(server.id)}/tags`, next, z.unknown()),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['servers'] })
      done()
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (wrong) return
    const said = FIELDS.flatMap(({ key }) => {
      const text = (fields[key] ?? '').trim()
      return text === '' ? [] : [[key, text] as const]
    })
    const bps = readCapacity(capacity)
    save.mutate({ ...Object.fromEntries(said), ...(bps === null ? {} : { capacityBps: bps }) })
  }
  const set = (key: string, value: string): void => setFields(before => ({ ...before, [key]: value }))
  return (
    <form className="order-form about-form" onSubmit={submit}>
      {FIELDS.map(({ key, label, placeholder }) => (
        <label key={key}>
          {label}
          <input
            type="text"
            maxLength={64}
            value={fields[key] ?? ''}
            placeholder={placeholder}
            onChange={event => set(key, event.target.value)}
          />
        </label>
      ))}
      <label>
        Capacity of its line
        <input
          type="text"
          value={fields['capacity'] ?? ''}
          placeholder="800 Mb/s"
          aria-invalid={wrong}
          onChange={event => set('capacity', event.target.value)}
        />
      </label>
      {wrong ? (
        <p className="form-problem" role="alert">
          Expected a rate in bits, such as 800 Mb/s or 10 Gb/s.
        </p>
      ) : null}
      {save.error === null ? null : (
        <p className="form-problem" role="alert">
          {save.error.message}
        </p>
      )}
      <div className="order-buttons">
        <button type="submit" className="solid" disabled={wrong || save.isPending}>
          Save
        </button>
        <button type="button" className="plain" onClick={done}>
          Cancel
        </button>
      </div>
    </form>
  )
}

function Retire({ server }: { readonly server: ServerView }): ReactNode {
  const client = useClient()
  const cache = useQueryClient()
  const [, go] = useLocation()
  const { id, watching, role } = server
  const retire = useMutation({
    mutationFn: () => client.post(`/api/v1/servers/${encodeURIComponent(id)}/retire`, {}, z.unknown()),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['servers'] })
      go('/')
    },
  })
  const viewers =
    role !== 'edge' || watching === 0
      ? ''
      : ` ${watching === 1 ? 'One viewer watches' : `${watching} viewers watch`} through it now: drain it first.`
  return (
    <div className="retire">
      <ConfirmButton
        verb="Retire"
        what={id}
        warning={`For good: its credential ends at once, its history stays, and its id is not given again.${viewers}`}
        onConfirm={() => retire.mutate()}
      />
      {retire.error === null ? null : (
        <p className="form-problem" role="alert">
          {retire.error.message}
        </p>
      )}
    </div>
  )
}
