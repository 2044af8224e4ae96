// Owns the faults of trust: join strings, first contact, certificates and their files.
import { defineFaults, type FaultTable } from '#base'

type TrustFault =
  | 'trust-join-string-invalid'
  | 'trust-control-unreachable'
  | 'trust-control-not-pinned'
  | 'trust-refused'
  | 'trust-request-invalid'
  | 'trust-no-authority'
  | 'trust-rotation-running'
  | 'trust-files-unreadable'
  | 'trust-identity-other'

export const trustFaults: FaultTable<TrustFault> = defineFaults('trust', {
  'trust-join-string-invalid': {
    status: 400,
    where: 'downstream',
    retry: false,
    help: 'The join string is not whole: copy it again, or make a new one with `vitrine server invite` or on the add-an-edge page.',
  },
  'trust-control-unreachable': {
    status: 504,
    where: 'upstream',
    retry: true,
    help: 'The control room cannot be reached at the address in the join string: open its port to this machine (`vitrine doctor --firewall`), or set its public URL.',
  },
  'trust-control-not-pinned': {
    status: 502,
    where: 'upstream',
    retry: false,
    help: 'Whoever answers at that address is not the control room that made the join string: nothing was sent. Look for a proxy in between, or make a new join string if the control room got a new authority.',
  },
  'trust-refused': {
    status: 403,
    where: 'upstream',
    retry: false,
    help: 'The control room refused: the join string was used, is expired or was revoked, or the id is taken. Make a new one.',
  },
  'trust-request-invalid': {
    status: 400,
    where: 'downstream',
    retry: false,
    help: 'The certificate request cannot be used: it must be PKCS #10 in PEM with a P-256 key and a valid signature.',
  },
  'trust-no-authority': {
    status: 409,
    where: 'downstream',
    retry: false,
    help: 'This control room has no private authority: it is reached over plain HTTP on loopback or behind a proxy, or has never run. There is no key to change.',
  },
  'trust-rotation-running': {
    status: 409,
    where: 'downstream',
    retry: false,
    help: 'The key is being changed already: `vitrine authority status` shows how far it is, `vitrine authority rotate --force` ends it.',
  },
  'trust-files-unreadable': {
    status: 500,
    where: 'internal',
    retry: false,
    help: 'Keys or certificates on disk cannot be read: check the owner of the folder that is named, or move it away and join anew.',
  },
  'trust-identity-other': {
    status: 409,
    where: 'downstream',
    retry: false,
    help: 'This data folder belongs to another server already: choose another --data folder, or move the old one away.',
  },
})
