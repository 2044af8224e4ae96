// Owns messages in an operator's own words: templates of the kind that rules use, over a closed list of words. They can
// reach neither secrets nor the store, and one that fails gives way to the usual words.
import { messageOf } from '#base'
import {
  clockWords,
  type NoticeMessage,
  spanWords,
  stamp,
  textLines,
  titleWords,
  verdictWords,
  type Words,
} from '#receivers'
import type { NotifyConfig } from '#wire'
import { callTemplate, compileTemplate, type Template } from '../alerts/template/call-template.ts'
import { controlFaults } from '../faults.ts'

const TITLE_MAX = 200
const TEXT_MAX = 4000

export interface OwnWords {
  readonly title: Template | null
  readonly text: Template | null
}

export function readOwnWords({ title, text }: NotifyConfig['templates']): OwnWords {
  return { title: compile(title, 'title'), text: compile(text, 'text') }
}

function compile(source: string | undefined, name: string): Template | null {
  if (source === undefined) return null
  try {
    return compileTemplate(source)
  } catch (error) {
    const message = `control.notify.templates.${name}: ${messageOf(error)}`
    throw controlFaults.fault('control-notify-invalid', message, { cause: error })
  }
}

/** `link` is null where the channel has no use for one. */
export async function wordsOf(
  message: NoticeMessage,
  own: OwnWords,
  where: { readonly zone: string; readonly link: string | null; readonly url: string },
): Promise<Words> {
  const { zone, link, url } = where
  const usual = {
    title: titleWords(message, zone),
    text: [...textLines(message, zone), ...(link === null ? [] : [link])].join('\n'),
  }
  const title = await render(own.title, message, where)
  const text = await render(own.text, message, { zone, link, url })
  return {
    title: (title ?? usual.title).replace(/\s+/g, ' ').trim().slice(0, TITLE_MAX) || usual.title,
    text: (text ?? usual.text).slice(0, TEXT_MAX),
  }
}

/** Null: there is none, or it failed. */
async function render(
  template: Template | null,
  message: NoticeMessage,
  { zone, link, url }: { readonly zone: string; readonly link: string | null; readonly url: string },
): Promise<string | null> {
  if (template === null || typeof template === 'string') return template
  const labels = {
    incident: message.incident ?? '',
    reason: message.reason,
    severity: message.severity,
    title: message.title,
    class: message.class ?? '',
    verdict: verdictWords(message, zone),
    why: message.why,
    cause: message.cause,
    text: message.text,
    since: message.since === null ? '' : clockWords(message.since, zone),
    lasted: message.since === null ? '' : spanWords((message.resolvedAt ?? message.at) - message.since),
    at: stamp(message.at),
    viewers: message.hurtNow === null ? '' : String(message.hurtNow),
    peak: message.peak === null ? '' : String(message.peak),
    servers: message.servers.join(', '),
    link: link ?? '',
  }
  const data = { labels, externalLabels: {}, externalUrl: url, value: message.hurtNow ?? Number.NaN }
  const ask = async (): Promise<never> => {
    throw new TypeError('messages ask nothing of the store')
  }
  try {
    return await callTemplate(template, data, ask)
  } catch {
    return null
  }
}
