// Owns the first step of a new edge: where it stands, what it is called, what its line carries, until when it may join.
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import type { z } from 'zod'
import { type JoinStringRequest, joinStringMade } from '#wire'
import { useClient } from '../api/use-control-room.tsx'
import { readCapacity } from '../orders/capacity.ts'
import { addressProblem } from './check-words.ts'

export type Made = z.infer<typeof joinStringMade>

const EXPIRIES = [
  { seconds: 3600, words: 'one hour' },
  { seconds: 21_600, words: '6 hours' },
  { seconds: 86_400, words: 'one day' },
  { seconds: 604_800, words: 'one week' },
] as const

const FIELDS = [
  {
    key: 'region',
    label: 'Region',
    placeholder: 'sa-east',
    hint: 'where it stands; viewers of that region prefer it',
  },
  { key: 'name', label: 'Name', placeholder: 'Sao Paulo 1', hint: 'shown instead of its id; may be changed' },
  { key: 'provider', label: 'Provider', placeholder: 'ec2', hint: 'tag, for comparing' },
  { key: 'instanceType', label: 'Instance type', placeholder: 'c7g.large', hint: 'tag, for comparing' },
  { key: 'capacity', label: 'Capacity of its line', placeholder: '800 Mb/s', hint: 'in bits a second' },
  {
    key: 'address',
    label: 'Address for viewers',
    placeholder: 'https://sa-east.example.org',
    hint: 'goes into the line; the machine may say it itself',
  },
] as const
type Key = (typeof FIELDS)[number]['key']

export interface InviteFormProps {
  readonly regions: readonly string[]
  readonly onMade: (made: Made, address: string) => void
}

export function InviteForm({ regions, onMade }: InviteFormProps): ReactNode {
  const client = useClient()
  const [fields, setFields] = useState<Partial<Record<Key, string>>>({})
  const [expires, setExpires] = useState<number>(EXPIRIES[0].seconds)
  const of = (key: Key): string => (fields[key] ?? '').trim()
  const problems: Partial<Record<Key, string>> = {
    ...(of('capacity') !== '' && readCapacity(of('capacity')) === null
      ? { capacity: 'Expected a rate in bits, such as 800 Mb/s or 10 Gb/s.' }
      : {}),
    ...(addressProblem(of('address')) === null ? {} : { address: addressProblem(of('address')) ?? '' }),
  }
  const isReady = of('region') !== '' && Object.keys(problems).length === 0
  const make = useMutation({
    mutationFn: (request: JoinStringRequest) => client.post('/api/v1/join-strings', request, joinStringMade),
    onSuccess: made => onMade(made, of('address')),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (isReady) make.mutate(requestOf(of, expires))
  }
  return (
    <form className="order-form invite-form" onSubmit={submit}>
      <div className="invite-fields">
        {FIELDS.map(({ key, label, placeholder, hint }) => (
          <label key={key}>
            {label}
            <input
              type="text"
              required={key === 'region'}
              maxLength={key === 'address' ? 256 : 64}
              list={key === 'region' ? 'known-regions' : undefined}
              value={fields[key] ?? ''}
              placeholder={placeholder}
              aria-invalid={problems[key] !== undefined}
              onChange={event => setFields(before => ({ ...before, [key]: event.target.value }))}
            />
            <small
              role={problems[key] === undefined ? undefined : 'alert'}
              data-wrong={problems[key] !== undefined}
            >
              {problems[key] ?? hint}
            </small>
          </label>
        ))}
        <datalist id="known-regions">
          {regions.map(region => (
            <option key={region} value={region} />
          ))}
        </datalist>
      </div>
      <div className="invite-end">
        <label>
          The line works for
          <select value={expires} onChange={event => setExpires(Number(event.target.value))}>
            {EXPIRIES.map(({ seconds, words }) => (
              <option key={seconds} value={seconds}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" className="solid" disabled={!isReady || make.isPending}>
          Make the line
        </button>
      </div>
      {make.error === null ? null : (
        <p className="form-problem" role="alert">
          {make.error.message}
        </p>
      )}
    </form>
  )
}

function requestOf(of: (key: Key) => string, expiresInS: number): JoinStringRequest {
  const capacityBps = readCapacity(of('capacity'))
  const told = (['name', 'provider', 'instanceType'] as const).flatMap(key =>
    of(key) === '' ? [] : [[key, of(key)] as const],
  )
  const tags = { ...Object.fromEntries(told), ...(capacityBps === null ? {} : { capacityBps }) }
  return { role: 'edge', region: of('region'), tags, expiresInS, admission: true }
}
