// Owns writing a rule file: the text with what is wrong in it, the back-test before it is saved, and saving. The URL
// names the file, or the rule that is copied.
import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useRef, useState } from 'react'
import { useLocation, useSearchParams } from 'wouter'
import { mayAct, type RuleFileAnswer, type RuleFilesAnswer, ruleFileName, ruleSavedAnswer } from '#wire'
import { useClient, useMe } from '../api/use-control-room.tsx'
import { ConfirmButton } from '../parts/confirm-button.tsx'
import { Link } from '../parts/link.tsx'
import { Waiting } from '../people/lists.tsx'
import { nothing } from '../people/use-people.ts'
import { BackTestPanel } from '../rules/back-test-panel.tsx'
import { copyOfRule, fileNameFor, NEW_RULE_TEXT } from '../rules/rule-text.ts'
import { RuleTextField } from '../rules/rule-text-field.tsx'
import '../rules/rules.css'
import { filePath, useRuleCheck, useRuleFile, useRuleFiles } from '../rules/use-rule-desk.ts'

export function RuleEditPage(): ReactNode {
  const me = useMe()
  const may = me.data !== undefined && mayAct(me.data.role, 'operator')
  const files = useRuleFiles(may)
  const [search] = useSearchParams()
  const asked = askedFile(search)
  const file = useRuleFile(may ? asked : null)
  return (
    <div className="page rule-edit">
      {me.data !== undefined && !may ? (
        <p className="quiet">
          Rules are written by operators and admins. All of them are on <Link href="/rules">Rules</Link>.
        </p>
      ) : files.data === undefined ? (
        <Waiting error={files.error ?? me.error} what="the rule files" />
      ) : asked !== null && file.data === undefined ? (
        <Waiting error={file.error} what="the rule file" />
      ) : (
        <Desk key={search.toString()} files={files.data} start={startOf(file.data ?? null, search)} />
      )}
    </div>
  )
}

function askedFile(search: URLSearchParams): { folder: number; name: string } | null {
  const found = /^(\d+)\/([^/]+)$/.exec(search.get('file') ?? '')
  return found === null ? null : { folder: Number(found[1]), name: found[2] ?? '' }
}

interface Start {
  /** Null: a new file. */
  readonly file: RuleFileAnswer | null
  readonly text: string
  readonly name: string
}

/** A rule that is copied becomes a file of its own. */
function startOf(file: RuleFileAnswer | null, search: URLSearchParams): Start {
  if (file === null) return { file, text: NEW_RULE_TEXT, name: 'own.yaml' }
  const line = Number(search.get('copy') ?? Number.NaN)
  const copied = copyOfRule(file.text, line, Number(search.get('each') ?? 1000))
  if (copied === null) return { file, text: file.text, name: file.name }
  return { file: null, text: copied, name: fileNameFor(search.get('rule') ?? '') }
}

