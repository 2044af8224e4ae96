import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type NoticeMessage, textLines, titleWords } from '#receivers'
import { notifyConfig } from '#wire'
import { type Route, readMatcher, routesFor } from './label-route.ts'
import { whenWords } from './notification-view.ts'
import { turnAt } from './on-call.ts'
import { readOwnWords, wordsOf } from './own-words.ts'
import { namesAt, planNotify } from './plan.ts'

const hook = { url: 'https://hooks.example.org/x', secret: 'not-so-secret' }
const at = (text: string): number => Date.parse(text)

describe('routes', () => {
  const route = (matchers: readonly string[], more: Partial<Route> = {}): Route => ({
    index: 0,
    receivers: ['a'],
    continue: false,
    groupSeconds: 0,
    escalation: [],
    ...more,
    matchers: matchers.map(text => readMatcher(text, 'test')),
  })

  it('take the first that fits, and go on only where it says so', () => {
    const routes = [
      route(['severity="info"'], { receivers: ['never'] }),
      route(['region=~"eu-.*"'], { receivers: ['first'], continue: true }),
      route([], { receivers: ['second'] }),
      route([], { receivers: ['third'] }),
    ]
    const taken = routesFor(routes, [{ severity: 'critical', region: 'eu-west' }])
    expect(taken.flatMap(({ receivers }) => receivers)).toEqual(['first', 'second'])
  })

  it('say on the page which incidents are left for each', () => {
    const routes = [
      route(['region="eu"'], { continue: true }),
      route([], { continue: true }),
      route(['severity="info"']),
      route([]),
      route(['job="edge"']),
    ]
    expect(routes.map((one, place) => whenWords(one, routes.slice(0, place)))).toEqual([
      'region="eu"',
      'every incident',
      'severity="info"',
      'every other incident',
      'none: a route before it takes every incident',
    ])
  })

  it('want all matchers to hold for one and the same alert', () => {
    const both = route(['region="eu"', 'job="edge"'])
    expect(
      routesFor(
        [both],
        [
          { region: 'eu', job: 'origin' },
          { region: 'us', job: 'edge' },
        ],
      ),
    ).toEqual([])
    expect(routesFor([both], [{ region: 'eu', job: 'edge' }])).toHaveLength(1)
  })

  it('take a label that is missing for the empty text, and anchor patterns, as Prometheus does', () => {
    expect(readMatcher('team=""', 'test').matches({})).toBe(true)
    expect(readMatcher('team!="x"', 'test').matches({})).toBe(true)
    expect(readMatcher('team=~"x"', 'test').matches({ team: 'axb' })).toBe(false)
    expect(readMatcher("team!~'a.*'", 'test').matches({ team: 'axb' })).toBe(false)
    expect(readMatcher('text="say \\"hi\\"\\n"', 'test').matches({ text: 'say "hi"\n' })).toBe(true)
  })

  it('refuse what is no matcher and patterns that RE2 refuses, with the place', () => {
    for (const text of ['', 'severity', '="x"', 'a="b" c="d"', '1a="b"', 'a=~"("', 'a=~"(?=x)"'])
      expect(() => readMatcher(text, 'route 3'), text).toThrow(/route 3/)
  })

  it('never fall over whatever text is given', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), text => {
        try {
          readMatcher(text, 'here').matches({ a: 'b' })
        } catch (error) {
          expect(String(error)).toContain('here')
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('an on-call list', () => {
  const list = notifyConfig.parse({
    onCall: [
      {
        name: 'first',
        zone: 'Europe/Vienna',
        from: '2026-10-05',
        hour: 9,
        people: ['ada', 'bo', 'cy'].map(name => ({ name, receivers: [`${name}-mail`] })),
        swaps: { '2026-10-19': 'ada' },
      },
    ],
  }).onCall[0]
  if (list === undefined) throw new Error('no list')

  it('hands over at its hour of its zone, also over a change of summer time', () => {
    expect(turnAt(list, at('2026-10-05T06:59:59Z')).person).toBe('cy') // 08:59 CEST
    expect(turnAt(list, at('2026-10-05T07:00:00Z')).person).toBe('ada')
    expect(turnAt(list, at('2026-10-12T07:00:00Z')).person).toBe('bo')
    // 25 October 2026: clocks go back; the next 09:00 is 08:00 UTC.
    expect(turnAt(list, at('2026-10-26T07:59:59Z')).person).toBe('ada')
    expect(turnAt(list, at('2026-10-26T08:00:00Z')).person).toBe('ada')
    expect(turnAt(list, at('2026-10-20T12:00:00Z')).until).toBe(at('2026-10-26T08:00:00Z'))
  })

  it('knows swaps, and who is next', () => {
    expect(turnAt(list, at('2026-10-20T12:00:00Z'))).toMatchObject({ person: 'ada', next: 'ada' })
    expect(turnAt(list, at('2026-10-12T12:00:00Z'))).toMatchObject({ person: 'bo', next: 'ada' })
  })

  it('has somebody at any time', () => {
    fc.assert(
      fc.property(fc.integer({ min: at('2000-01-01'), max: at('2060-01-01') }), moment => {
        const turn = turnAt(list, moment)
        expect(turn.until).toBeGreaterThan(moment)
        expect(turn.until - moment).toBeLessThanOrEqual(7 * 86_400_000 + 3_600_000)
      }),
      { numRuns: 200 },
    )
  })
})

describe('a configuration', () => {
  const plan = (value: unknown, environment = {}): ReturnType<typeof planNotify> =>
    planNotify(notifyConfig.parse(value), environment)

  it('is refused with the place where it is wrong', () => {
    const a = { name: 'a', webhook: hook }
    const wrong: readonly [unknown, RegExp][] = [
      [{ receivers: [{ name: 'a' }] }, /receiver a has 0 of/],
      [{ receivers: [{ ...a, slack: { url: 'https://x.example' } }] }, /receiver a has 2 of/],
      [{ receivers: [a, a] }, /receiver a is there twice/],
      [{ receivers: [a], routes: [{ receivers: ['b'] }] }, /route 1: b does not exist; there is a/],
      [{ receivers: [a], routes: [{ receivers: ['on-call:x'] }] }, /on-call:x does not exist/],
      [{ receivers: [a], routes: [{ matchers: ['x'], receivers: ['a'] }] }, /route 1: "x" is no matcher/],
      [{ zone: 'Mars/Olympus' }, /Mars\/Olympus is no time zone/],
      [{ receivers: [{ name: 'a', slack: { url: 'file:///etc/passwd' } }] }, /receiver a: url is no http/],
      [{ receivers: [{ name: 'a', slack: { url: { env: 'NOT_THERE' } } }] }, /NOT_THERE is not set/],
      [{ receivers: [{ name: 'a', slack: { url: { file: '/not/there' } } }] }, /receiver a: url: ENOENT/],
      [{ templates: { title: '{{ .Nope | frob }}' } }, /templates.title/],
      [
        {
          receivers: [
            { name: 'a', email: { to: 'a@b.org', from: 'c@d.org', host: 'mail.example.org', tls: 'none' } },
          ],
        },
        /tls: none is for this machine alone/,
      ],
      [
        {
          receivers: [a],
          onCall: [
            {
              name: 'l',
              from: '2026-01-05',
              people: [{ name: 'ada', receivers: ['a'] }],
              swaps: { '2026-01-07': 'ada' },
            },
          ],
        },
        /no week begins on 2026-01-07/,
      ],
    ]
    for (const [value, words] of wrong) expect(() => plan(value), JSON.stringify(value)).toThrow(words)
  })

  it('takes secrets from a file and from the environment, and takes them out of texts', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'vitrine-secret-')), 'key')
    writeFileSync(file, 'from-a-file\n')
    const made = plan(
      {
        receivers: [
          { name: 'a', webhook: { ...hook, secret: { file } } },
          { name: 'b', webhook: { ...hook, secret: { env: 'HOOK' } } },
        ],
      },
      { HOOK: 'from the environment' },
    )
    expect(made.secrets.clean('x from-a-file y from%20the%20environment z')).toBe('x *** y *** z')
  })

  it('names whoever has the turn', () => {
    const made = plan({
      receivers: [{ name: 'a', webhook: hook }],
      onCall: [{ name: 'l', from: '2026-01-05', people: [{ name: 'ada', receivers: ['a'] }] }],
      routes: [{ receivers: ['on-call:l', 'a'] }],
    })
    expect(namesAt(made, ['on-call:l', 'a'], at('2026-02-01'))).toEqual(['a'])
  })
})

