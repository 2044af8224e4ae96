// Owns the routes by which people write rules: files, the check of a text, back-tests, and saving.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import {
  backTestAnswer,
  backTestRequest,
  RULE_TEXT_MAX,
  ruleCheckAnswer,
  ruleCheckRequest,
  ruleFileAnswer,
  ruleFileName,
  ruleFilesAnswer,
  ruleSavedAnswer,
  ruleSaveRequest,
} from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { audit } from '../state/database.ts'
import { nameOf } from './guard.ts'
import { addRoute, check } from './route.ts'

/** Characters of up to three bytes, and what JSON adds. */
const BODY_BYTES_MAX = 4 * RULE_TEXT_MAX
const ONE_FILE = '/api/v1/rules/files/:folder/:name'
const ONE_TEST = '/api/v1/rules/back-tests/:id'
const fileAddress = z.object({ folder: z.coerce.number().int().min(0).max(1000), name: ruleFileName })
const removeQuery = z.object({ sha256: z.string().max(64) })

export function addRuleEditRoutes(app: FastifyInstance, context: ControlContext): void {
  addFileRoutes(app, context)
  addSaving(app, context)
  addBackTests(app, context)
}

function addFileRoutes(app: FastifyInstance, { ruleDesk: { library } }: ControlContext): void {
  const access = 'operator'
  addRoute(app, {
    method: 'GET',
    url: '/api/v1/rules/files',
    access,
    summary: 'Rule files, and the folders into which new ones can be written',
    answer: ruleFilesAnswer,
    handle: () => library.list(),
  })
  addRoute(app, {
    method: 'GET',
    url: ONE_FILE,
    access,
    summary: 'The text of one rule file',
    answer: ruleFileAnswer,
    handle: request => {
      const { folder, name } = addressOf(request)
      return library.read(folder, name)
    },
  })
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/rules/check',
    access,
    summary: 'Whether a text would be taken as a rule file, and its rules with their lines; changes nothing',
    body: ruleCheckRequest,
    answer: ruleCheckAnswer,
    bodyBytesMax: BODY_BYTES_MAX,
    handle: (_request, _reply, { name, text }) => library.check(name, text),
  })
}

function addSaving(app: FastifyInstance, context: ControlContext): void {
  const { ruleDesk, ruleFiles, alerts, state } = context
  const note = async (
    request: FastifyRequest,
    action: string,
    facts: Record<string, unknown>,
  ): Promise<void> => {
    const { folder, name } = addressOf(request)
    const subject = `${ruleDesk.library.list().folders.find(one => one.folder === folder)?.path ?? folder}/${name}`
    await audit(state.db, { at: state.nowMs(), by: nameOf(request), action, subject, facts })
    ruleFiles.look(alerts.replace)
  }
  addRoute(app, {
    method: 'PUT',
    url: ONE_FILE,
    access: 'operator',
    summary: 'Write an own rule file; in force at once. 409 when somebody has changed it since it was read',
    body: ruleSaveRequest,
    answer: ruleSavedAnswer,
    bodyBytesMax: BODY_BYTES_MAX,
    handle: async (request, _reply, { text, sha256: before }) => {
      const { folder, name } = addressOf(request)
      const sha256 = ruleDesk.library.save(folder, name, { text, before })
      await note(request, 'rule-file-save', { from: before, to: sha256, bytes: Buffer.byteLength(text) })
      return { sha256, problem: ruleFiles.status().problem }
    },
  })
  addRoute(app, {
    method: 'DELETE',
    url: ONE_FILE,
    access: 'operator',
    summary: 'Remove an own rule file; its alerts are resolved',
    query: removeQuery,
    answer: z.object({}),
    handle: async request => {
      const { folder, name } = addressOf(request)
      const { sha256 } = check(removeQuery, request.query, 'query')
      ruleDesk.library.remove(folder, name, sha256)
      await note(request, 'rule-file-remove', { from: sha256 })
      return {}
    },
  })
}

function addBackTests(app: FastifyInstance, { ruleDesk: { backTests } }: ControlContext): void {
  const access = 'operator'
  addRoute(app, {
    method: 'POST',
    url: '/api/v1/rules/back-tests',
    access,
    summary: 'When an alerting rule would have been pending and firing, by what is stored; changes nothing',
    body: backTestRequest,
    answer: backTestAnswer,
    bodyBytesMax: BODY_BYTES_MAX,
    handle: (_request, _reply, body) => backTests.start(body),
  })
  addRoute(app, {
    method: 'GET',
    url: ONE_TEST,
    access,
    summary: 'How far a back-test is, and its result; one that nobody asks for is ended',
    answer: backTestAnswer,
    handle: request => {
      const { id } = request.params as { readonly id: string }
      const found = backTests.get(id)
      if (found === null)
        throw controlFaults.fault('control-back-test-unknown', `there is no back-test ${id.slice(0, 64)}`)
      return found
    },
  })
  addRoute(app, {
    method: 'DELETE',
    url: ONE_TEST,
    access,
    summary: 'End a back-test',
    answer: z.object({}),
    handle: request => {
      backTests.cancel((request.params as { readonly id: string }).id)
      return {}
    },
  })
}

function addressOf(request: FastifyRequest): z.infer<typeof fileAddress> {
  return check(fileAddress, request.params, 'address')
}