function Desk({ files, start }: { readonly files: RuleFilesAnswer; readonly start: Start }): ReactNode {
  const { file } = start
  const [text, setText] = useState(start.text)
  const [name, setName] = useState(start.name)
  const [folder, setFolder] = useState(file?.folder ?? files.folders[0]?.folder ?? 0)
  const goTo = useRef<((line: number) => void) | null>(null)
  const nameIsRight = ruleFileName.safeParse(name).success
  const checked = useRuleCheck(nameIsRight ? name : 'own.yaml', text)
  const saving = useSaving({ file, folder, name, text })
  const problem = checked?.answer.problem ?? null
  const isChecked = checked !== null && checked.text === text
  const readOnly = file !== null && !file.writable
  const rules = isChecked ? checked.answer.rules : []
  const canSave = !readOnly && nameIsRight && isChecked && problem === null && !saving.busy
  const isChanged = file === null || text !== file.text
  return (
    <>
      <header className="page-head">
        <h1>{file === null ? 'New rule file' : file.name}</h1>
        <p className="quiet">
          {file === null ? 'Back-test it before you save it.' : file.path}{' '}
          <Link href="/rules">All rules</Link>
        </p>
      </header>
      {readOnly ? (
        <p className="rules-hint">
          {file.shipped
            ? 'This file comes with Vitrine and is replaced with it. Copy a rule from the page Rules: an own alert of the same name takes its place.'
            : 'The control room may not write into this folder.'}
        </p>
      ) : null}
      <div className="rule-desk">
        <section className="panel" aria-label="Text">
          <RuleTextField
            text={text}
            onText={setText}
            onSave={() => canSave && isChanged && saving.save()}
            readOnly={readOnly}
            problem={problem}
            goTo={goTo}
          />
          <CheckLine
            checked={isChecked}
            problem={problem}
            rules={rules}
            goTo={line => goTo.current?.(line)}
          />
          {readOnly ? null : (
            <div className="rule-save">
              {file === null ? (
                <label>
                  File name
                  <input
                    type="text"
                    value={name}
                    aria-invalid={!nameIsRight}
                    onChange={event => setName(event.target.value)}
                  />
                </label>
              ) : null}
              {file === null && files.folders.length > 1 ? (
                <label>
                  In
                  <select value={folder} onChange={event => setFolder(Number(event.target.value))}>
                    {files.folders.map(one => (
                      <option key={one.folder} value={one.folder}>
                        {one.path}
                      </option>
                    ))}
                  </select>
                </label>
              ) : null}
              <button
                type="button"
                className="solid"
                disabled={!canSave || !isChanged}
                onClick={() => saving.save()}
              >
                Save
              </button>
              {file === null ? null : (
                <ConfirmButton
                  verb="Remove"
                  what={file.name}
                  warning="Its rules are evaluated no more, and their alerts are resolved."
                  onConfirm={saving.remove}
                />
              )}
              <span role="status" className="quiet">
                {nameIsRight
                  ? isChanged
                    ? ''
                    : 'Saved; it is in force.'
                  : 'A name such as own.yaml is expected.'}
              </span>
            </div>
          )}
          {saving.problem === null ? null : (
            <p className="form-problem" role="alert">
              {saving.problem}
            </p>
          )}
        </section>
        <BackTestPanel name={nameIsRight ? name : 'own.yaml'} text={text} rules={rules} />
      </div>
    </>
  )
}

function CheckLine({
  checked,
  problem,
  rules,
  goTo,
}: {
  readonly checked: boolean
  readonly problem: { readonly line: number | null; readonly text: string } | null
  readonly rules: readonly { readonly name: string; readonly replaces: boolean }[]
  readonly goTo: (line: number) => void
}): ReactNode {
  const replacing = rules.filter(({ replaces }) => replaces).map(({ name }) => name)
  return (
    <p
      className="check-line"
      role="status"
      data-tone={!checked ? 'resting' : problem === null ? 'healthy' : 'unreachable'}
    >
      {!checked ? (
        'Checking…'
      ) : problem === null ? (
        <>
          {rules.length === 1 ? '1 rule, it' : `${rules.length} rules, all`} would be taken.
          {replacing.length === 0 ? '' : ` In place of the shipped ${[...new Set(replacing)].join(', ')}.`}
        </>
      ) : (
        <>
          {problem.line === null ? null : (
            <button type="button" onClick={() => goTo(problem.line ?? 1)}>
              Line {problem.line}
            </button>
          )}{' '}
          {problem.text}
        </>
      )}
    </p>
  )
}

interface Saving {
  readonly busy: boolean
  readonly problem: string | null
  readonly save: () => void
  readonly remove: () => void
}

function useSaving({
  file,
  folder,
  name,
  text,
}: {
  readonly file: RuleFileAnswer | null
  readonly folder: number
  readonly name: string
  readonly text: string
}): Saving {
  const client = useClient()
  const cache = useQueryClient()
  const [, navigate] = useLocation()
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const act = (what: () => Promise<string>): void => {
    setBusy(true)
    setProblem(null)
    what()
      .then(
        path => navigate(path),
        (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
      )
      .finally(() => setBusy(false))
  }
  return {
    busy,
    problem,
    save: () =>
      act(async () => {
        const saved = await client.put(
          filePath(folder, name),
          { text, sha256: file?.sha256 ?? null },
          ruleSavedAnswer,
        )
        if (saved.problem !== null) throw new Error(`It is saved, but not in force: ${saved.problem}`)
        const at = { folder, name }
        cache.setQueryData(['rule-file', folder, name], (old: RuleFileAnswer | undefined) => ({
          ...(old ?? { ...at, path: '', shipped: false, writable: true }),
          text,
          sha256: saved.sha256,
        }))
        await cache.invalidateQueries({ queryKey: ['rule-files'] })
        await cache.invalidateQueries({ queryKey: ['rule-file', folder, name] })
        return `/rules/edit?file=${folder}/${encodeURIComponent(name)}`
      }),
    remove: () =>
      act(async () => {
        await client.delete(`${filePath(folder, name)}?sha256=${file?.sha256 ?? ''}`, nothing)
        return '/rules'
      }),
  }
}
