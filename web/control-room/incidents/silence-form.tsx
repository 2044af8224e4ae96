// Owns the form of a new silence: matchers, how long or on which days, why; and beside it what it would cover now.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { silencePreview, silenceView } from '#wire'
import { useClient } from '../api/use-control-room.tsx'
import { useDo } from '../api/use-incidents.ts'
import {
  DAYS,
  isWhole,
  type Matcher,
  OPERATORS,
  type Operator,
  operatorOf,
  requestOf,
  type SilenceForm,
  withOperator,
} from './silence-words.ts'

const LENGTHS = [
  { name: '30 min', minutes: 30 },
  { name: '2 h', minutes: 120 },
  { name: '8 h', minutes: 480 },
  { name: '24 h', minutes: 1440 },
  { name: '7 days', minutes: 10_080 },
] as const
/** A window of a day is as long as a day at most. */
const DAY_MINUTES = 1440
const MATCHERS_MAX = 20
const EMPTY: Matcher = { name: '', value: '', isRegex: false, isEqual: true }
const LABELS = ['alertname', 'instance', 'region', 'severity', 'job'] as const

export function SilenceFormPanel({ matchers: given, comment: why }: Prefilled): ReactNode {
  const client = useClient()
  const cache = useQueryClient()
  const [form, setForm] = useState<SilenceForm>(() => ({
    matchers: given.length === 0 ? [EMPTY] : given,
    minutes: 120,
    comment: why,
    weekdays: [],
    from: '23:00',
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  }))
  const [isWeekly, setWeekly] = useState(false)
  const change = (part: Partial<SilenceForm>): void => setForm({ ...form, ...part })
  const make = useDo(async () => {
    const now = client.clock.at(performance.now())
    if (now === null) throw new Error('The control room has not answered yet.')
    const request = requestOf(isWeekly ? form : { ...form, weekdays: [] }, Math.floor(now))
    await client.post('/api/v1/silences', request, silenceView)
    setForm({ ...form, matchers: [EMPTY], comment: '', weekdays: [] })
    await cache.invalidateQueries({ queryKey: ['silences'] })
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    make.mutate()
  }
  const ready =
    isWhole(form.matchers) && form.comment.trim() !== '' && (!isWeekly || form.weekdays.length > 0)
  return (
    <section className="panel silence-new" aria-label="New silence">
      <h2>New silence</h2>
      <form onSubmit={submit}>
        <Matchers matchers={form.matchers} onChange={matchers => change({ matchers })} />
        <div className="silence-when">
          <fieldset>
            <legend>When</legend>
            <div className="segments">
              <button type="button" aria-pressed={!isWeekly} onClick={() => setWeekly(false)}>
                Once, from now
              </button>
              <button
                type="button"
                aria-pressed={isWeekly}
                onClick={() => {
                  setWeekly(true)
                  change({ minutes: Math.min(form.minutes, DAY_MINUTES) })
                }}
              >
                Each week
              </button>
            </div>
          </fieldset>
          <label>
            For
            <select value={form.minutes} onChange={event => change({ minutes: Number(event.target.value) })}>
              {LENGTHS.filter(({ minutes }) => !isWeekly || minutes <= DAY_MINUTES).map(
                ({ name, minutes }) => (
                  <option key={minutes} value={minutes}>
                    {name}
                  </option>
                ),
              )}
            </select>
          </label>
        </div>
        {isWeekly ? <Weekly form={form} change={change} /> : null}
        <label>
          Why
          <input
            required
            maxLength={512}
            placeholder="what is being done, for those who see it later"
            value={form.comment}
            onChange={event => change({ comment: event.target.value })}
          />
        </label>
        <Preview matchers={form.matchers} />
        {make.error === null ? null : (
          <p className="form-problem" role="alert">
            {make.error.message}
          </p>
        )}
        <button type="submit" className="solid" disabled={!ready || make.isPending}>
          Silence
        </button>
        <p className="quiet" role="status">
          {make.isSuccess ? 'It is silenced.' : ''}
        </p>
      </form>
    </section>
  )
}

interface Prefilled {
  readonly matchers: readonly Matcher[]
  readonly comment: string
}

function Matchers({
  matchers,
  onChange,
}: {
  readonly matchers: readonly Matcher[]
  readonly onChange: (matchers: readonly Matcher[]) => void
}): ReactNode {
  const set = (place: number, part: Matcher): void => onChange(matchers.with(place, part))
  return (
    <fieldset className="silence-matchers">
      <legend>Alerts whose labels match all of these</legend>
      <datalist id="silence-labels">
        {LABELS.map(name => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {matchers.map((matcher, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row has no name of its own while it is typed
        <div key={place}>
          <input
            aria-label={`Label ${place + 1}`}
            placeholder="label"
            list="silence-labels"
            autoCapitalize="none"
            spellCheck={false}
            value={matcher.name}
            onChange={event => set(place, { ...matcher, name: event.target.value })}
          />
          <select
            aria-label={`How label ${place + 1} matches`}
            value={operatorOf(matcher)}
            onChange={event => set(place, withOperator(matcher, event.target.value as Operator))}
          >
            {OPERATORS.map(operator => (
              <option key={operator}>{operator}</option>
            ))}
          </select>
          <input
            aria-label={`Value of label ${place + 1}`}
            placeholder={matcher.isRegex ? 'pattern (RE2)' : 'value'}
            autoCapitalize="none"
            spellCheck={false}
            value={matcher.value}
            onChange={event => set(place, { ...matcher, value: event.target.value })}
          />
          {matchers.length === 1 ? null : (
            <button
              type="button"
              className="plain"
              aria-label={`Remove label ${place + 1}`}
              onClick={() => onChange(matchers.toSpliced(place, 1))}
            >
              ×
            </button>
          )}
        </div>
      ))}
      {matchers.length < MATCHERS_MAX ? (
        <button type="button" className="plain" onClick={() => onChange([...matchers, EMPTY])}>
          Another label
        </button>
      ) : null}
    </fieldset>
  )
}

function Weekly({
  form: { weekdays, from, zone },
  change,
}: {
  readonly form: SilenceForm
  readonly change: (part: Partial<SilenceForm>) => void
}): ReactNode {
  return (
    <div className="silence-when">
      <fieldset>
        <legend>On</legend>
        <div className="silence-days">
          {[1, 2, 3, 4, 5, 6, 0].map(day => (
            <label key={day}>
              <input
                type="checkbox"
                checked={weekdays.includes(day)}
                onChange={({ target: { checked } }) =>
                  change({
                    weekdays: checked
                      ? [...weekdays, day].toSorted((a, b) => a - b)
                      : weekdays.filter(one => one !== day),
                  })
                }
              />
              {DAYS[day]?.slice(0, 3)}
            </label>
          ))}
        </div>
      </fieldset>
      <label>
        From
        <input type="time" required value={from} onChange={event => change({ from: event.target.value })} />
      </label>
      <label>
        Zone
        <input
          required
          maxLength={64}
          value={zone}
          spellCheck={false}
          onChange={event => change({ zone: event.target.value })}
        />
      </label>
    </div>
  )
}

/** Asked again as the fields change, and as alerts come and go. */
function Preview({ matchers }: { readonly matchers: readonly Matcher[] }): ReactNode {
  const client = useClient()
  const look = useQuery({
    queryKey: ['silence-preview', matchers],
    queryFn: () => client.post('/api/v1/silences/preview', { matchers }, silencePreview),
    enabled: isWhole(matchers),
    refetchInterval: 5_000,
    placeholderData: before => before,
  })
  if (!isWhole(matchers)) return <p className="silence-preview">Name a label and its value.</p>
  if (look.error !== null)
    return (
      <p className="silence-preview form-problem" role="alert">
        {look.error.message}
      </p>
    )
  if (look.data === undefined) return <p className="silence-preview">Looking…</p>
  const { covered, firing, alerts } = look.data
  return (
    <div className="silence-preview" aria-live="polite">
      <p>
        <b>
          {covered === 0
            ? 'Covers nothing that fires now'
            : `Covers ${covered} of ${firing} firing ${firing === 1 ? 'alert' : 'alerts'}`}
        </b>
      </p>
      <ul>
        {alerts.slice(0, 8).map(({ labels, summary }) => (
          <li key={JSON.stringify(labels)}>
            <b>{labels['alertname']}</b> {labels['instance'] ?? ''} <span className="quiet">{summary}</span>
          </li>
        ))}
        {covered > 8 ? <li className="quiet">and {covered - 8} more</li> : null}
      </ul>
    </div>
  )
}
