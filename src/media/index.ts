// The door of media.
export {}
