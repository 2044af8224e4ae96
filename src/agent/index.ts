// The door of agent.
export {}
