// Owns the lines that `vitrine start` ends with: where to look, how to sign in, where the data lies. Pure.

export interface SummaryFacts {
  readonly controlUrl: string
  /** Null: it could not be made. */
  readonly signInCode: string | null
  readonly data: string
  /** Ports that a browser needs: pages and edges. */
  readonly browserPorts: readonly number[]
  /** Value of SSH_CONNECTION: client address and port, server address and port. */
  readonly sshConnection: string | undefined
  readonly user: string
  readonly tookMs: number
}

export function summaryLines(facts: SummaryFacts): string[] {
  const { controlUrl, signInCode, data, tookMs } = facts
  const ssh = sshLine(facts)
  return [
    '',
    `Vitrine is up after ${(tookMs / 1000).toFixed(1)} s.`,
    '',
    `  Watch     ${controlUrl}/watch/sample`,
    `  Pages     ${controlUrl}/`,
    signInCode === null
      ? '  Sign in   npx vitrine user link'
      : `  Sign in   ${controlUrl}/sign-in#link=${signInCode}   (once, within an hour)`,
    `  Data      ${data}   (own files: ${data}/media)`,
    ...(ssh === null ? [] : ['', '  From your own machine, first:', `  ${ssh}`]),
    '',
    '  Ctrl-C stops everything.',
  ]
}

function sshLine({ sshConnection, browserPorts, user }: SummaryFacts): string | null {
  const [, , server, port] = sshConnection?.split(' ') ?? []
  if (server === undefined || port === undefined) return null
  const forwards = browserPorts.map(number => `-L ${number}:127.0.0.1:${number}`).join(' ')
  return `ssh ${port === '22' ? '' : `-p ${port} `}${forwards} ${user}@${server}`
}
