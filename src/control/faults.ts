// Owns the faults that the control room throws: who may do what, what a request must look like, local state.
import { defineFaults, type FaultKind, type FaultTable, type FaultWhere } from '#base'

type ControlFault =
  | 'control-sign-in-needed'
  | 'control-sign-in-failed'
  | 'control-sign-in-too-often'
  | 'control-sign-in-busy'
  | 'control-sign-in-slowed'
  | 'control-last-admin'
  | 'control-successor-needed'
  | 'control-web-session-unknown'
  | 'control-role-too-low'
  | 'control-csrf'
  | 'control-host-refused'
  | 'control-request-invalid'
  | 'control-request-too-large'
  | 'control-request-media-type'
  | 'control-route-unknown'
  | 'control-server-unknown'
  | 'control-server-duplicate'
  | 'control-check-running'
  | 'control-join-refused'
  | 'control-join-string-unknown'
  | 'control-no-authority'
  | 'control-mark-unknown'
  | 'control-incident-unknown'
  | 'control-incident-over'
  | 'control-incident-taken'
  | 'control-silence-unknown'
  | 'control-override-unknown'
  | 'control-run-busy'
  | 'control-drill-refused'
  | 'control-drill-unknown'
  | 'control-run-refused'
  | 'control-run-unknown'
  | 'control-runbook-unknown'
  | 'control-link-unknown'
  | 'control-simulated-refused'
  | 'control-title-unknown'
  | 'control-version-unknown'
  | 'control-regions-invalid'
  | 'control-session-unknown'
  | 'control-grant-key-unknown'
  | 'control-user-duplicate'
  | 'control-user-unknown'
  | 'control-user-name-invalid'
  | 'control-password-weak'
  | 'control-role-unknown'
  | 'control-token-unknown'
  | 'control-token-name-invalid'
  | 'control-limit-reached'
  | 'control-write-not-itself'
  | 'control-try-unavailable'
  | 'control-try-failed'
  | 'control-rules-invalid'
  | 'control-notify-invalid'
  | 'control-receiver-unknown'
  | 'control-rule-over-limit'
  | 'control-rule-file-unknown'
  | 'control-rule-file-kept'
  | 'control-rule-file-changed'
  | 'control-back-test-unknown'
  | 'control-back-test-busy'
  | 'control-back-test-long'
  | 'control-state-newer'
  | 'control-state-unreadable'
  | 'control-no-edge'
  | 'control-starting'

function kind(status: number, help: string, where: FaultWhere = 'downstream', retry = false): FaultKind {
  return { status, where, retry, help }
}

