// Owns mail: one address, one message, over SMTP with a deadline. It refuses to send a password or a message over a
// connection that TLS does not protect, except to this machine.
import { createHash } from 'node:crypto'
import { createTransport } from 'nodemailer'
import { isLoopback, messageOf } from '#base'
import type { ReceiverConfig } from '#wire'
import { receiverFaults } from './faults.ts'
import { oneLine } from './message.ts'
import { codeOf, readCa } from './post.ts'
import { failed, type Outcome, type Outgoing, type Receiver } from './receiver.ts'
import type { SecretBook } from './secret-book.ts'

const MAIL_MS_MAX = 20_000

type Config = NonNullable<ReceiverConfig['email']>

/** `deadlineMs` is for tests. */
export function emailReceiver(
  config: Config,
  what: string,
  secrets: SecretBook,
  deadlineMs: number = MAIL_MS_MAX,
): Receiver {
  if (config.tls === 'none' && !isLoopback(config.host)) {
    throw receiverFaults.fault('receivers-invalid', `${what}: tls: none is for this machine alone`)
  }
  const { user, password } = config
  const pass = password === undefined ? null : secrets.read(password, `${what}: password`)
  const transport = (): ReturnType<typeof createTransport> =>
    createTransport({
      host: config.host,
      port: config.port,
      secure: config.tls === 'tls',
      requireTLS: config.tls === 'starttls',
      ignoreTLS: config.tls === 'none',
      ...(user === undefined ? {} : { auth: { user, pass: pass?.reveal() ?? '' } }),
      ...(ca === undefined ? {} : { tls: { ca } }),
      dnsTimeout: deadlineMs,
      connectionTimeout: deadlineMs,
      greetingTimeout: deadlineMs,
      socketTimeout: deadlineMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
  const ca = config.caFile === undefined ? undefined : readCa(config.caFile, what)
  return {
    kind: 'email',
    to: `${config.to} by ${config.host}:${config.port}`,
    quietByDefault: true,
    send: outgoing => send(transport, config, outgoing, deadlineMs),
    close: () => undefined,
  }
}

async function send(
  open: () => ReturnType<typeof createTransport>,
  { to, from }: Config,
  { key, message, words }: Outgoing,
  deadlineMs: number,
): Promise<Outcome> {
  const own = from.split('@')[1] ?? 'vitrine'
  // A connection of its own: one that hangs is closed with it.
  const transport = open()
  let timer: NodeJS.Timeout | undefined
  try {
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not taken within ${deadlineMs / 1000} s`)), deadlineMs)
    })
    const sent = transport.sendMail({
      from,
      to,
      subject: words.title,
      text: words.text,
      messageId: `<${idOf(key)}@${own}>`,
      // Mail programs put what is told of one incident together.
      ...(message.incident === null ? {} : { references: `<incident-${idOf(message.incident)}@${own}>` }),
      headers: { 'auto-submitted': 'auto-generated', 'x-vitrine-key': key },
    })
    sent.catch(() => undefined) // after the deadline nobody waits for it
    const { response } = await Promise.race([sent, deadline])
    return { ok: true, answer: oneLine(String(response)).slice(0, 200) }
  } catch (error) {
    return failed(wordsOf(error), isFinal(error))
  } finally {
    clearTimeout(timer)
    transport.close()
  }
}

/** What is in a key may not be in a Message-ID. */
function idOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 32)
}

/** 5yz to the address or the message is for good (RFC 5321 section 4.2.1); to the sign-in somebody may mend it. */
function isFinal(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null ? Reflect.get(error, 'responseCode') : null
  return typeof code === 'number' && code >= 550 && code <= 554
}

function wordsOf(error: unknown): string {
  const known: Readonly<Record<string, string>> = {
    ECONNECTION: 'no connection to the SMTP server',
    ETIMEDOUT: 'the SMTP server did not answer in time',
    EAUTH: 'the SMTP server refused user or password',
    ETLS: 'the SMTP server offers no TLS, or not one that can be trusted',
    EDNS: 'the name of the SMTP server does not exist',
  }
  const words = known[codeOf(error)]
  const detail = oneLine(messageOf(error)).slice(0, 200)
  return words === undefined ? detail : `${words}: ${detail}`
}
