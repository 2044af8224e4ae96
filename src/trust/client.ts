// Owns how a server of ours proves to itself that it talks to another one of ours. Pure.
import { isLoopback } from '#base'
import { trustFaults } from './faults.ts'
import { dnsName, type PrivateName } from './names.ts'

/** The authority that this server believes; null: those of the operating system, as browsers do. */
export type Trust = { readonly authorityPem: string } | null

/** For node:tls, node:https, undici and ws. Empty for plain HTTP and without a private authority. */
export function tlsClient(
  trust: Trust,
  url: string,
  who: PrivateName,
): { readonly ca?: string; readonly servername?: string } {
  if (trust === null || !/^(https|wss):/.test(url)) return {}
  return { ca: trust.authorityPem, servername: dnsName(who) }
}

/** Credentials go over plain HTTP on loopback only. */
export function refusePlain(url: string): void {
  const { protocol, hostname } = new URL(url)
  if (protocol === 'https:' || isLoopback(hostname)) return
  const message = `${url}: plain HTTP off loopback; expected https://`
  throw trustFaults.fault('trust-control-not-pinned', message)
}
