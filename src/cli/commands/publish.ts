// Owns `vitrine publish`: own files become titles, by copy or where they are.
import type { Command } from 'commander'
import { cliFaults } from '../faults.ts'
import { mediaFolder, originSettings } from '../settings.ts'
import { type CommonOptions, callerPath, print, readFleetConfig, withData, withJson } from './context.ts'

type PublishOptions = CommonOptions & { readonly inPlace?: string }

export function registerPublish(program: Command): void {
  const command = program
    .command('publish [files...]')
    .description('make MP4 files titles: copied into the library, or a whole folder in place')
    .option('--in-place <dir>', 'read the files of this folder where they are; nothing is copied')
    .addHelpText(
      'after',
      '\nExamples:\n  npx vitrine publish holiday.mp4\n  npx vitrine publish --in-place /srv/films',
    )
    .action(async (files: string[], options: PublishOptions) => {
      if (files.length === 0 && options.inPlace === undefined) {
        throw cliFaults.fault('cli-usage', 'publish what? give files, or --in-place DIR')
      }
      const { config, data } = readFleetConfig(options)
      // Loaded when it is needed: the origin brings its whole room.
      const { publishCopy, publishInPlace } = await import('#origin')
      for (const file of files) {
        const published = await publishCopy(mediaFolder(config, data), callerPath(file))
        print(published, options.json, ({ id, path }) => [`${id}   ${path}`])
      }
      if (options.inPlace === undefined) return
      const { stateFolder } = originSettings(config, data)
      const published = await publishInPlace(stateFolder, callerPath(options.inPlace))
      print(published, options.json, ({ folder }) => [`in place: ${folder}`])
    })
  withJson(withData(command))
}
