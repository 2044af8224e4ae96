// Owns the faults that base itself can throw: configuration, listening, local files.
import { defineFaults, type FaultTable } from './fault.ts'

type BaseFault =
  | 'base-config-unreadable'
  | 'base-config-invalid'
  | 'base-listen-unsafe'
  | 'base-listen-port-taken'
  | 'base-listen-failed'
  | 'base-folder-unwritable'
  | 'base-folder-in-use'

export const baseFaults: FaultTable<BaseFault> = defineFaults('base', {
  'base-config-unreadable': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'The configuration file cannot be read or is not YAML: check its path, its permissions and the line that is named.',
  },
  'base-config-invalid': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'A configuration key is unknown or has a wrong value: correct the key that is named; config/example.yaml lists all of them.',
  },
  'base-listen-unsafe': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'Vitrine listens off loopback only over TLS, or behind a proxy that you name: give tls certificate and key files, or --behind-proxy.',
  },
  'base-listen-port-taken': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'Another program has the port: stop it, or move all ports with --port-base N.',
  },
  'base-listen-failed': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'The address cannot be listened on: check that it belongs to this machine and that the port is allowed.',
  },
  'base-folder-unwritable': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'The data folder cannot be written: check its owner and permissions, or choose another one with --data.',
  },
  'base-folder-in-use': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'Another Vitrine runs on this data folder: stop it, or choose another folder with --data.',
  },
})
