// The door of probe: looking at a server from outside, the same way from the control room and from every edge.
export { PING_MS_MAX, Pinger, type PingResult } from './ping.ts'
export { PROBE_MS_MAX, type ProbeResult, probeOnce, type TlsClient, type TlsResult } from './probe-once.ts'
export { ProbeRounds, type ProbeTarget } from './rounds.ts'