export const controlFaults: FaultTable<ControlFault> = defineFaults('control', {
  'control-sign-in-needed': kind(
    401,
    'Sign in, or send an API token: Authorization: Bearer TOKEN, made by `vitrine token create`.',
  ),
  'control-sign-in-failed': kind(
    401,
    'The name, the password or the one-time link is wrong, used or expired: `vitrine user link` makes a new link.',
  ),
  'control-sign-in-too-often': kind(
    429,
    'Too many attempts to sign in from this address: wait a minute.',
    'downstream',
    true,
  ),
  'control-sign-in-busy': kind(
    503,
    'Too many passwords are being checked at once: try again in a few seconds.',
    'internal',
    true,
  ),
  'control-sign-in-slowed': kind(
    429,
    'Too many wrong passwords were given for this name, from wherever: attempts are slowed down, nobody is locked out. Try again in a few seconds, from a place where you signed in before, or ask an admin for a reset link.',
    'downstream',
    true,
  ),
  'control-last-admin': kind(
    409,
    'The last admin can be neither removed nor offboarded nor given a lower role: make another admin first.',
  ),
  'control-successor-needed': kind(
    409,
    'This person answers for something that goes on: name somebody else who takes it over.',
  ),
  'control-web-session-unknown': kind(
    404,
    'No browser that is signed in has this id, or it is not yours: GET /api/v1/web-sessions lists them.',
  ),
  'control-role-too-low': kind(
    403,
    'This user or token may not do this: ask an admin, or use a token with the role that is named.',
  ),
  'control-csrf': kind(
    403,
    'A request that changes something came with a cookie but not from our own page: reload the page, or use an API token.',
  ),
  'control-host-refused': kind(
    400,
    'The Host header names neither this machine nor the public URL: open the address that was printed at start, or set the public URL.',
  ),
  'control-request-invalid': kind(
    400,
    'The request does not have the expected shape: correct the field that is named; see /api/v1/openapi.json.',
  ),
  'control-request-too-large': kind(
    413,
    'The request body is larger than this route takes: send less at once.',
  ),
  'control-request-media-type': kind(
    415,
    'The Content-Type is not one that this route takes: send the one that is named.',
  ),
  'control-route-unknown': kind(404, 'No such address: see /api/v1/openapi.json for those that exist.'),
  'control-server-unknown': kind(404, 'No server has this id: GET /api/v1/servers lists them.'),
  'control-server-duplicate': kind(409, 'A server with this id is enrolled already: choose another id.'),
  'control-join-refused': kind(
    403,
    'The join string was used, revoked, has expired or is for another role or server: make a new one with `vitrine server invite`.',
  ),
  'control-join-string-unknown': kind(
    404,
    'No open join string has this id: GET /api/v1/join-strings lists them.',
  ),
  'control-check-running': kind(
    409,
    'This edge is being checked already: wait for the end of that run; GET /api/v1/servers/{id}/checks shows it.',
  ),
  'control-override-unknown': kind(404, 'Nothing is ordered for this server: there is nothing to end.'),
  'control-run-busy': kind(
    409,
    'A run is at work on one of these servers: wait for its end, or stop it; GET /api/v1/runs shows it.',
  ),
  'control-drill-refused': kind(
    409,
    'The drill cannot begin: the message says why; GET /api/v1/drills lists which servers may be hurt.',
  ),
  'control-drill-unknown': kind(404, 'No drill has this id: GET /api/v1/drills lists them.'),
  'control-run-refused': kind(
    409,
    'The runbook cannot be run as it stands: the message says why; POST /api/v1/runs/dry-run shows all of it.',
  ),
  'control-run-unknown': kind(404, 'No run has this id: GET /api/v1/runs lists them.'),
  'control-runbook-unknown': kind(404, 'No runbook has this name: GET /api/v1/runbooks lists them.'),
  'control-simulated-refused': kind(
    409,
    'Simulated servers are for tests: start a control room for them with --allow-simulated, never one of a real fleet.',
  ),
  'control-link-unknown': kind(
    404,
    'No such link, or it was revoked or has expired: ask whoever sent it for another.',
  ),
  'control-incident-unknown': kind(
    404,
    'GET /api/v1/incidents lists the open ones and those of the last week.',
  ),
  'control-incident-over': kind(
    409,
    'It is resolved: nothing is to be done. A comment can still be written.',
  ),
  'control-incident-taken': kind(409, 'Somebody else was first, and is named. Assign it to hand it over.'),
  'control-silence-unknown': kind(
    404,
    '`vitrine silence list` shows the silences that are in force or to come.',
  ),
  'control-mark-unknown': kind(404, 'No mark has this id: GET /api/v1/marks lists them.'),
  'control-no-authority': kind(
    409,
    'This control room has no private authority, because it is reached over plain HTTP on loopback or through a proxy that ends TLS: nothing has to be renewed.',
  ),
  'control-title-unknown': kind(404, 'No title has this id: GET /api/v1/titles lists them.'),
  'control-regions-invalid': kind(
    400,
    'The file of regions cannot be read: correct the line that the message names. A running control room goes on with the table before.',
  ),
  'control-version-unknown': kind(
    404,
    'This version of the steering table is not kept: GET /api/v1/steering/versions lists those that are.',
  ),
  'control-grant-key-unknown': kind(
    404,
    'No grant key has this id: `vitrine viewers grant-key list` shows them.',
  ),
  'control-session-unknown': kind(
    404,
    'No session with this id was fed in the last 7 days: the player page shows the id of its session.',
  ),
  'control-user-duplicate': kind(
    409,
    'A user with this name exists already: choose another name, or set its password.',
  ),
  'control-user-unknown': kind(404, 'No user has this name: `vitrine user list` shows them.'),
  'control-user-name-invalid': kind(
    400,
    'A user name has 1 to 64 letters, digits, dots, dashes, underscores or @.',
  ),
  'control-password-weak': kind(400, 'A password has 10 to 1024 characters: choose a longer one.'),
  'control-role-unknown': kind(400, 'The role is not one that exists: use one of those that are named.'),
  'control-token-unknown': kind(404, 'No API token has this id: `vitrine token list` shows them.'),
  'control-token-name-invalid': kind(400, 'A token name has 1 to 64 printable characters.'),
  'control-limit-reached': kind(
    409,
    'A limit on stored things is reached: remove some that are no longer used.',
  ),
  'control-write-not-itself': kind(
    403,
    'A server wrote series of another server: give it its own token, and the instance label that equals its id.',
  ),
  'control-try-unavailable': kind(
    403,
    'Faults can be tried only on a local fleet (`vitrine start`), from the same machine.',
  ),
  'control-try-failed': kind(502, 'The supervisor could not do it: the message says why.', 'upstream', true),
  'control-rules-invalid': kind(422, 'A rule file is wrong: correct the line that is named.', 'internal'),
  'control-notify-invalid': kind(
    500,
    'The configuration of notifications is wrong: correct what is named below control.notify.',
    'internal',
  ),
  'control-receiver-unknown': kind(404, 'No receiver has this name: GET /api/v1/notifications lists them.'),
  'control-rule-file-unknown': kind(404, 'No such rule file: GET /api/v1/rules/files lists them.'),
  'control-rule-file-kept': kind(
    409,
    'This rule file is not written by the pages: it comes with Vitrine (copy it: an own alert of the same name takes the place of the shipped one), or the control room may not write there.',
  ),
  'control-rule-file-changed': kind(
    409,
    'The rule file is not as it was when it was read: somebody else has changed it. Read it again, and put your change into that.',
  ),
  'control-back-test-unknown': kind(
    404,
    'No back-test has this id any more: results are kept for ten minutes. Start it again.',
  ),
  'control-back-test-busy': kind(
    429,
    'Back-tests share the control room with everything else, so that few run at once: try again when one has ended.',
    'downstream',
    true,
  ),
  'control-back-test-long': kind(
    422,
    'The back-test took too long: choose a shorter time, or a narrower expression.',
  ),
  'control-rule-over-limit': kind(
    422,
    'A rule gives more results than the limit of its group: aggregate in the rule, or raise the limit.',
    'internal',
  ),
  'control-state-newer': kind(
    500,
    'The state was written by a newer version: run that version, or restore a backup.',
    'internal',
  ),
  'control-state-unreadable': kind(
    500,
    'state.db cannot be opened: check the disk and permissions, or restore a backup.',
    'internal',
  ),
  'control-no-edge': kind(503, 'No edge has connected yet: start one, and try again.', 'internal', true),
  'control-starting': kind(503, 'The control room is starting or stopping: try again.', 'internal', true),
})