describe('words', () => {
  const message: NoticeMessage = {
    incident: 'k7',
    reason: 'opened',
    rings: true,
    at: at('2026-11-22T02:20:00Z'),
    title: 'Edge eu-west does not answer',
    severity: 'critical',
    class: 'decide',
    decideBy: at('2026-11-22T02:40:00Z'),
    why: 'At 20:00 the rest carries 80 % of what is watched.',
    cause: 'eu-west is frozen.',
    since: at('2026-11-22T02:14:00Z'),
    resolvedAt: null,
    hurtNow: 1240,
    peak: 1300,
    moved: 800,
    servers: ['eu-west'],
    text: '',
    by: null,
    alerts: [],
    alertsMore: 0,
  }
  const where = {
    zone: 'Europe/Vienna',
    link: 'https://control.example.org/i/x',
    url: 'https://control.example.org',
  }

  it('say on a phone what is the matter', () => {
    expect(titleWords(message, 'Europe/Vienna')).toBe('[decide by 03:40 CET] Edge eu-west does not answer')
    expect(textLines(message, 'Europe/Vienna')).toEqual([
      'At 20:00 the rest carries 80 % of what is watched.',
      'Cause: eu-west is frozen.',
      'Since 03:14 CET, 6 min',
      'Viewers: 1,240 hurt now, peak 1,300, 800 moved',
      'Servers: eu-west',
    ])
  })

  it('are an operator’s own, and the usual ones where those fail or loop', async () => {
    const own = readOwnWords({
      title: '{{ $labels.verdict | toUpper }}: {{ $labels.title }}',
      text: '{{ $labels.link }}',
    })
    expect(await wordsOf(message, own, where)).toEqual({
      title: 'DECIDE BY 03:40 CET: Edge eu-west does not answer',
      text: where.link,
    })
    const asks = readOwnWords({ title: '{{ range query "up" }}{{ . }}{{ end }}' })
    expect((await wordsOf(message, asks, where)).title).toBe(
      '[decide by 03:40 CET] Edge eu-west does not answer',
    )
  })

  it('can reach no secret: they know a closed list of words', async () => {
    const own = readOwnWords({
      text: '{{ $labels.secret }}{{ $labels.password }}{{ .Labels }}{{ .ExternalLabels }}',
    })
    const { text } = await wordsOf(message, own, where)
    expect(text).not.toContain('not-so-secret')
    expect(text).toContain('decide by 03:40 CET')
  })
})
