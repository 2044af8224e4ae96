// The door of receivers: how a message reaches people, for whoever has one to send.
export {
  controlLostDelivery,
  controlLostKey,
  controlLostMessage,
  isControlLostKey,
} from './control-lost.ts'
export { receiverFaults } from './faults.ts'
export { addressOf } from './hooks.ts'
export { makeReceiver, type NamedReceiver } from './make-receiver.ts'
export {
  clockWords,
  count,
  type MessageAlert,
  type NoticeMessage,
  oneLine,
  spanWords,
  stamp,
  textLines,
  titleWords,
  verdictWords,
  type Words,
} from './message.ts'
export { createPoster, type Poster } from './post.ts'
export type { Outcome, Outgoing, Receiver } from './receiver.ts'
export { type Environment, SecretBook } from './secret-book.ts'
