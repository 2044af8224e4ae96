// The door of metrics.
export {}
