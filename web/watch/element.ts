// Owns one way to make an element; text is always text, never markup.

type Attributes = Readonly<Record<string, string | boolean>>

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, '')
    else if (value !== false) made.setAttribute(name, value)
  }
  made.append(...children)
  return made
}

/** Writes only what changed, so that a screen reader is not told twice. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text
}
