// Owns signing in: a one-time link's code in the fragment at once, else name and password.
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { z } from 'zod'
import { ApiProblem } from '../api/client.ts'
import { useClient } from '../api/use-control-room.tsx'

type Step = { readonly kind: 'form' } | { readonly kind: 'link' } | { readonly kind: 'password' }

export function SignInPage(): ReactNode {
  const client = useClient()
  const [step, setStep] = useState<Step>(() => (readLink() === null ? { kind: 'form' } : { kind: 'link' }))
  const [problem, setProblem] = useState<string | null>(null)
  const used = useRef(false)
  const form = useRef<HTMLFormElement>(null)

  const busy = step.kind !== 'form'

  const send = (body: { link: string } | { name: string; password: string }): void => {
    client
      .post('/api/v1/sign-in', body, z.unknown())
      .then(() => location.replace(backTo(location.search)))
      .catch((thrown: unknown) => {
        setStep({ kind: 'form' })
        setProblem(explain(thrown, 'link' in body))
        // Where the next attempt begins.
        const field = form.current?.querySelector<HTMLInputElement>(
          'link' in body ? '[name=name]' : '[name=password]',
        )
        field?.focus()
        field?.select()
      })
  }

  useEffect(() => {
    const link = readLink()
    if (link === null || used.current) return
    used.current = true
    // The code is worth a session: it must not stay in the address bar or in the history.
    history.replaceState(null, '', `${location.pathname}${location.search}`)
    send({ link })
  })

  // A link that is pasted into this very tab changes the fragment alone: the page starts anew with it.
  useEffect(() => {
    const onFragment = (): void => {
      if (readLink() !== null) location.reload()
    }
    addEventListener('hashchange', onFragment)
    return () => removeEventListener('hashchange', onFragment)
  }, [])

  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    if (busy) return
    const fields = new FormData(event.currentTarget)
    setProblem(null)
    setStep({ kind: 'password' })
    send({ name: field(fields, 'name'), password: field(fields, 'password') })
  }
  return (
    <main className="sign-in">
      <form ref={form} onSubmit={submit} aria-busy={busy}>
        <h1>
          <img src="/watch-assets/mark.svg" alt="" width="36" height="36" /> Vitrine
        </h1>
        <p className="lead">
          {step.kind === 'link' ? 'Signing you in with the link…' : 'Sign in to the control room.'}
        </p>
        <Fields busy={busy} />
        <p className="form-problem" role="alert" id="sign-in-problem">
          {problem}
        </p>
        <button type="submit" className="solid" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
        <p className="aside">
          No password yet? On the machine that runs Vitrine, <code>npx vitrine user link</code> prints a
          one-time link. <a href="/recover">Recovery code</a>
        </p>
      </form>
    </main>
  )
}

function Fields({ busy }: { readonly busy: boolean }): ReactNode {
  return (
    <>
      <label>
        Name
        <input
          name="name"
          autoComplete="username"
          required
          maxLength={64}
          readOnly={busy}
          autoFocus={!busy}
          aria-describedby="sign-in-problem"
          autoCapitalize="none"
        />
      </label>
      <label>
        Password
        <input
          name="password"
          type="password"
          autoComplete="current-password"
          required
          maxLength={1024}
          readOnly={busy}
          aria-describedby="sign-in-problem"
        />
      </label>
    </>
  )
}

function readLink(): string | null {
  const link = new URLSearchParams(location.hash.slice(1)).get('link')
  return link === null || link === '' ? null : link
}

/** Only paths of this site: the address comes from a URL that anybody can write. */
export function backTo(search: string): string {
  const back = new URLSearchParams(search).get('back')
  return back !== null && /^\/(?![/\\])/.test(back) ? back : '/'
}

function field(form: FormData, name: string): string {
  const value = form.get(name)
  return typeof value === 'string' ? value : ''
}

function explain(thrown: unknown, byLink: boolean): string {
  if (!(thrown instanceof ApiProblem)) return 'Signing in failed for a reason that is not known.'
  if (thrown.status === 0) return 'The control room does not answer. Is it running?'
  if (thrown.code === 'control-sign-in-slowed') {
    return 'Wrong passwords were given for this name again and again. Try again in a few seconds.'
  }
  if (thrown.status === 429) return 'Too many attempts. Wait a minute, then try again.'
  if (thrown.status === 401) {
    return byLink
      ? 'This link was used already or has expired. Ask for a new one, or sign in with your password.'
      : 'Name and password do not belong together.'
  }
  return thrown.message
}
