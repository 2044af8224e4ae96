// Owns a template from its text to what it says, with queries answered by whoever asks for it.
import { compileTemplate, renderSteps, type Template, type TemplateData } from './render.ts'
import { TemplateProblem } from './scan.ts'
import { RenderProblem, type SampleValue } from './value.ts'

export type { Template, TemplateData }
export { compileTemplate, RenderProblem, TemplateProblem }

/** Throws RenderProblem, or what `ask` throws. */
export async function callTemplate(
  template: Exclude<Template, string>,
  data: TemplateData,
  ask: (expression: string) => Promise<readonly SampleValue[]>,
): Promise<string> {
  const steps = renderSteps(template, data)
  let next = steps.next()
  while (next.done !== true) next = steps.next(await ask(next.value))
  return next.value
}
