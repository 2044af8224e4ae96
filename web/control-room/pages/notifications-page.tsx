// Owns who is told of incidents: receivers and how they stand, routes and on-call lists in words, the heartbeat, and the
// log of what was sent. An admin may send a test.
import { type UseQueryResult, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import {
  type DeliveryView,
  deliveriesAnswer,
  mayAct,
  type NotificationsAnswer,
  notificationsAnswer,
  type ReceiverView,
  testAnswer,
} from '#wire'
import { useClient, useMe } from '../api/use-control-room.tsx'
import { deliveryWords, KIND_WORDS, REASON_WORDS, receiverWords } from '../notify/delivery-words.ts'
import { Watcher } from '../notify/watcher.tsx'
import { Empty, Loading, Problem } from '../parts/answers.tsx'
import { Moment, ZoneSwitch } from '../parts/moment.tsx'
import '../notify/notify.css'

const EVERY_MS = 2_000
const SHOWN = 100

function useNotifications(): UseQueryResult<NotificationsAnswer> {
  const client = useClient()
  return useQuery({
    queryKey: ['notifications'],
    queryFn: ({ signal }) => client.get('/api/v1/notifications', notificationsAnswer, signal),
    refetchInterval: EVERY_MS,
  })
}

export function NotificationsPage(): ReactNode {
  const { data, error } = useNotifications()
  return (
    <div className="page">
      <header className="page-head">
        <h1>Notifications</h1>
        <p className="quiet">
          Who is told of incidents, and what became of it. <ConfigLine config={data?.config} /> Times in{' '}
          <ZoneSwitch />
        </p>
      </header>
      {data === undefined ? (
        error === null ? (
          <Loading what="the receivers" />
        ) : (
          <Problem error={error} what="The receivers" />
        )
      ) : (
        <>
          <Refused config={data.config} />
          <Receivers answer={data} />
          {data.heartbeat === null ? null : <HeartbeatLine heartbeat={data.heartbeat} />}
          <Watcher watcher={data.watcher} />
          <Routes answer={data} />
          <OnCall answer={data} />
        </>
      )}
      {/* Below what is above it: a log that came first would be pushed away. */}
      {data === undefined && error === null ? null : <Deliveries />}
    </div>
  )
}

type Config = NotificationsAnswer['config']

function ConfigLine({ config }: { readonly config: Config | undefined }): ReactNode {
  if (config === undefined || config.file === null)
    return 'Set in the configuration, below control.notify, and read at the start.'
  return (
    <>
      Set below control.notify in <code>{config.file}</code>, in force since <Moment at={config.loadedAt} />.
    </>
  )
}

/** Said where nobody overlooks it: whoever changed the file takes it for done. */
function Refused({ config: { problem } }: { readonly config: Config }): ReactNode {
  if (problem === null) return null
  return (
    <section className="panel notify-refused" role="alert">
      <h2>The configuration was changed and refused: what is below goes on</h2>
      <p>{problem}</p>
    </section>
  )
}

function Receivers({ answer: { receivers } }: { readonly answer: NotificationsAnswer }): ReactNode {
  const client = useClient()
  const cache = useQueryClient()
  const me = useMe()
  const test = useMutation({
    mutationFn: (name: string) =>
      client.post(`/api/v1/receivers/${encodeURIComponent(name)}/test`, {}, testAnswer),
    onSettled: () => cache.invalidateQueries({ queryKey: ['deliveries'] }),
  })
  if (receivers.length === 0) {
    return (
      <Empty title="Nobody is told">
        <p>
          No receiver is configured: incidents stand on these pages alone. The configuration takes mail, chat,
          PagerDuty, webhooks and Alertmanagers.
        </p>
      </Empty>
    )
  }
  const admin = me.data !== undefined && mayAct(me.data.role, 'admin')
  return (
    <section className="alert-group" aria-label="Receivers">
      <h2>
        Receivers <span>{receivers.length}</span>
      </h2>
      {test.error === null ? null : (
        <p className="form-problem" role="alert">
          {test.error.message}
        </p>
      )}
      <ul className="notify-list">
        {receivers.map(receiver => (
          <Receiver
            key={receiver.name}
            receiver={receiver}
            test={admin ? () => test.mutate(receiver.name) : null}
          />
        ))}
      </ul>
    </section>
  )
}

interface ReceiverProps {
  readonly receiver: ReceiverView
  readonly test: (() => void) | null
}

function Receiver({ receiver, test }: ReceiverProps): ReactNode {
  const { name, kind, to, person, personKnown, quiet, waiting, lastSentAt, problem } = receiver
  const { word, tone } = receiverWords(receiver)
  return (
    <li className="notify-row">
      <span className="state-badge" data-tone={tone}>
        {word}
      </span>
      <div>
        <h3>
          {name}{' '}
          <span>
            {KIND_WORDS[kind]} to {to}
          </span>
        </h3>
        <p className="notify-dim">
          {person === null ? '' : `Of ${person}. `}
          {personKnown ? '' : 'There is no such user: the links in its messages open nothing. '}
          {quiet ? '' : 'Only what rings. '}
          {lastSentAt === null ? (
            'Nothing was sent yet.'
          ) : (
            <>
              Last sent <Moment at={lastSentAt} />.
            </>
          )}
          {waiting === 0 ? '' : ` ${waiting} waiting.`}
        </p>
        {problem === null ? null : <p data-tone="unreachable">{problem}</p>}
      </div>
      <span className="notify-side">
        {test === null ? null : (
          <button type="button" className="plain" aria-label={`Send a test to ${name}`} onClick={test}>
            Send a test
          </button>
        )}
      </span>
    </li>
  )
}

function HeartbeatLine({
  heartbeat: { to, everySeconds, lastSuccessAt, problem },
}: {
  readonly heartbeat: NonNullable<NotificationsAnswer['heartbeat']>
}): ReactNode {
  const tone = problem === null ? (lastSuccessAt === null ? 'resting' : 'healthy') : 'unreachable'
  return (
    <section className="alert-group" aria-label="Heartbeat">
      <h2>Dead man’s switch</h2>
      <ul className="notify-list">
        <li className="notify-row">
          <span className="state-badge" data-tone={tone}>
            {problem === null ? (lastSuccessAt === null ? 'not yet' : 'taken') : 'not taken'}
          </span>
          <div>
            <h3>
              {to} <span>each {everySeconds} s</span>
            </h3>
            <p className="notify-dim">
              {lastSuccessAt === null ? (
                'It has taken no heartbeat since the start.'
              ) : (
                <>
                  Last taken <Moment at={lastSuccessAt} />.
                </>
              )}
            </p>
            {problem === null ? null : <p data-tone="unreachable">{problem}</p>}
          </div>
        </li>
      </ul>
    </section>
  )
}

function Routes({ answer: { routes, receivers } }: { readonly answer: NotificationsAnswer }): ReactNode {
  if (receivers.length === 0) return null
  return (
    <section className="alert-group" aria-label="Routes">
      <h2>Routes</h2>
      {routes.length === 0 ? (
        <p className="quiet">There is no route: no incident reaches these receivers.</p>
      ) : (
        <ol className="notify-list">
          {routes.map(({ when, does }, index) => (
            // Their order is what they are.
            // biome-ignore lint/suspicious/noArrayIndexKey: a route has no other name
            <li key={index} className="notify-row">
              <span className="notify-dim">{index + 1}</span>
              <div>
                <h3>{when}</h3>
                <ul className="notify-then">
                  {does.map(words => (
                    <li key={words}>{words}</li>
                  ))}
                </ul>
              </div>
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}

function OnCall({ answer: { onCall } }: { readonly answer: NotificationsAnswer }): ReactNode {
  if (onCall.length === 0) return null
  return (
    <section className="alert-group" aria-label="On call">
      <h2>On call</h2>
      <ul className="notify-list">
        {onCall.map(({ list, person, receivers, until, next }) => (
          <li key={list} className="notify-row">
            <span className="notify-dim">{list}</span>
            <div>
              <h3>
                {person} <span>by {receivers.join(', ')}</span>
              </h3>
              <p className="notify-dim">
                Until <Moment at={until} />, then {next}
              </p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Deliveries(): ReactNode {
  const client = useClient()
  const { data, error } = useQuery({
    queryKey: ['deliveries'],
    queryFn: ({ signal }) => client.get(`/api/v1/deliveries?limit=${SHOWN}`, deliveriesAnswer, signal),
    refetchInterval: EVERY_MS,
  })
  return (
    <section className="alert-group" aria-label="Log">
      <h2>Log</h2>
      {data === undefined ? (
        error === null ? (
          <Loading what="the log" />
        ) : (
          <Problem error={error} what="The log" />
        )
      ) : data.deliveries.length === 0 ? (
        <p className="quiet">Nothing was sent yet.</p>
      ) : (
        <ul className="notify-list">
          {data.deliveries.map(delivery => (
            <Delivery key={delivery.id} delivery={delivery} />
          ))}
        </ul>
      )}
    </section>
  )
}

function Delivery({ delivery }: { readonly delivery: DeliveryView }): ReactNode {
  const { at, receiver, incident, reason, rings, state, attempts, nextTryAt, problem, answer } = delivery
  const { word, tone } = deliveryWords(state)
  return (
    <li className="notify-row">
      <span className="state-badge" data-tone={tone}>
        {word}
      </span>
      <div>
        <h3>
          {receiver}{' '}
          <span>
            {REASON_WORDS[reason]}
            {incident === null ? '' : `, incident ${incident}`}
            {rings ? ', rings' : ''}
          </span>
        </h3>
        {problem === null ? null : <p>{problem}</p>}
        {state === 'sent' && answer !== null ? <p className="notify-dim">It answered: {answer}</p> : null}
        {state === 'failed' || attempts > 1 ? (
          <p className="notify-dim">
            {attempts} {attempts === 1 ? 'attempt' : 'attempts'}
            {nextTryAt === null ? null : (
              <>
                , next at <Moment at={nextTryAt} />
              </>
            )}
          </p>
        ) : null}
      </div>
      <span className="notify-side">
        <Moment at={at} />
      </span>
    </li>
  )
}
